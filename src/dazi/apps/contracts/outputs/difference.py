"""What was changed in a wording, word by word: hanzi count as words of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Change = Literal["kept", "gone", "new"]
MOST_WORDS = 1_500
"""Of one side; longer texts are shown whole, one after the other: a comparison costs the product."""
_WORDS = re.compile(r"[A-Za-z]+(?:['’][a-z]+)?|\d+(?:[.,]\d+)*%?|\s+|.", re.DOTALL)
ISLAND = 2
"""So few words between two changes count as changed too: scattered ones cannot be read."""


@dataclass(frozen=True, slots=True)
class Piece:
    change: Change
    text: str


def difference(before: str, after: str) -> list[Piece]:
    """``kept`` and ``gone`` pieces together are ``before``, ``kept`` and ``new`` ones ``after``."""
    old, new = _WORDS.findall(before), _WORDS.findall(after)
    if before == after:
        return [Piece("kept", before)] if before else []
    if max(len(old), len(new)) > MOST_WORDS:
        return [Piece("gone", before), Piece("new", after)]
    return [p for p in _pieces(old, new) if p.text]


def _pieces(old: list[str], new: list[str]) -> Iterator[Piece]:
    gone: list[str] = []
    fresh: list[str] = []
    blocks = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    for n, (tag, i, i_end, j, j_end) in enumerate(blocks):
        inner = 0 < n < len(blocks) - 1
        if tag == "equal" and not (inner and _is_island(old[i:i_end])):
            yield from (Piece("gone", "".join(gone)), Piece("new", "".join(fresh)))
            gone, fresh = [], []
            yield Piece("kept", "".join(old[i:i_end]))
        else:
            gone += old[i:i_end]
            fresh += new[j:j_end]
    yield from (Piece("gone", "".join(gone)), Piece("new", "".join(fresh)))


def _is_island(words: list[str]) -> bool:
    return sum(not w.isspace() for w in words) < ISLAND
