"""A text without what typesetting puts into it, to find words again in another setting of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import lru_cache

_NOTHING = frozenset("\0\u00ad\u200b\ufeff\ufffe")


def bare(text: Iterable[str]) -> tuple[str, list[int]]:
    """The characters without white space, full-width signs as plain ones, and where each stood."""
    pairs = [(folded, n) for n, c in enumerate(text) if (folded := _folded(c))]
    return "".join(c for c, _ in pairs), [n for _, n in pairs]


@lru_cache(maxsize=20_000)
def _folded(character: str) -> str:
    if character.isspace() or character in _NOTHING:
        return ""
    folded = unicodedata.normalize("NFKC", character)
    return folded if len(folded) == 1 else character
