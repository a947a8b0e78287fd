"""Recognisers tried at the few places where they could find anything."""

from __future__ import annotations

import re
import string
from collections import defaultdict
from collections.abc import Iterable

from dazi.guard import hyperscan_anchors
from dazi.guard.anchors import class_anchors
from dazi.guard.findings import Finding
from dazi.guard.folding import Folded
from dazi.guard.patterns import first
from dazi.guard.recognisers.base import Family, Recogniser

_BEGINS = re.compile(r"(?<![0-9])[0-9]|[(（+]")
"""Where within a stretch of digits a number may begin."""
_DATE = re.compile(r"(?:19|20)[0-9]{2}([-/.])[0-9]{1,2}\1[0-9]{1,2}(?:[ ][0-9]{1,2})?")
_CODED = re.compile(r"[0-9A-Za-z+(（]")
_MOST = 64
"""Digits; more than any number has."""
_PREFIX = 10
_PREFIXES = frozenset(f"{string.ascii_letters}{string.digits}+(（)） -")
"""What stands before the digits of a number: letters, +86, brackets."""


class ByBeginning(dict[str, list[Recogniser]]):
    """Recognisers by the first character of a match, looked up as it comes up."""

    def __init__(self, recognisers: Iterable[Recogniser]) -> None:
        super().__init__()
        self._begins = [(r, re.compile(f"[{first(r.pattern.pattern)}]")) for r in recognisers]

    def __missing__(self, character: str) -> list[Recogniser]:
        found = [r for r, begins in self._begins if begins.match(character)]
        if character.isascii():  # there are not many of them
            self[character] = found
        return found


class Scanner:
    """Finds candidates with a set of recognisers."""

    def __init__(self, recognisers: Iterable[Recogniser]) -> None:
        self._by_family: dict[Family, list[Recogniser]] = defaultdict(list)
        for recogniser in recognisers:
            self._by_family[recogniser.family].append(recogniser)
        self._of_length: dict[int, ByBeginning] = {}

    def candidates(self, folded: Folded) -> list[Finding]:
        """In places of the folded text; they may overlap."""
        found: list[Finding] = []
        by_family = hyperscan_anchors.find(folded)
        if by_family is None:
            by_family = class_anchors(folded)
        by_family["any"].append((0, len(folded.text)))
        for family, near in by_family.items():
            if family == "number":
                self._numbers(folded.text, sorted(near), found)
            elif family in self._by_family:
                _try(folded.text, sorted(near), self._by_family[family], found)
        return found

    def _numbers(self, text: str, near: list[tuple[int, int]], found: list[Finding]) -> None:
        """A number begins where a group of digits does, or a little before the first."""
        tried = 0
        for start, end in near:
            digits = _digits(text[start:end])
            together = digits == end - start
            if not together and _is_date(text, start, end):
                continue
            since = start
            while since > tried and start - since < _PREFIX and text[since - 1] in _PREFIXES:
                since -= 1
            places = [*range(max(since, tried), start)]
            if together:
                places.append(start)
            else:
                places += [m.start() for m in _BEGINS.finditer(text, start, end)]
            by_beginning = self._of(digits, together)
            for at in places:
                for recogniser in by_beginning[text[at]]:
                    m = recogniser.pattern.match(text, at, end + recogniser.reach[1] + 2)
                    if m is not None:
                        recogniser.add(m, found)
            tried = max(tried, end)

    def _of(self, digits: int, together: bool) -> ByBeginning:
        """Those that so many digits may be a number of, all in one or in groups, by what a number of
        theirs may begin with."""
        digits = min(digits, _MOST)
        key = digits if together else -digits
        if key not in self._of_length:
            self._of_length[key] = ByBeginning(
                r
                for r in self._by_family["number"]
                if r.digits[0] <= digits and (digits <= r.digits[1] or not together)
            )
        return self._of_length[key]


def _try(
    text: str, near: list[tuple[int, int]], recognisers: list[Recogniser], found: list[Finding]
) -> None:
    """Every place is tried once, however many anchors are near it."""
    for recogniser in recognisers:
        (left, right), tried = recogniser.reach, 0
        for start, end in near:
            found += recogniser.find(text, max(start - left, tried), end, end + right + 2)
            tried = max(tried, end + 1)


def _is_date(text: str, start: int, end: int) -> bool:
    """A date is the most frequent of all stretches of digits; it is none within a code."""
    if _DATE.fullmatch(text, start, end) is None:
        return False
    around = text[max(0, start - 1) : start], text[end : end + 1]
    return not any(map(_CODED.match, around))


def _digits(stretch: str) -> int:
    return len(stretch) if stretch.isdigit() else sum(map(str.isdigit, stretch))
