"""A text without what typesetting puts into it, to find words again in another setting of them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable


def bare(text: Iterable[str]) -> tuple[str, list[int]]:
    """The characters without white space, full-width signs as plain ones, and where each stood."""
    kept: list[str] = []
    where: list[int] = []
    for n, character in enumerate(text):
        if character.isspace() or character in "\0\u200b\ufeff\ufffe\u00ad":
            continue
        folded = unicodedata.normalize("NFKC", character)
        kept.append(folded if len(folded) == 1 else character)
        where.append(n)
    return "".join(kept), where
