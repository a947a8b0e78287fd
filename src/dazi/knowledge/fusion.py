"""One order of what words and what vectors have found.

By scores and not by ranks (reciprocal rank fusion), which take whatever a model says for as much as
the words, suited or not; the figures are in docs/decisions/0018. Words count relative to their best,
as in Bruch, Gai and Ingber 2023. Vectors count by how much nearer they are than the last one that was
found: a model that does not know the language finds all about as near, and has little to say.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from dazi.knowledge.index import Hit

VECTORS = 2.0
"""What a cosine that is greater by 1 counts beside the best by words."""


def fused(words: Sequence[Hit], near: Sequence[Hit], weight: float = VECTORS) -> list[Hit]:
    """Each passage once, best first; both are given best first. Of equal ones that comes first which
    words have found, or found earlier."""
    found: dict[tuple[str, int, int], Hit] = {}
    scores: dict[tuple[str, int, int], float] = {}
    best = max((hit.score for hit in words), default=0.0) or 1.0
    least = min((hit.score for hit in near), default=0.0)
    parts = [(hit, hit.score / best) for hit in words]
    parts += [(hit, weight * (hit.score - least)) for hit in near]
    for hit, part in parts:
        key = (hit.document, hit.revision, hit.chunk.ordinal)
        found.setdefault(key, hit)
        scores[key] = scores.get(key, 0.0) + part
    order = sorted(found, key=lambda k: -scores[k])
    return [replace(found[k], score=scores[k]) for k in order]
