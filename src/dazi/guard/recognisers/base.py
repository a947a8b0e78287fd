"""A recogniser: a cheap pattern for candidates and an exact check of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from dazi.guard.findings import Certainty, Finding

Family = Literal[
    "number",
    "colons",
    "at",
    "plate",
    "place",
    "home",
    "person",
    "word",
    "secret",
    "token",
    "bearer",
    "block",
    "url",
    "any",
]
"""What leads to a candidate in a long text, see ``anchors``; ``any``: nothing does, look everywhere."""


FAR = 8


class Hit(NamedTuple):
    """The part of a candidate that counts."""

    start: int
    end: int
    certainty: Certainty


Check = Callable[[re.Match[str]], Hit | None]


@dataclass(frozen=True, slots=True)
class Recogniser:
    """``pattern`` is of bounded length and is matched against folded text at every place; ``check``
    may look at the text around a match, ``BEFORE`` characters to the left and ``after`` to the
    right of it. ``reach`` is how far, in characters, a match may stick out of its family's anchor
    to the left and to the right; ``digits``, how few and how many a number has."""

    type: str
    family: Family
    pattern: re.Pattern[str]
    check: Check
    reach: tuple[int, int] = (0, 0)
    after: int = 1
    digits: tuple[int, int] = (0, 0)

    def find(self, text: str, first: int, last: int, end: int) -> list[Finding]:
        """Findings that begin from ``first`` to ``last`` and end before ``end``. Every place is
        tried, whatever was found before it."""
        found: list[Finding] = []
        at = first
        # Searching on to the end would cost more than trying the few places one by one.
        few = end - last > FAR * (last - first + 1)
        step = self.pattern.match if few else self.pattern.search
        while at <= last:
            m = step(text, at, end)
            if m is None and few:
                at += 1
                continue
            if m is None or m.start() > last:
                break
            self.add(m, found)
            at = m.start() + 1
        return found

    def add(self, m: re.Match[str], found: list[Finding]) -> None:
        hit = self.check(m)
        if hit is not None:
            found.append(Finding(hit.start, hit.end, self.type, hit.certainty, m.start()))


def shape(m: re.Match[str]) -> Hit:
    """The check of patterns that say all."""
    return Hit(m.start(), m.end(), Certainty.SHAPE)


_SEPARATORS = {ord(c): None for c in " \t-—.·/()（）"}


def bare(text: str) -> str:
    """Without the separators that people put into numbers; letters in upper case."""
    return (text if text.isalnum() else text.translate(_SEPARATORS)).upper()
