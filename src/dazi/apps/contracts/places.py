"""Where the words of a finding stand in a text, whatever spaces and line ends typesetting has put there."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from dazi.core.bare import bare

SHORTEST = 6
"""Characters, spaces apart, that a part of a quote must have to tell its place."""
_PARTS = re.compile(r"[。；;|\n]|(?<=[a-z)\"”])\.\s")


@dataclass(frozen=True, slots=True)
class Spot:
    """From a character of one text to one (behind the last) of the same or a later one."""

    first: int
    start: int
    last: int
    end: int


class Texts:
    """Texts in their order, to find quotes in that may reach over several of them."""

    def __init__(self, texts: Sequence[str]) -> None:
        stripped = [bare(t) for t in texts]
        self._where = [w for _, w in stripped]
        self._starts: list[int] = []
        at = 0
        for text, _ in stripped:
            self._starts.append(at)
            at += len(text)
        self._all = "".join(t for t, _ in stripped)

    def find(self, quote: str, near: float = 0.0) -> Spot | None:
        """The whole quote, else its first part that is there. Of several places the one that is
        closest to ``near``, which is a share of all the texts, 0 to 1."""
        for part in _tried(quote):
            at = self._closest(part, near)
            if at >= 0:
                return self._spot(at, at + len(part))
        return None

    def _closest(self, part: str, near: float) -> int:
        wanted = near * len(self._all)
        best, at = -1, self._all.find(part)
        while at >= 0:
            if best < 0 or abs(at - wanted) < abs(best - wanted):
                best = at
            elif at > wanted:
                break
            at = self._all.find(part, at + 1)
        return best

    def _spot(self, start: int, end: int) -> Spot:
        first, last = self._text_of(start), self._text_of(end - 1)
        return Spot(
            first,
            self._where[first][start - self._starts[first]],
            last,
            self._where[last][end - 1 - self._starts[last]] + 1,
        )

    def _text_of(self, at: int) -> int:
        """Empty texts begin where the next one does; the last of those has the character."""
        return bisect_right(self._starts, at) - 1


def _tried(quote: str) -> Iterator[str]:
    """The quote, then its parts, the longest first."""
    whole = bare(quote)[0]
    if whole:
        yield whole
    parts = (bare(p)[0] for p in _PARTS.split(quote))
    yield from sorted((p for p in parts if SHORTEST <= len(p) < len(whole)), key=len, reverse=True)
