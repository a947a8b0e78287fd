"""Which paragraphs stand in which clause, and which of them under one number."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from bench.contracts.texts import Clause, Paragraph
from bench.contracts.writer import Writer

MOVED = 0.4
JOINED = 0.12
Layout = dict[str, list[list[Paragraph]]]


def layout(writer: Writer, clauses: Sequence[Clause]) -> Layout:
    """Of each clause the paragraphs that stand in it; sometimes a free one stands in the last, and
    two that follow each other stand under one number."""
    touched = {(o.clause.id, o.paragraph.id) for o in writer.chosen if o.paragraph}
    gone = {
        (o.clause.id, o.paragraph.id) for o in writer.chosen if o.kind == "missing" and o.paragraph
    }
    out = {c.id: [p for p in c.paragraphs if (c.id, p.id) not in gone] for c in clauses}
    free = [
        (c.id, p) for c in clauses for p in c.paragraphs if p.free and (c.id, p.id) not in touched
    ]
    if writer.deal is not None and free and writer.rng.random() < MOVED:
        clause, paragraph = writer.rng.choice(free)
        out[clause].remove(paragraph)
        out[clauses[-1].id].append(paragraph)
    share = JOINED if writer.deal is not None else 0
    return {name: _joined(paragraphs, share, writer.rng) for name, paragraphs in out.items()}


def _joined(paragraphs: Sequence[Paragraph], share: float, rng: Random) -> list[list[Paragraph]]:
    groups: list[list[Paragraph]] = []
    for paragraph in paragraphs:
        plain = not paragraph.table and not any("‖" in text for text in paragraph.says)
        before = groups[-1] if groups else []
        if plain and len(before) == 1 and rng.random() < share:
            before.append(paragraph)
        else:
            groups.append([paragraph])
        if not plain:
            groups[-1:] = [groups[-1], []]
    return [group for group in groups if group]


def key(clause: Clause, paragraph: Paragraph) -> str:
    """One that has moved here is no namesake of the clause's own."""
    own = any(paragraph is one for one in clause.paragraphs)
    return f"{clause.id}.{paragraph.id}" if own else f"{clause.id}.moved {paragraph.id}"
