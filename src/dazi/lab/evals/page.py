"""A run as one HTML file that needs nothing else and runs no script: every item with its verdict and its
trace."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

import msgspec

from dazi.core.language import Language, Text
from dazi.lab.evals.figures import NO_SHARES
from dazi.lab.evals.runs import ItemRecord, RunFolder, RunHead
from dazi.lab.evals.wording import bounds, called, shown

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; --ink: #1d2129; --soft: #57606a; --line: #d9dde3; --ok: #2e7d4f;
  --bad: #b3261e; --bar: #3b6fb6; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a3abb5; --line: #3a4048;
  --ok: #6cc08b; --bad: #f2a19b; --bar: #7aa7e0; --paper: #16181c; } }
body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  color: var(--ink); background: var(--paper); max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.3rem; overflow-wrap: anywhere; } h2 { font-size: 1.1rem; margin-top: 2rem; }
.told, .note { color: var(--soft); } table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--line); padding: .35rem .5rem; text-align: left; vertical-align: top; }
td.n { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.bar { background: var(--line); height: .5rem; width: 8rem; } .bar i { display: block; height: 100%;
  background: var(--bar); }
details { border-top: 1px solid var(--line); padding: .3rem 0; } summary { cursor: pointer;
  overflow-wrap: anywhere; }
.right { color: var(--ok); } .wrong { color: var(--bad); font-weight: 600; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 13px; margin: .4rem 0 .6rem 1rem; }
.scroll { overflow-x: auto; }
"""
TITLE = Text("评测 {id}", "Evaluation {id}")
TOLD = Text(
    "{suite} · 模型 {model} {version} · {done}/{of} 题 · {began} – {ended} · 开关 {switches}",
    "{suite} · model {model} {version} · {done}/{of} items · {began} – {ended} · switches {switches}",
)
DATA = Text("数据 {name}(sha256 {sha}){licence}", "data {name} (sha256 {sha}){licence}")
METRICS, GROUPS, ITEMS = (
    Text("指标(95% 区间)", "Metrics (95 % interval)"),
    Text("分组", "Groups"),
    Text("每一题:不对的在前", "Every item, the wrong ones first"),
)
RIGHT, WRONG = Text("对", "right"), Text("不对", "wrong")
UNFINISHED = Text("没有跑完", "not finished")


def html(folder: RunFolder, language: Language) -> Iterator[str]:
    """Piece by piece: a long run's page is not held in memory."""
    head = folder.head
    title = escape(TITLE(language).format(id=head.id))
    yield (
        f'<!doctype html>\n<html lang="{"zh-CN" if language == "zh" else "en"}"><head>'
        f'<meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head><body>\n<h1>{title}</h1>\n"
    )
    yield from _told(head, language)
    yield from _metrics(head, language)
    yield from _groups(head, language)
    yield f"<h2>{escape(ITEMS(language))}</h2>\n"
    last = {r.id: n for n, r in enumerate(folder.records())}
    for right in (False, True):
        for number, record in enumerate(folder.records()):
            if record.right is right and last[record.id] == number:
                yield _item(record, language)
    yield "</body></html>\n"


def _told(head: RunHead, language: Language) -> Iterator[str]:
    switches = ", ".join(f"{k}={v}" for k, v in head.switches.items()) or "-"
    told = TOLD(language).format(
        suite=head.suite,
        model=head.model,
        version=head.model_version,
        done=head.done,
        of=head.of,
        began=head.began,
        ended=head.ended or UNFINISHED(language),
        switches=switches,
    )
    licence = f" {head.data.licence}" if head.data.licence else ""
    data = DATA(language).format(name=head.data.name, sha=head.data.sha256[:12], licence=licence)
    yield f'<p class="told">{escape(told)}<br>{escape(data)}</p>\n'
    for note in head.notes:
        yield f'<p class="note">{escape(note)}</p>\n'


def _metrics(head: RunHead, language: Language) -> Iterator[str]:
    yield f'<h2>{escape(METRICS(language))}</h2>\n<div class="scroll"><table>'
    for name, metric in head.metrics.items():
        bar = ""
        if name not in NO_SHARES and metric.value is not None:
            bar = f'<div class="bar"><i style="width:{metric.value:.1%}"></i></div>'
        yield (
            f"<tr><td>{escape(called(name)(language))}</td>"
            f'<td class="n">{shown(name, metric)}</td><td class="n">{bounds(metric)}</td>'
            f'<td class="n">{metric.n}</td><td>{bar}</td></tr>'
        )
    yield "</table></div>\n"


def _groups(head: RunHead, language: Language) -> Iterator[str]:
    if not head.groups:
        return
    names = list(dict.fromkeys(n for g in head.groups.values() for n in g))
    cells = "".join(f"<th>{escape(called(n)(language))}</th>" for n in names)
    yield f'<h2>{escape(GROUPS(language))}</h2>\n<div class="scroll"><table>'
    yield f"<tr><th></th><th>n</th>{cells}</tr>"
    for group, metrics in head.groups.items():
        n = max((m.n for m in metrics.values()), default=0)
        row = "".join(
            f'<td class="n">{shown(x, metrics[x]) if x in metrics else ""}</td>' for x in names
        )
        yield f'<tr><td>{escape(group)}</td><td class="n">{n}</td>{row}</tr>'
    yield "</table></div>\n"


def _item(record: ItemRecord, language: Language) -> str:
    kind, word = ("right", RIGHT) if record.right else ("wrong", WRONG)
    why = escape("; ".join(record.why))
    trace = msgspec.json.format(msgspec.json.encode(record.trace, enc_hook=str), indent=1)
    scores = ", ".join(f"{k} {v:g}" for k, v in record.scores.items() if v is not None)
    used = f"{record.tokens.prompt}+{record.tokens.completion} tokens, {record.ms:.0f} ms"
    return (
        f'<details><summary><span class="{kind}">{escape(word(language))}</span> '
        f"{escape(record.id)} · {escape(record.group)} {why}</summary>"
        f"<pre>{escape(scores)}\n{escape(used)}{escape(f' {record.error}' if record.error else '')}\n"
        f"{escape(trace.decode())}</pre></details>\n"
    )
