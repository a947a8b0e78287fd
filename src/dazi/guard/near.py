"""Anchors, and the walk to the left that some of them need."""

from __future__ import annotations

from collections import defaultdict

from dazi.guard.recognisers.addresses import BEFORE_NUMBER
from dazi.guard.recognisers.base import Family

Anchors = defaultdict[Family, list[tuple[int, int]]]

LONGEST_LOCAL = 64
_LATIN = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._%+-")
_HOUSE = frozenset("一二三四五六七八九十百零〇- ") | _LATIN


def add_mailbox(text: str, at: int, found: Anchors) -> None:
    """For an @: from where the name before it may begin."""
    first, least = at, max(0, at - LONGEST_LOCAL)
    latin = at > 0 and text[at - 1] in _LATIN
    while first > least and (
        text[first - 1] in _LATIN or (not latin and _is_hanzi(text[first - 1]))
    ):
        first -= 1
    found["at"].append((first, at))


def add_house(text: str, at: int, found: Anchors) -> None:
    """For a unit such as 号: if its number stands behind a road, a village or a building."""
    first = at
    while first and text[first - 1] in _HOUSE:
        first -= 1
    if first and text[first - 1] in BEFORE_NUMBER:
        found["place"].append((at, at + 1))


def _is_hanzi(c: str) -> bool:
    return "\u3400" <= c <= "\u9fff"
