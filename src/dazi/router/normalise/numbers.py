"""Numbers and sums of money as people say and write them -> ``Decimal``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dazi.router.normalise import dates, periods, times
from dazi.router.normalise.anchor import Anchor
from dazi.router.normalise.grammar import LEFT, Found, Grammar, Rules, S, rule
from dazi.router.normalise.numerals import FORMAL, WORDS, english, hanzi, whole
from dazi.router.normalise.text import Piece, Span, pieces


@dataclass(frozen=True, slots=True)
class NumberSpan(Span):
    """A number of a message, and what it says."""

    value: Decimal


_DIGITS = r"(?P<n>\d{1,3}(?:,\d{3}){1,3}(?:\.\d{1,6})?|\d{1,9}(?:\.\d{1,6})?)"
_SCALE = (
    r"(?:(?P<s>[百千万亿]|k(?![a-z]))(?P<tail>[1-9一二三四五六七八九](?![\d十百千万点月号日]))?)"
)
_SCALES = {"百": 100, "千": 1000, "k": 1000, "万": 10_000, "亿": 100_000_000}
_BEFORE = (
    r"(?:(?:(?<![a-z])(?:rmb|cny|usd|us|hk)\s?)?[$¥€£]\s?|(?<![a-z])(?:rmb|cny|usd)\s?|人民币\s?)"
)
_AFTER = (
    rf"(?:{S}(?:(?P<yuan>[块元圆])(?:(?P<jiao>[\d一二三四五六七八九])(?![\d十百千万个])[毛角]?)?[钱整]?|人民币|美[元金]"
    r"|(?:yuan|rmb|cny|usd|dollars?|bucks|euros?)(?![a-z])))"
)
_END = (
    r"(?![a-z0-9_@%]|[.:/]\d|,\d{3}(?!\d)|-\d{4}|\s?[年月号日点时季%‰]"
    r"|(?:-|\s?)(?:st|nd|rd|th)(?![a-z]))"
)
_START = rf"(?:{LEFT}|(?<=top)|(?<=\d\d\d\d/))"
"""Before a number: top10 and ORD82977/10块 are two things written as one."""
_HANZI = r"(?P<h>[零〇一二两三四五六七八九十百千万亿]{1,20})"
_MANY = (
    r"(?P<h>(?=[一二两三四五六七八九]{0,3}[十百千])[零〇一二两三四五六七八九十百千万亿]{2,20}"
    r"|[一二两三四五六七八九]万[零一二两三四五六七八九十百千]{0,12})"
)
_ALONE = r"(?<![零〇一二两三四五六七八九十百千万亿第几周期拜数])"
_WORD = "|".join(sorted(WORDS, key=len, reverse=True))
_WORDS = rf"(?:[ -](?:and )?(?:{_WORD}|hundred|thousand|million)){{0,8}}"
_THINGS = "[个款名位家件条种大强甲样只台套箱批张份单行]"


def _digits(m: re.Match[str], _: None) -> Decimal:
    groups = m.groupdict()
    value, scale = Decimal(groups["n"].replace(",", "")), groups.get("s")
    if scale:
        value *= _SCALES[scale]
        if groups.get("tail"):
            value += whole(groups["tail"]) * _SCALES[scale] // 10
    return _plain(value + _jiao(groups.get("jiao")))


def _hanzi(m: re.Match[str], _: None) -> Decimal:
    return Decimal(hanzi(m["h"])) + _jiao(m.groupdict().get("jiao"))


def _jiao(said: str | None) -> Decimal:
    return Decimal(said if said.isdigit() else hanzi(said)) / 10 if said else Decimal(0)


def _plain(value: Decimal) -> Decimal:
    return value.to_integral() if value == value.to_integral() else value


_WRITTEN: Rules[None, Decimal] = Rules(
    rf"{_START}[0-9]|[$¥€£人]|(?<![a-z])[ruch]",
    (
        rule(rf"{_BEFORE}{_DIGITS}(?:{S}{_SCALE})?{_AFTER}?(?![a-z0-9_%]|[.,]\d)", _digits),
        rule(rf"{_START}(?<!第){_DIGITS}(?:{S}{_SCALE})?(?:{_AFTER}|{_END})", _digits),
        rule(
            rf"(?:前|top ?|第)?{_DIGITS}(?:{S}{_SCALE})?{_AFTER}?{_THINGS}?",
            _digits,
            searched=False,
        ),
        rule(
            r"(?P<n>\d{1,6}(?:\.\d{1,4})?)w",
            lambda m, _: _plain(Decimal(m["n"]) * 10_000),
            searched=False,
        ),
    ),
)
_SPOKEN_ZH: Rules[None, Decimal] = Rules(
    r"[零〇一二两三四五六七八九十百千]",
    (
        rule(rf"{_ALONE}{_HANZI}{_AFTER}", _hanzi),
        rule(rf"{_ALONE}(?P<h>[一二两三四五六七八九])[毛角]", lambda m, _: _jiao(m["h"])),
        rule(rf"{_ALONE}{_MANY}(?![几多来点月号日年时季分])", _hanzi),
        rule(
            rf"(?:(?<=前)|(?<=top)|(?<=top\s)){_HANZI}(?![天几周年月])"
            rf"|{_ALONE}(?P<few>[二两三四五六七八九十]{S}(?={_THINGS})|一(?=[个款名位]))",
            lambda m, _: Decimal(hanzi(m["h"] or m["few"].strip())),
        ),
        rule(rf"(?:前|top ?|第)?{_HANZI}{_AFTER}?{_THINGS}?", _hanzi, searched=False),
    ),
)
_SPOKEN_EN: Rules[None, Decimal] = Rules(
    rf"(?:{LEFT}|(?<=top))[aefnostz]",
    (
        rule(
            rf"(?P<w>(?!(?:one|zero)(?![a-z]))(?:{_WORD})(?![a-z]){_WORDS}"
            rf"|(?:an?|one) (?:hundred|thousand|million){_WORDS})(?:{_AFTER}|(?![a-z0-9_]))",
            lambda m, _: Decimal(english(m["w"])),
        ),
        rule(
            rf"(?:top )?(?P<w>[a-z][a-z -]{{2,60}}?){_AFTER}?",
            lambda m, _: Decimal(english(m["w"])),
            searched=False,
        ),
    ),
)
_GRAMMAR: Grammar[None, Decimal] = Grammar(_WRITTEN, _SPOKEN_ZH, _SPOKEN_EN)
_PHONE = re.compile(r"\+?\d{2,4}(?:[- ]\d{3,4}){2,3}(?!\d)|(?<!\d)0\d{2,3}-?\s?\d{7,8}(?!\d)")
_ID_WORD = re.compile(r"(?:^|[^A-Za-z])(?P<word>[A-Za-z]{2,4})[ #:-]{1,2}$")
_PLAIN_WORD = re.compile(
    r"the|for|of|is|to|was|pay|paid|only|just|and|by|cost|back|from|with|over|than|me|it|at|about"
    r"|top|rmb|cny|usd|got|get|full|sum|all|in|on|or",
    re.IGNORECASE,
)
_NEAR = 40
"""Characters around a number within which a date or time that it belongs to must lie."""
_ANY_DAY = Anchor(date(2024, 1, 1))


def parse_number(text: str) -> Decimal | None:
    """The number that ``text`` says, money or not: 1.2万, 三千五, ¥1,200.50, 12k, "two hundred"."""
    text = text.strip().translate(FORMAL)
    sign = text[:1] in ("-", "−", "－")
    found = _GRAMMAR.read(text[1:] if sign else text, None)
    return -found if sign and found is not None else found


def number_text(value: Decimal) -> str:
    """``299``, ``1200.5``: no exponent, no trailing zeros."""
    text = f"{value.normalize():f}"
    return text if text != "-0" else "0"


def find_numbers(text: str) -> list[NumberSpan]:
    """The numbers and sums that a message names, but for those of its dates, times, ids, phones."""
    return [span for piece in pieces(text) for span in _numbers(text, piece)]


def _numbers(text: str, piece: Piece) -> Iterator[NumberSpan]:
    found = list(_GRAMMAR.search(piece.folded, None, piece.start))
    taken = set(_taken(piece.folded, found))
    for f in found:
        span = piece.span(text, f.start, f.end)
        if taken.isdisjoint(range(f.start, f.end)) and not _part_of_id(text, span):
            yield NumberSpan(span.start, span.end, span.text, f.value)


def _taken(text: str, near: Sequence[Found[Decimal]]) -> Iterator[int]:
    """The characters near those numbers that say something else."""
    for start, stop in _windows(near):
        for grammar in (dates.GRAMMAR, periods.MONTHS, periods.QUARTERS):
            for found in grammar.search(text, _ANY_DAY, start, stop):
                if not re.fullmatch(r"\d+\.\d+", text[found.start : found.end]):
                    yield from range(found.start, found.end)
        for time in times.GRAMMAR.search(text, None, start, stop):
            yield from range(time.start, time.end)
        for phone in _PHONE.finditer(text, start, stop):
            yield from range(phone.start(), phone.end())


def _windows(near: Sequence[Found[Decimal]]) -> Iterator[tuple[int, int]]:
    start = stop = 0
    for found in near:
        if stop < found.start - _NEAR:
            if stop:
                yield start, stop
            start = max(0, found.start - _NEAR)
        stop = found.end + _NEAR
    if stop:
        yield start, stop


def _part_of_id(text: str, span: Span) -> bool:
    """ORD 12345: a short word and a long whole number."""
    before = _ID_WORD.search(text[max(0, span.start - 7) : span.start])
    if not before or not span.text.isdecimal() or _PLAIN_WORD.fullmatch(before["word"]):
        return False
    return len(span.text) >= (4 if before["word"].isupper() else 5)
