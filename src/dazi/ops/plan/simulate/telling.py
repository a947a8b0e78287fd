"""A simulated day in words and as plain values."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from dazi.core.language import Language, Text
from dazi.ops.plan.simulate.scenario import Simulated

POLICIES = {
    "fixed": Text("固定", "fixed"),
    "utilisation": Text("按利用率", "by utilisation"),
    "queue": Text("按 /scaling", "by /scaling"),
    "schedule": Text("按时间表", "by a schedule"),
    "oracle": Text("未卜先知", "an oracle"),
}
_HOURS = 12
"""Rows of the table over time."""


def lines(r: Simulated) -> list[tuple[Text, Text]]:
    s, wanted, f = r.summary, r.scenario.wanted, r.fleet
    refused = s.no_place + s.no_server
    first, whole = (" / ".join(f"{v:.2f}" for v in given.values()) for given in (s.first, s.whole))
    made = [
        (Text("来了", "came"), _same(f"{s.turns:,}")),
        (
            Text("答了 / 拒绝 / 还在答", "answered / refused / under way"),
            _same(f"{s.answered:,} / {refused:,} / {s.under_way:,}"),
        ),
        (Text("首字 p50 / p95 / p99(秒)", "first token p50 / p95 / p99 (s)"), _same(first)),
        (Text("整轮 p50 / p95 / p99(秒)", "whole turn p50 / p95 / p99 (s)"), _same(whole)),
        (
            Text("没做到", "missed"),
            Text(
                f"{s.missed:.2%}(首字超过 {wanted.first:g} 秒 {s.missed_first:.2%},整轮超过 {wanted.whole:g} 秒 "
                f"{s.missed_whole:.2%},其余是拒绝)",
                f"{s.missed:.2%} (first token after {wanted.first:g} s {s.missed_first:.2%}, whole turn after "
                f"{wanted.whole:g} s {s.missed_whole:.2%}, the rest refused)",
            ),
        ),
        (
            Text("几份", "replicas"),
            Text(
                f"开始 {r.first},平均 {s.replicas:.1f},最多 {s.most};忙 {s.busy:.0%}",
                f"{r.first} at first, {s.replicas:.1f} in the mean, {s.most} at most; {s.busy:.0%} busy",
            ),
        ),
        (
            Text("钱", "cost"),
            Text(
                f"{s.cost:,.2f} 元({s.replica_hours:,.1f} 份·小时,一小时 {f.price:.2f} 元)",
                f"{s.cost:,.2f} yuan ({s.replica_hours:,.1f} replica hours at {f.price:.2f})",
            ),
        ),
        (
            Text("模拟", "simulated"),
            Text(
                f"{s.seconds:,.0f} 秒,用了 {s.wall:.1f} 秒:每秒 {s.speed:,.0f} 秒",
                f"{s.seconds:,.0f} s in {s.wall:.1f} s: {s.speed:,.0f} s a second",
            ),
        ),
    ]
    if s.one_in > 1:
        made.append(
            (
                Text("抽样", "sampled"),
                Text(
                    f"{s.one_in} 个用户里模拟一个,服务也按 1/{s.one_in};数量和钱已乘回。突发因此变小,排队略偏长",
                    f"one user in {s.one_in}, on 1/{s.one_in} of the servers; counts and cost are scaled back. "
                    "Bursts shrink with it, and queues come out a little long",
                ),
            )
        )
    if s.stopped:
        made.append(
            (Text("中断", "stopped"), Text("到此为止的结果", "what had come of it by then"))
        )
    return made


def _same(said: str) -> Text:
    return Text(said, said)


def told(r: Simulated, language: Language) -> list[str]:
    policy = POLICIES[r.scenario.scaling.policy](language)
    out = [f"{Text('策略', 'policy')(language)}: {policy}"]
    out += [f"{label(language)}: {said(language)}" for label, said in lines(r)]
    return [*out, "", *table(r, language)]


def table(r: Simulated, language: Language) -> list[str]:
    """Over the time, in a dozen rows."""
    c = r.course
    heads = Text(
        "时刻 每秒来 每秒拒 整轮p95 份数 忙 排队", "time come/s refused/s p95 replicas busy waiting"
    )(language).split(" ")
    rows = [heads]
    size = max(1, len(c.at) // _HOURS)
    for i in range(0, len(c.at) - size + 1, size):
        piece = slice(i, i + size)

        def mean(values: list[float], piece: slice = piece) -> float:
            return sum(values[piece]) / size

        rows.append(
            [
                _clock(c.at[i] - c.at[0]),
                f"{mean(c.come):.2f}",
                f"{mean(c.refused):.2f}",
                f"{max(c.whole[piece]):.1f}",
                f"{mean(c.serving):.1f}",
                f"{mean(c.busy):.0%}",
                f"{mean(c.waiting):.1f}",
            ]
        )
    widths = [max(_width(row[i]) for row in rows) for i in range(len(heads))]
    return [
        "  ".join(" " * (w - _width(cell)) + cell for cell, w in zip(row, widths, strict=True))
        for row in rows
    ]


def _clock(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 1440}d{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _width(text: str) -> int:
    """Hanzi take two columns."""
    return sum(2 if ord(c) > 0x2E7F else 1 for c in text)


def as_plain(r: Simulated) -> dict[str, Any]:
    """For JSON: seconds, yuan and tokens."""
    s = asdict(r.summary)
    for name in ("first", "whole"):
        s[name] = {f"p{p}": round(v, 4) for p, v in s[name].items()}
    s["simulated_per_second"] = round(r.summary.speed, 1)
    course = {k: [round(v, 4) for v in values] for k, values in asdict(r.course).items()}
    scenario = r.scenario
    return {
        "summary": {k: round(v, 6) if isinstance(v, float) else v for k, v in s.items()},
        "course": course,
        "replicas_first": r.first,
        "fleet": asdict(r.fleet),
        "traffic": asdict(scenario.traffic) if scenario.trace is None else "recorded",
        "scaling": asdict(scenario.scaling),
        "wanted": asdict(scenario.wanted),
    }
