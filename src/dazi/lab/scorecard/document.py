"""A scorecard as PDF, set with typst; every text is a string of its own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dazi.apps.reports.typesetting import FONTS
from dazi.apps.reports.typesetting import pdf as compiled
from dazi.apps.reports.typesetting import quoted as q
from dazi.core.language import Language, Text
from dazi.lab.scorecard import wording as w
from dazi.lab.scorecard.declared import DIMENSIONS
from dazi.lab.scorecard.scoring import Candidate, Scorecard


def pdf(s: Scorecard, language: Language) -> bytes:
    return compiled("\n".join(_source(s, language)))


def _source(s: Scorecard, language: Language) -> Iterator[str]:
    title = Text.of(s.card.title)(language)
    yield f"#set document(title: {q(title)}, date: none)"
    yield '#set page(paper: "a4", flipped: true, margin: 1.6cm, footer: context [#h(1fr) #text(8pt,'
    yield '  counter(page).display("1 / 1", both: true))])'
    yield f"#set text(font: ({', '.join(map(q, FONTS))}), size: 9.5pt, hyphenate: false)"
    yield f"#set text(lang: {q(language)})"
    yield '#set table(stroke: (x, y) => (bottom: 0.4pt + rgb("#bbbbbb")), inset: 4pt)'
    yield f"#heading(level: 1, {q(title)})"
    yield f"#text(8pt, {q(s.made)})"
    yield f'#block(fill: rgb("#fbf7ea"), inset: 6pt, {q(w.STATEMENT(language))})'
    heads = [w.CANDIDATE(language), w.OVERALL(language)]
    heads += [f"{w.NAMES[d](language)} ({s.card.weights.of(d):g})" for d in DIMENSIONS]
    rows = [
        [c.name, w.number(c.overall), *(w.number(c.scores.get(d)) for d in DIMENSIONS)]
        for c in s.candidates
    ]
    yield _table(heads, rows)
    for c in s.candidates:
        if told := w.lacking(c, language):
            yield _small(f"{c.name}: {told}")
        yield from (_small(f"{c.name}: {w.must(k, language)}") for k in c.musts)
    yield _heading(w.NAMES["capability"](language))
    heads = [w.METRIC(language), w.WEIGHT(language), *(c.name for c in s.candidates)]
    yield _table(heads, [_metric(s, n, language) for n in range(len(s.card.capability))])
    yield from map(_small, filter(None, (w.left_out(s, language), w.unlike(s, language))))
    for c in s.candidates:
        yield from _evidence(c, language)


def _metric(s: Scorecard, n: int, language: Language) -> list[str]:
    m = s.card.capability[n]
    weight = f"{m.weight:g}" if m.key in s.counted else w.NONE
    return [w.label(m, language), weight, *(w.measure(c.measured.get(m.key)) for c in s.candidates)]


def _evidence(c: Candidate, language: Language) -> Iterator[str]:
    yield _heading(f"{c.name}: {w.EVIDENCE(language)}")
    cost, compliance = w.NAMES["cost"](language), w.NAMES["compliance"](language)
    yield _item(f"{cost}: {w.cost(c.cost, language)}")
    if c.cost:
        yield _small(f"{w.assumptions(c.cost, language)} ({c.cost.run})")
    yield _item(f"{compliance}: {w.compliance(c.compliance, language)}")
    if c.compliance:
        for framework, id, title in c.compliance.failed:
            yield _small(f"{framework} {id} {Text.of(title)(language)}")
    for r in c.runs:
        digest = r.data.sha256[:12]
        about = f"{r.suite}: {r.id}, {r.model} {r.version}, n = {r.done}, {r.data.name} {digest}"
        yield _item(about)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    top = ", ".join(f"strong({q(h)})" for h in heads)
    cells = ", ".join(q(cell) for row in rows for cell in row)
    aligns = ", ".join(["left", *["right"] * (len(heads) - 1)])
    columns = ", ".join(["1fr", *["auto"] * (len(heads) - 1)])
    return f"#table(columns: ({columns},), align: ({aligns},), table.header({top}), {cells})"


def _heading(text: str) -> str:
    return f"#heading(level: 2, {q(text)})"


def _item(text: str) -> str:
    return f"#list({q(text)})"


def _small(text: str) -> str:
    return f'#block(text(8pt, fill: rgb("#57606a"), {q(text)}))'
