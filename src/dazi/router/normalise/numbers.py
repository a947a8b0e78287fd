"""Numbers and sums of money as people say and write them -> ``Decimal``."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from dazi.router.normalise import dates, periods, times
from dazi.router.normalise.anchor import Anchor
from dazi.router.normalise.grammar import LEFT, Found, Grammar, S, rule
from dazi.router.normalise.numerals import FORMAL, WORDS, english, hanzi, whole
from dazi.router.normalise.text import MAX_SCAN, Span, fold


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
_END = r"(?![a-z0-9_@%]|[.,:/]\d|-\d{4}|\s?[年月号日点时季%‰]|(?:-|\s?)(?:st|nd|rd|th)(?![a-z]))"
_HANZI = r"(?P<h>[零〇一二两三四五六七八九十百千万亿]{1,20})"
_MANY = r"(?P<h>(?=[一二两三四五六七八九]{0,3}[十百千])[零〇一二两三四五六七八九十百千万亿]{2,20}|[一二两三四五六七八九]万[零一二两三四五六七八九十百千]{0,12})"
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


_GRAMMAR: Grammar[None, Decimal] = Grammar(
    (
        rule(rf"{_BEFORE}{_DIGITS}(?:{S}{_SCALE})?{_AFTER}?(?![a-z0-9_%]|[.,]\d)", _digits),
        rule(rf"(?:{LEFT}|(?<=top))(?<!第){_DIGITS}(?:{S}{_SCALE})?(?:{_AFTER}|{_END})", _digits),
        rule(rf"{_ALONE}{_HANZI}{_AFTER}", _hanzi),
        rule(rf"{_ALONE}(?P<h>[一二两三四五六七八九])[毛角]", lambda m, _: _jiao(m["h"])),
        rule(rf"{_ALONE}{_MANY}(?![几多来点月号日年时季分])", _hanzi),
        rule(
            rf"(?:(?<=前)|(?<=top)|(?<=top\s)){_HANZI}(?![天几周年月])"
            rf"|{_ALONE}(?P<few>[二两三四五六七八九十]{S}(?={_THINGS})|一(?=[个款名位]))",
            lambda m, _: Decimal(hanzi(m["h"] or m["few"].strip())),
        ),
        rule(
            rf"{LEFT}(?P<w>(?!(?:one|zero)(?![a-z]))(?:{_WORD})(?![a-z]){_WORDS}"
            rf"|(?:an?|one) (?:hundred|thousand|million){_WORDS})(?:{_AFTER}|(?![a-z0-9_]))",
            lambda m, _: Decimal(english(m["w"])),
        ),
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
        rule(rf"(?:前|top ?|第)?{_HANZI}{_AFTER}?{_THINGS}?", _hanzi, searched=False),
        rule(
            rf"(?:top )?(?P<w>[a-z][a-z -]{{2,60}}?){_AFTER}?",
            lambda m, _: Decimal(english(m["w"])),
            searched=False,
        ),
    ),
    rf"(?:(?:{LEFT}|(?<=top))[0-9a-z]|[$¥€£人零〇一二两三四五六七八九十百千])",
)
_PHONE = re.compile(r"\+?\d{2,4}(?:[- ]\d{3,4}){2,3}(?!\d)|(?<!\d)0\d{2,3}-?\s?\d{7,8}(?!\d)")
_ID_WORD = re.compile(r"(?:^|[^A-Za-z])(?P<word>[A-Za-z]{2,4})[ #:-]{1,2}$")
_PLAIN_WORDS = frozenset(
    [
        "the",
        "for",
        "of",
        "is",
        "to",
        "was",
        "pay",
        "paid",
        "only",
        "just",
        "and",
        "by",
        "cost",
        "back",
        "from",
        "with",
        "over",
        "than",
        "me",
        "it",
        "at",
        "about",
        "top",
        "rmb",
        "cny",
        "usd",
        "got",
        "get",
        "full",
        "sum",
        "all",
        "in",
        "on",
        "or",
    ]
)
_ANY_DAY = Anchor(date(2024, 1, 1))


def parse_number(text: str) -> Decimal | None:
    """The number that ``text`` says, money or not: 1.2万, 三千五, ¥1,200.50, 12k, "two hundred"."""
    text = text.strip().translate(FORMAL)
    sign = text[:1] in ("-", "−", "－")
    found = _GRAMMAR.read(text[1:] if sign else text, None)
    return -found if sign and found is not None else found


def find_numbers(text: str) -> list[NumberSpan]:
    """The numbers and sums that a message names, but for those of its dates, times, ids, phones."""
    text = text[:MAX_SCAN]
    folded = fold(text)
    found = [f for f in _GRAMMAR.search(folded, None) if not _part_of_id(text, f)]
    taken = set(_taken(folded)) if found else set()
    return [
        NumberSpan(f.start, f.end, text[f.start : f.end], f.value)
        for f in found
        if taken.isdisjoint(range(f.start, f.end))
    ]


def _taken(folded: str) -> Iterator[int]:
    """The characters that say something else."""
    for day in dates.GRAMMAR.search(folded, _ANY_DAY):
        if not re.fullmatch(r"\d+\.\d+", folded[day.start : day.end]):
            yield from range(day.start, day.end)
    for period in (periods.MONTHS, periods.QUARTERS):
        for span in period.search(folded, _ANY_DAY):
            yield from range(span.start, span.end)
    for time in times.GRAMMAR.search(folded, None):
        yield from range(time.start, time.end)
    for phone in _PHONE.finditer(folded):
        yield from range(phone.start(), phone.end())


def _part_of_id(text: str, found: Found[Decimal]) -> bool:
    """ORD 12345: a short word and a long whole number."""
    said = text[found.start : found.end]
    before = _ID_WORD.search(text[max(0, found.start - 7) : found.start])
    if not before or not said.isdecimal() or before["word"].lower() in _PLAIN_WORDS:
        return False
    return len(said) >= (4 if before["word"].isupper() else 5)
