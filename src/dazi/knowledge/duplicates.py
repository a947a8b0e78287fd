"""Passages that say what a better one has said already: documents are copied and copied into others."""

from __future__ import annotations

import re
from collections.abc import Sequence

from dazi.knowledge.index import Hit
from dazi.knowledge.terms import folded

SHINGLE = 5
"""Characters. Longer ones tell texts apart that are made of the same words."""
ALIKE = 0.9
"""So much of a passage must stand in a better one. Broder 1997 calls it containment."""
_SEEN = re.compile(r"\w")
_NUMBER = re.compile(r"\d+(?:\.\d+)*|[一二三四五六七八九十百千万零两]+")


def distinct(hits: Sequence[Hit]) -> list[Hit]:
    """``hits`` without those that a better one holds. What has another number is no duplicate: of
    two versions of a rule both are worth showing."""
    kept: list[Hit] = []
    seen: list[tuple[frozenset[str], frozenset[str]]] = []
    for hit in hits:
        text = folded(hit.chunk.text)
        shingles, numbers = _shingles(text), frozenset(_NUMBER.findall(text))
        if any(_holds(better, shingles) and numbers <= known for better, known in seen):
            continue
        kept.append(hit)
        seen.append((shingles, numbers))
    return kept


def _holds(better: frozenset[str], shingles: frozenset[str]) -> bool:
    return len(better & shingles) >= ALIKE * len(shingles)


def _shingles(text: str) -> frozenset[str]:
    """All runs of so many letters and digits; of a shorter text itself."""
    plain = "".join(_SEEN.findall(text))
    return frozenset(plain[i : i + SHINGLE] for i in range(max(1, len(plain) - SHINGLE + 1)))
