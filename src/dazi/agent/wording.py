"""Is a sentence made of known wording and known values only?

A model that can only copy may garble a product's name into another one's. Such a model comes with
the wording it was taught (pairs of hanzi, and words): what it says must be that wording, or a
value that the turn's evidence holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

_HANZI = re.compile(r"[\u3400-\u9fff]{2,}")
_WORD = re.compile(r"[a-z][a-z']+")
_MARK = "\n"


def pieces(text: str) -> set[str]:
    """Pairs of neighbouring hanzi, and words of two letters or more."""
    folded = text.casefold()
    pairs = {run[i : i + 2] for run in _HANZI.findall(folded) for i in range(len(run) - 1)}
    return pairs | set(_WORD.findall(folded))


def unfamiliar(
    sentence: str, wording: frozenset[str], values: Iterable[str], words: str
) -> list[str]:
    """What in ``sentence`` is neither wording nor a value.

    ``values`` are cut out whole, longest first; ``words`` is the evidence as one text, any word of
    which may be said.
    """
    rest = sentence.casefold()
    for value in sorted({v.casefold() for v in values if len(v) > 1}, key=len, reverse=True):
        rest = rest.replace(value, _MARK)
    known = set(_WORD.findall(words.casefold()))
    return sorted(p for p in pieces(rest) if p not in wording and p not in known)
