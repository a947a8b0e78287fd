"""Times of day as people say and write them -> ``HH:MM``."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.router.normalise import times_en, times_zh
from dazi.router.normalise.clock import Clock, settle
from dazi.router.normalise.dates_en import MONTH
from dazi.router.normalise.durations import parse_duration
from dazi.router.normalise.grammar import LEFT, RIGHT, Found, Grammar
from dazi.router.normalise.text import Span, pieces

GRAMMAR: Grammar[None, Clock] = Grammar(
    times_zh.RULES, times_en.DIGITAL, times_en.RULES, guard=times_zh.is_an_hour
)
_ALONE: Grammar[None, Clock] = Grammar(times_en.BARE)
_BARE = re.compile(
    rf"(?=[0-9efnost]){LEFT}(?<![月第前])(?<!\d[:.,])"
    rf"(?:\d{{1,2}}|\d{{4}}|{times_en.HOUR_WORDS}){RIGHT}(?![:.,/]\d|[:%])"
)
_CHAINED = re.compile(r"-\d{1,4}-")
_COUNTED = re.compile(
    r"\s?(?:[件个天名位人块元万千百月日号年周款种条台份次号楼层项折分米吨号点时倍级]|小时|percent|(?:"
    r"days?|hours?|hrs?|min(?:ute)?s?|weeks?|months?|years?|items?|pcs|units?|people|persons?"
    r"|yuan|rmb|cny|usd|dollars?|bucks|km|kg|stars?|regions?|products?|orders?|rooms?|%)(?![a-z]))"
)
_TO = r"\s{0,2}(?:-{1,2}|~|到|至|to|till?|until|thru|through)\s{0,2}"
_JOIN_AFTER = re.compile(_TO)
_JOIN_BEFORE = re.compile(rf"{_TO}$")
_AND = re.compile(r"\s(?:and|&)\s")
_OPENS = re.compile(
    r"(?<![a-z])(?:at|from|between|start(?:ing|s)?|until|till?|before|after|by|@)\s{0,2}$|[从@]\s?$"
)
_MONTH_BEFORE = re.compile(rf"(?<![a-z])(?<!\d\s)(?<!(?:st|nd|rd|th|of)\s){MONTH}\.?\s$")


def parse_time(
    text: str, *, not_before: str | None = None, not_after: str | None = None
) -> str | None:
    """The time that ``text`` names, as ``HH:MM``, or ``None``.

    A bare hour from 1 to 7 is in the afternoon, from 8 to 12 in the morning or at noon. Where the
    half of the day is open, ``not_before`` (a start, ``HH:MM``) makes an end the first reading
    later than it, and ``not_after`` (an end) a start the last one earlier. With ``not_before``, a
    duration (一个小时, "90 minutes") is counted from it.
    """
    said = GRAMMAR.read(text, None) or _ALONE.read(text, None)
    start = _minutes(not_before)
    if said is None:
        length = parse_duration(text) if start is not None else None
        end = -1 if start is None or length is None else start + length
        return _hhmm(end) if 0 <= end < 24 * 60 else None
    return _hhmm(settle(said, start, _minutes(not_after)))


def parse_range(start: str, end: str) -> tuple[str | None, str | None]:
    """A start and an end, each helping to read the other: 8 and 9pm -> 20:00 and 21:00."""
    last = GRAMMAR.read(end, None)
    until = None if last is None or last.free else parse_time(end)
    first = parse_time(start, not_after=until)
    return first, parse_time(end, not_before=first)


def find_times(text: str) -> list[Span]:
    """The times that a message names.

    A bare number counts only beside a word or a dash that makes it a time: "at 3", "2 to 3pm".
    """
    spans: list[Span] = []
    for piece in pieces(text):
        strong = {f.start: f for f in GRAMMAR.search(piece.folded, None, piece.start)}
        found = [(f.start, f.end) for f in strong.values()]
        found += _bare(piece.folded, piece.start, strong)
        spans += [piece.span(text, start, end) for start, end in sorted(found)]
    return spans


def _bare(text: str, begin: int, strong: dict[int, Found[Clock]]) -> Iterator[tuple[int, int]]:
    ends = {f.end for f in strong.values()}
    taken = {i for f in strong.values() for i in range(f.start, f.end)}
    maybe = {
        m.start(): m.end()
        for m in _BARE.finditer(text, begin)
        if m.start() not in taken and _hour(text, m.start(), m.end())
    }
    partners: set[int] = set()
    for start, end in maybe.items():
        before = text[max(0, start - 12) : start]
        opens = _OPENS.search(before)
        to = _JOIN_AFTER.match(text, end) or (
            _AND.match(text, end) if opens and "between" in before else None
        )
        join = _JOIN_BEFORE.search(before)
        follows = join is not None and start - len(join[0]) in ends
        joined = text[start - 1 : start] == "-" and not follows
        leads = to is not None and not joined and (to.end() in strong or to.end() in maybe)
        if follows or leads or opens or start in partners:
            ends.add(end)
            partners |= {to.end()} if to else set()
            yield start, end


def _hour(text: str, start: int, end: int) -> bool:
    """Whether a bare number may be an hour: not 3 days, March 3, a year, or a price."""
    said = text[start:end]
    if len(said) == 4 and said.isdecimal() and (said[3] not in "05" or said[:2] in ("19", "20")):
        return False
    if _CHAINED.match(text, end) or _COUNTED.match(text, end):
        return False
    if _MONTH_BEFORE.search(text[max(0, start - 16) : start]):
        return False
    return _ALONE.exact(said, None) is not None


def _minutes(hhmm: str | None) -> int | None:
    return int(hhmm[:2]) * 60 + int(hhmm[3:5]) if hhmm else None


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
