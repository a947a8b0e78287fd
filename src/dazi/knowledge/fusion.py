"""One ranking of several: reciprocal rank fusion (Cormack, Clarke and Buettcher 2009)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.knowledge.index import Hit

K = 60
"""What the paper adds to each rank: the first ranks of one list do not decide alone."""


@dataclass(frozen=True, slots=True)
class Ranking:
    """Hits, best first, and how much their ranks count."""

    hits: Sequence[Hit]
    weight: float = 1.0


def fused(*rankings: Ranking) -> list[Hit]:
    """Each passage once, best first, scored by the sum of weight / (K + rank). Of equal ones that
    comes first which an earlier ranking has, or has higher."""
    found: dict[tuple[str, int, int], Hit] = {}
    scores: dict[tuple[str, int, int], float] = {}
    for ranking in rankings:
        for rank, hit in enumerate(ranking.hits, 1):
            key = (hit.document, hit.revision, hit.chunk.ordinal)
            found.setdefault(key, hit)
            scores[key] = scores.get(key, 0.0) + ranking.weight / (K + rank)
    best = sorted(found, key=lambda k: -scores[k])
    return [replace(found[k], score=scores[k]) for k in best]
