"""A plan in words: a line for each figure."""

from __future__ import annotations

from dazi.core.language import Language, Text
from dazi.ops.plan.planning import Plan


def told(p: Plan, language: Language) -> list[str]:
    return [f"{label(language)}: {said(language)}" for label, said in lines(p)]


def lines(p: Plan) -> list[tuple[Text, Text]]:
    w, m, s, c = p.wanted, p.memory, p.speed, p.cost
    size, asked = (
        f"{w.shape.parameters / 1e9:.2f}B, {w.precision}",
        f"{w.concurrency} x {w.context:,}",
    )
    bound = {"memory": Text("显存带宽", "bandwidth"), "arithmetic": Text("算力", "arithmetic")}[
        s.bound
    ]
    parts = f"{m.weights:,} + {m.cache:,} + {m.beside:,}"
    day = f"{w.load.requests:,}"
    even = (
        Text(
            f"一天 {c.even:,} 次起自己的机器便宜",
            f"one's own machines are cheaper from {c.even:,} requests a day",
        )
        if c.even
        else Text("按这些价格,多少次都是 API 便宜", "at these prices an API is cheaper at any load")
    )
    years = f"{c.hardware:,.0f} + {c.power:,.0f} + {c.staff:,.0f}"
    made = [
        (Text("模型", "model"), _same(f"{w.shape.name}, {size}")),
        (Text("请求 x 词元", "requests x tokens"), _same(asked)),
        (
            Text("显存 MB", "memory MB"),
            Text(
                f"{m.total:,} = 权重 + 缓存 + 其余 {parts}",
                f"{m.total:,} = weights + cache + rest {parts}",
            ),
        ),
        (
            Text("显卡", "cards"),
            Text(f"{w.gpu.name},{p.fits} 块放得下", f"{w.gpu.name}, {p.fits} hold it"),
        ),
        (
            Text(f"一天 {day} 次", f"{day} requests a day"),
            Text(
                f"{p.gpus} 块,每份同时 {p.at_once} 个,上班八小时里忙 {p.busy:.0%}",
                f"{p.gpus} cards, {p.at_once} at once each, {p.busy:.0%} busy in eight hours",
            ),
        ),
        (
            Text("每秒词元,硬件的上限", "tokens a second, the hardware's limit"),
            Text(
                f"一个请求 {s.alone:,.0f},一起 {s.together:,.0f}(受限于{bound.zh}),读 {s.prefill:,.0f}",
                f"{s.alone:,.0f} for one, {s.together:,.0f} together ({bound.en}), {s.prefill:,.0f} read",
            ),
        ),
        (
            Text("三年,元", "three years, yuan"),
            Text(
                f"{c.private:,.0f} = 硬件 + 电 + 人 {years}",
                f"{c.private:,.0f} = hardware + power + people {years}",
            ),
        ),
        (Text("每千次,元", "a thousand requests, yuan"), _same(f"{c.thousand:,.2f}")),
        (
            Text("用 API,元", "an API, yuan"),
            Text(
                f"三年 {c.api:,.0f},每千次 {c.api_thousand:,.2f};{even.zh}",
                f"{c.api:,.0f} in three years, {c.api_thousand:,.2f} a thousand; {even.en}",
            ),
        ),
    ]
    if p.published:
        others = ", ".join(f"{x.server} {x.tokens:,}" for x in p.published)
        made.append(
            (
                Text("公布的(1,000 个请求一起,bf16)", "published (1,000 requests at once, bf16)"),
                _same(others),
            )
        )
    return made


def _same(said: str) -> Text:
    return Text(said, said)
