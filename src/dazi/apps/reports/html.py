"""A report as a page of its own: one file, with its styles and charts in it and nothing fetched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from dazi.apps.reports import words
from dazi.apps.reports.charts import svg
from dazi.apps.reports.result import Paragraph, Run, Section, Table

_RULES = """
& h1{font-size:1.6em;line-height:1.4;margin:.6em 0 .2em;font-weight:bold}
& h2{font-size:1.25em;line-height:1.4;margin:1.6em 0 .4em;font-weight:bold}
& h3{font-size:1em;line-height:1.4;margin:1em 0 .2em;font-weight:bold}
& p,& ul{margin:.4em 0}& ul{list-style:disc;padding-left:1.4em}& figure{margin:1em 0}
& .by,& .note,& .label{opacity:.7;font-size:.85em}& .label{border-top:1px solid #ddd;padding-top:.6em}
& .failed{background:#fdecea;color:#222;border-left:4px solid #c8402f;padding:.5em .8em}
& table{border-collapse:collapse;width:100%;margin:.6em 0;font-size:.92em}
& th,& td{border-bottom:1px solid #ddd;padding:.3em .5em;text-align:left;vertical-align:top;white-space:nowrap}
& th{border-bottom:2px solid #999}& td.n,& th.n{text-align:right;font-variant-numeric:tabular-nums}
& tr.total td{font-weight:bold;border-top:2px solid #999}& td.odd{color:#c8402f;font-weight:bold}
& .appendix td{font-size:.85em;word-break:break-word;white-space:normal}& svg{max-width:100%;height:auto}
& .ai{color:#7d6aa8;font-size:.8em;margin-left:.4em}
& blockquote{border-left:3px solid #bbb;margin:.6em 0;padding-left:.8em}
"""
STYLE = (
    "body{font-family:'Noto Sans CJK SC','PingFang SC','Microsoft YaHei',sans-serif;color:#222;"
    "max-width:900px;margin:2em auto;padding:0 1em;line-height:1.7}" + _RULES.replace("& ", "")
)
SCOPED = _RULES.replace("&", ".dz-report")
"""For a page that shows more than the report."""


def html(run: Run) -> str:
    title = escape(words.title(run))
    lang = "zh-CN" if run.language == "zh" else "en"
    return (
        f'<!doctype html>\n<html lang="{lang}">\n<head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="Dazi"><title>{title}</title>'
        f"<style>{STYLE}</style></head>\n<body>\n{body(run)}\n</body>\n</html>\n"
    )


def body(run: Run) -> str:
    """What stands on the page."""
    return "\n".join(_body(run))


def _body(run: Run) -> Iterator[str]:
    yield f"<h1>{escape(run.title)}</h1>"
    if run.subject:
        yield f"<p><strong>{escape(run.subject)}</strong></p>"
    yield f'<p class="by">{escape(run.company)} · {escape(words.byline(run))}</p>'
    if failed := words.failed(run):
        yield f'<p class="failed">{escape(failed)}</p>'
    for section in run.sections:
        yield from _section(run, section)
    yield from _appendix(run)
    yield f'<p class="label">{escape(words.label(run))}</p>'


def _section(run: Run, section: Section) -> Iterator[str]:
    yield f'<section id="{escape(section.id)}"><h2>{escape(section.title)}</h2>'
    yield from _paragraphs(section.paragraphs, run)
    for id in section.tables:
        yield from table(run.table(id), run)
    for id in section.charts:
        yield f"<figure>{svg(run, run.chart(id))}</figure>"
    yield "</section>"


def _paragraphs(paragraphs: Iterable[Paragraph], run: Run) -> Iterator[str]:
    listed = False
    for p in paragraphs:
        if p.bullet != listed:
            yield "<ul>" if p.bullet else "</ul>"
            listed = p.bullet
        said = escape(p.text)
        if p.origin == "model":
            said += f'<span class="ai">{escape(words.GENERATED(run.language))}</span>'
        tag = "li" if p.bullet else "blockquote" if p.origin == "document" else "p"
        yield f"<{tag}>{said}</{tag}>"
    if listed:
        yield "</ul>"


def table(t: Table, run: Run) -> Iterator[str]:
    yield f"<h3>{escape(t.title)}</h3>"
    right = [' class="n"' if words.is_right(t, n) else "" for n in range(len(t.columns))]
    yield "<table><thead><tr>"
    yield "".join(f"<th{r}>{escape(c.label)}</th>" for r, c in zip(right, t.columns, strict=True))
    yield "</tr></thead><tbody>"
    for n in range(len(t.rows)):
        cells = []
        for column, said in zip(t.columns, words.cells(t, n, run.language), strict=True):
            kinds = [
                *(["n"] if words.is_right(t, t.columns.index(column)) else []),
                *(["odd"] if t.marked(n, column.name) else []),
            ]
            of = f' class="{" ".join(kinds)}"' if kinds else ""
            cells.append(f"<td{of}>{escape(said)}</td>")
        yield f"<tr>{''.join(cells)}</tr>"
    if totals := words.total_cells(t, run.language):
        yield '<tr class="total">'
        yield "".join(f"<td{r}>{escape(c)}</td>" for r, c in zip(right, totals, strict=True))
        yield "</tr>"
    yield "</tbody></table>"
    for note in t.notes:
        yield f'<p class="note">{escape(note.text)}</p>'


def _appendix(run: Run) -> Iterator[str]:
    yield f'<section class="appendix"><h2>{escape(words.APPENDIX(run.language))}</h2>'
    for grid in words.appendix(run):
        if grid.rows:
            yield f"<h3>{escape(grid.title)}</h3><table><thead>{_row(grid.heads, 'th')}</thead>"
            yield f"<tbody>{''.join(_row(r, 'td') for r in grid.rows)}</tbody></table>"
    if run.notes:
        yield f"<h3>{escape(words.NOTES(run.language))}</h3><ul>"
        yield from (f"<li>{escape(n)}</li>" for n in run.notes)
        yield "</ul>"
    yield "</section>"


def _row(cells: Sequence[str], tag: str) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(c)}</{tag}>" for c in cells) + "</tr>"
