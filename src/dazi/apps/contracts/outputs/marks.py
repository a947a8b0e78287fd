"""A document's text cut where findings begin and end."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

from dazi.apps.contracts.reviewed import Reviewed


@dataclass(frozen=True, slots=True)
class Mark:
    """``remarks``: ids of the findings on these words, the gravest first; none for plain text."""

    text: str
    remarks: tuple[str, ...] = ()


def marked(done: Reviewed) -> list[list[Mark]]:
    """Of each passage its pieces; together they are its text."""
    spans: list[list[tuple[int, int, str]]] = [[] for _ in done.passages]
    for r in done.remarks:
        if r.spot is None:
            continue
        for n in range(r.spot.first, r.spot.last + 1):
            start = r.spot.start if n == r.spot.first else 0
            end = r.spot.end if n == r.spot.last else len(done.passages[n].text)
            spans[n].append((start, end, r.id))
    return [_cut(p.text, s) for p, s in zip(done.passages, spans, strict=True)]


def _cut(text: str, spans: list[tuple[int, int, str]]) -> list[Mark]:
    edges = sorted({0, len(text), *(at for s in spans for at in s[:2])})
    return [
        Mark(text[a:b], tuple(id for start, end, id in spans if start <= a and b <= end))
        for a, b in pairwise(edges)
    ]
