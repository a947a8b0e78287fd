"""A tolerant search by name: people write 三星Galaxy S24 for ``Samsung Galaxy S24``.

Tolerant of case, width, spaces and word order, but never of numbers: iPhone 16 is not iPhone 15.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from rapidfuzz import fuzz

FUZZY_CUTOFF = 78.0
_WORD = re.compile(r"[a-z]+|[0-9]+|[\u3400-\u9fff]+")
_NUMBER = re.compile(r"[0-9]+")


class Fit(IntEnum):
    """How well a text fits what was looked for, best last."""

    NONE = 0
    FUZZY = 1
    WORDS = 2
    CONTAINS = 3
    PREFIX = 4
    EXACT = 5


@dataclass(frozen=True, slots=True)
class _Wanted:
    squeezed: str
    words: frozenset[str]
    numbers: frozenset[str]


def best_matches(
    text: str, rows: Sequence[Mapping[str, Any]], match: str, also: Sequence[str], limit: int
) -> list[Mapping[str, Any]]:
    """Up to ``limit`` of ``rows``, best first, by the column ``match`` and the columns ``also``.

    Rows of a clearly worse kind are left out: with an exact match only exact ones are returned,
    and word-wise or fuzzy ones only where no name contains the text or is contained in it.
    """
    wanted = _wanted(text)
    if not wanted.squeezed:
        return []
    ranked: list[tuple[tuple[int, int, float], Mapping[str, Any]]] = []
    for row in rows:
        name = str(row[match] or "")
        others = [str(row[column] or "") for column in also]
        own = _fit(wanted, name)
        # A category contained in the text says little: 苹果手机 does not name every 手机.
        other = max((_fit(wanted, value, reverse=False) for value in others), default=Fit.NONE)
        best = max(own, other)
        if best is Fit.NONE and _words_fit(wanted, [name, *others]):
            best = Fit.WORDS
        if best is not Fit.NONE:
            close = _closeness(wanted, name) if own is not Fit.NONE else 0.0
            ranked.append(((best, own, close), row))
    if not ranked:
        ranked = _fuzzy(wanted, rows, [match, *also])
    ranked.sort(key=lambda entry: entry[0], reverse=True)
    floor = _floor(Fit(ranked[0][0][0])) if ranked else Fit.NONE
    return [row for rank, row in ranked if rank[0] >= floor][:limit]


def _floor(best: Fit) -> Fit:
    if best is Fit.EXACT:
        return Fit.EXACT
    return Fit.CONTAINS if best >= Fit.CONTAINS else best


def _normal(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()


def _squeeze(text: str) -> str:
    return "".join(_normal(text).split())


def _wanted(text: str) -> _Wanted:
    normal = _normal(text)
    return _Wanted(
        _squeeze(text),
        frozenset(_WORD.findall(normal)),
        frozenset(_NUMBER.findall(normal)),
    )


def _fit(wanted: _Wanted, value: str, *, reverse: bool = True) -> Fit:
    name = _squeeze(value)
    if not name:
        return Fit.NONE
    if name == wanted.squeezed:
        return Fit.EXACT
    at = _position(wanted.squeezed, name)
    if at >= 0:
        return Fit.PREFIX if at == 0 else Fit.CONTAINS
    if reverse and len(name) >= 2 and _position(name, wanted.squeezed) >= 0:
        return Fit.CONTAINS
    return Fit.NONE


def _position(part: str, whole: str) -> int:
    """Where ``part`` stands in ``whole`` without cutting a number in two; -1 if nowhere."""
    at = whole.find(part)
    while at >= 0:
        end = at + len(part)
        cuts_before = at > 0 and part[0].isdigit() and whole[at - 1].isdigit()
        cuts_after = end < len(whole) and part[-1].isdigit() and whole[end].isdigit()
        if not cuts_before and not cuts_after:
            return at
        at = whole.find(part, at + 1)
    return -1


def _words_fit(wanted: _Wanted, values: Sequence[str]) -> bool:
    normal = _normal(" ".join(values))
    numbers = set(_NUMBER.findall(normal))
    return bool(wanted.words) and all(
        word in numbers if word.isdigit() else word in normal for word in wanted.words
    )


def _closeness(wanted: _Wanted, name: str) -> float:
    """1 for a name that is nothing but the text, less for every letter that is too many."""
    return fuzz.ratio(wanted.squeezed, _squeeze(name)) / 100


def _fuzzy(
    wanted: _Wanted, rows: Sequence[Mapping[str, Any]], columns: Sequence[str]
) -> list[tuple[tuple[int, int, float], Mapping[str, Any]]]:
    found: list[tuple[tuple[int, int, float], Mapping[str, Any]]] = []
    for row in rows:
        values = [_squeeze(str(row[column] or "")) for column in columns]
        if not wanted.numbers <= set(_NUMBER.findall(" ".join(values))):
            continue
        score = max(fuzz.ratio(wanted.squeezed, value) for value in values)
        if score >= FUZZY_CUTOFF:
            found.append(((Fit.FUZZY, 0, score), row))
    return found
