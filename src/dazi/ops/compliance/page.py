"""The report as one HTML file that needs nothing else, prints, and runs no script."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from dazi.core.language import Language, Text
from dazi.ops.compliance.report import STATEMENT, Chapter, Judged, Report
from dazi.ops.compliance.results import Seen, Status
from dazi.ops.compliance.table import counted
from dazi.ops.compliance.wording import LOOKED_AT, MARK, MEND, RECORDS, STATUS, heading

COLOUR = {
    Status.PASS: "#2e7d4f",
    Status.FAIL: "#b3261e",
    Status.NOT_SUPPORTED: "#8a6d1a",
    Status.ORGANISATIONAL: "#8a8f98",
}
BAR_WIDTH = 600
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.6 system-ui, "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  color: #1d2129; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; } h3 { font-size: 1rem; }
.statement { border-left: 4px solid #8a6d1a; background: #fbf7ea; padding: .6rem 1rem; }
.looked { color: #57606a; } svg { display: block; width: 100%; height: 18px; margin: .3rem 0; }
table { border-collapse: collapse; width: 100%; }
td { border-top: 1px solid #d9dde3; padding: .45rem .5rem; vertical-align: top; }
td.id { width: 7.5rem; color: #57606a; } td.status { width: 6.5rem; font-weight: 600; }
ul { margin: .2rem 0; padding-left: 1.1rem; } li { overflow-wrap: anywhere; }
li.bad { color: #b3261e; } .mend { color: #1d4f91; } .note, .other { color: #57606a; }
.note, .mend, .records { margin: .2rem 0; }
@media print { body { margin: 0; max-width: none; font-size: 11px; }
  tr, .statement { break-inside: avoid; } h2, h3 { break-after: avoid; } }
"""
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"


def html(report: Report, language: Language) -> str:
    title = escape(heading(report, language))
    return "\n".join(
        (
            "<!doctype html>",
            f'<html lang="{"zh-CN" if language == "zh" else "en"}"><head><meta charset="utf-8">',
            f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title><style>{_STYLE}</style></head><body>",
            f"<h1>{title}</h1>",
            f'<p class="statement">{_text(STATEMENT, language)}</p>',
            f'<p class="looked">{escape(LOOKED_AT(language))}: '
            + "; ".join(escape(t(language)) for t in report.looked_at)
            + "</p>",
            *(line for c in report.chapters for line in _summary(c, language)),
            *(line for c in report.chapters for line in _chapter(c, language)),
            "</body></html>\n",
        )
    )


def _text(text: Text, language: Language) -> str:
    return escape(text(language))


def _summary(chapter: Chapter, language: Language) -> Iterator[str]:
    name = _text(chapter.framework.name, language)
    told = escape(counted(chapter, language))
    key = escape(chapter.framework.key)
    yield f'<div><a href="#{key}">{name}</a>: {told}'
    yield f'<svg viewBox="0 0 {BAR_WIDTH} 18" role="img" preserveAspectRatio="none">'
    yield f"<title>{name}: {told}</title>"
    at, total = 0.0, max(len(chapter.items), 1)
    for status in Status:
        width = BAR_WIDTH * chapter.counts[status] / total
        yield f'<rect x="{at:.1f}" width="{width:.1f}" height="18" fill="{COLOUR[status]}"/>'
        at += width
    yield "</svg></div>"


def _chapter(chapter: Chapter, language: Language) -> Iterator[str]:
    key = escape(chapter.framework.key)
    yield f'<h2 id="{key}">{_text(chapter.framework.name, language)}</h2>'
    group = None
    for j in chapter.items:
        if j.item.group != group:
            yield "" if group is None else "</table>"
            group = j.item.group
            yield f"<h3>{_text(group, language)}</h3><table>"
        yield _row(j, language)
    yield "</table>"


def _seen(seen: Seen, language: Language) -> str:
    kind = "ok" if seen.ok else "bad"
    return f'<li class="{kind}">{_text(seen.text, language)}</li>'


def _row(j: Judged, language: Language) -> str:
    other: Language = "en" if language == "zh" else "zh"
    told = [
        f"<strong>{_text(j.item.title, language)}</strong> "
        f'<span class="other">{_text(j.item.title, other)}</span>'
    ]
    if j.evidence:
        rows = [_seen(seen, language) for seen in j.evidence]
        told.append(f"<ul>{''.join(rows)}</ul>")
    told += [f'<p class="mend">{escape(MEND(language))}: {_text(m, language)}</p>' for m in j.mend]
    if j.records:
        numbers = ", ".join(map(str, j.records))
        told.append(f'<p class="records">{escape(RECORDS(language))}: {numbers}</p>')
    if j.item.note is not None:
        told.append(f'<p class="note">{_text(j.item.note, language)}</p>')
    return (
        f'<tr><td class="id">{escape(j.item.id)}</td>'
        f'<td class="status" style="color:{COLOUR[j.status]}">{MARK[j.status]} '
        f"{escape(STATUS[j.status](language))}</td><td>{''.join(told)}</td></tr>"
    )
