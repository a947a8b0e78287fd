"""A report as PDF, set with typst: every text is a string of its own, so none of it can be markup."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dazi.apps.reports import words
from dazi.apps.reports.charts import svg
from dazi.apps.reports.result import Paragraph, Run, Table
from dazi.apps.reports.typesetting import FONTS
from dazi.apps.reports.typesetting import pdf as compiled
from dazi.apps.reports.typesetting import quoted as q

_LONG = re.compile(r"[0-9a-f]{10}(?=[0-9a-f])")
ODD = 'rgb("#c8402f")'


def pdf(run: Run) -> bytes:
    return compiled("\n".join(_source(run)))


def _source(run: Run) -> Iterator[str]:
    title = words.title(run)
    yield f"#set document(title: {q(title)}, author: {q(run.company)}, date: none)"
    yield f"#let running = text(8pt, {q(f'{run.company} · {title}')})"
    yield f"#let below = text(8pt, {q(words.label(run))})"
    yield '#set page(paper: "a4", margin: 2cm, header: running,'
    yield '  footer: context [#below #h(1fr) #text(8pt, counter(page).display("1 / 1", both: true))])'
    yield f"#set text(font: ({', '.join(map(q, FONTS))}), size: 10pt, hyphenate: false)"
    yield f"#set text(lang: {q(run.language)})"
    yield "#set par(leading: 0.8em)\n#set block(spacing: 1em)"
    yield '#set table(stroke: (x, y) => (bottom: 0.4pt + rgb("#bbbbbb")), inset: 4pt)'
    yield f"#heading(level: 1, {q(run.title)})"
    if run.subject:
        yield f"#block(strong({q(run.subject)}))"
    yield f"#text(8pt, {q(f'{run.company} · {words.byline(run)}')})"
    if failed := words.failed(run):
        yield f'#block(fill: rgb("#fdecea"), inset: 6pt, text(fill: {ODD}, {q(failed)}))'
    for section in run.sections:
        yield f"#heading(level: 2, {q(section.title)})"
        yield from (_paragraph(p, run) for p in section.paragraphs)
        for id in section.tables:
            yield from _table(run.table(id), run)
        for id in section.charts:
            drawn = q(svg(run, run.chart(id)))
            yield f'#image(bytes({drawn}), format: "svg", width: 100%)'
    yield from _appendix(run)


def _paragraph(p: Paragraph, run: Run) -> str:
    said = q(p.text)
    if p.origin == "model":
        mark = q(f"（{words.GENERATED(run.language)}）")
        said = f'{said} + text(8pt, fill: rgb("#7d6aa8"), {mark})'
    if p.bullet:
        return f"#list({said})"
    if p.origin == "document":
        return f"#quote(block: true, {said})"
    return f"#block({said})"


def _table(t: Table, run: Run) -> Iterator[str]:
    yield f"#block(sticky: true, strong({q(t.title)}))"
    aligns = ["right" if words.is_right(t, n) else "left" for n in range(len(t.columns))]
    heads = ", ".join(f"strong({q(c.label)})" for c in t.columns)
    cells = [f"table.header({heads})"]
    for n in range(len(t.rows)):
        for column, said in zip(t.columns, words.cells(t, n, run.language), strict=True):
            odd = t.marked(n, column.name)
            cells.append(f'text(fill: {ODD}, weight: "bold", {q(said)})' if odd else q(said))
    cells += [f"strong({q(c)})" for c in words.total_cells(t, run.language)]
    yield (
        f"#text(8.5pt, table(columns: {len(t.columns)}, align: ({', '.join(aligns)},), "
        f"{', '.join(cells)}))"
    )
    yield from (f'#text(8pt, fill: rgb("#666666"), {q(note.text)})' for note in t.notes)


def _appendix(run: Run) -> Iterator[str]:
    yield f"#pagebreak(weak: true)\n#heading(level: 2, {q(words.APPENDIX(run.language))})"
    for grid in words.appendix(run):
        if not grid.rows:
            continue
        yield f"#block(sticky: true, strong({q(grid.title)}))"
        cells = [f"table.header({', '.join(f'strong({q(h)})' for h in grid.heads)})"]
        cells += [q(_breakable(cell)) for row in grid.rows for cell in row]
        yield f"#text(7pt, table(columns: {_columns(grid.heads)}, {', '.join(cells)}))"
    if run.notes:
        yield f"#strong({q(words.NOTES(run.language))})"
        yield from (f"#list({q(n)})" for n in run.notes)


def _columns(heads: Sequence[str]) -> str:
    return "(" + ", ".join(["auto"] + ["1fr"] * (len(heads) - 1)) + ",)"


def _breakable(text: str) -> str:
    """Long names and numbers may break, which have no place for it otherwise."""
    return _LONG.sub(lambda m: f"{m[0]}\u200b", text.replace("_", "_\u200b"))
