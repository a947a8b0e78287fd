"""Months and quarters as people say and write them -> ``YYYY-MM``, ``YYYY-Qn``."""

from __future__ import annotations

import re
from datetime import date

from dazi.router.normalise.anchor import Anchor
from dazi.router.normalise.dates_en import COUNT, MONTH, month_number
from dazi.router.normalise.dates_zh import MONTH_WORD, month_offset
from dazi.router.normalise.grammar import LEFT, RIGHT, Grammar, Rules, S, rule
from dazi.router.normalise.numerals import ORDINALS, whole
from dazi.router.normalise.text import Span

_G = r"\s{1,2}"
_YEAR = (
    r"(?P<y>(?:(?:20)?\d\d|[一二][〇零一二三四五六七八九]{3})\s?年|[前去今明后本]年|20\d\d[-/. ]?)"
)
_ALONE = r"(?<![0-9a-z零〇一二两三四五六七八九十百几#$¥€£/])(?<![a-z0-9]-)(?<!\d\.)"
_NOT_A_DAY = (
    rf"(?!{S}(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}}){S}[号日]|[初底末]|饼|球|光|薪|经|亮|租)"
)
_RELATIVE = r"(?P<w>last|this|next|previous|past|current)"
_OF_YEAR = rf"(?P<w>last|this|next|previous){_G}year"
_ORDINAL = "first|second|third|fourth|final|1st|2nd|3rd|4th"
_OFFSETS = {"last": -1, "previous": -1, "past": -1, "next": 1}
_OTHER_ORDINALS = {"final": 4, "末": 4, "首": 1, "1st": 1, "2nd": 2, "3rd": 3, "4th": 4}

Period = tuple[int, int]


def _in_year(m: re.Match[str], number: int, most: int, a: Anchor, default: int) -> Period:
    """The year that is written, or the relative one, or ``default``."""
    groups = m.groupdict()
    year = default
    if said := (groups.get("y") or "").strip(" -/.'"):
        relative = said[0] in "前去今明后本"
        year = a.year(said if relative else said.removesuffix("年").strip())
    elif groups.get("w"):
        year = a.today.year + _OFFSETS.get(groups["w"], 0)
    if not (1 <= number <= most and 1900 <= year <= 2999):
        raise ValueError(m[0])
    return year, number


def _month(m: re.Match[str], a: Anchor) -> Period:
    """Without a year, the latest such month that is not still to come."""
    said = m["m"]
    month = month_number(said) if said[0].isascii() and said[0].isalpha() else whole(said)
    return _in_year(m, month, 12, a, a.today.year - (month > a.today.month))


def _which_month(m: re.Match[str], a: Anchor) -> Period:
    month, year, now = month_number(m["m"]), a.today.year, a.today.month
    if m["which"] == "this":
        return year, month
    if m["which"] == "next":
        return year + (month <= now), month
    return year - (month >= now), month


def _months_ago(m: re.Match[str], a: Anchor) -> Period:
    said = m["n"]
    return a.month(-(2 if "couple" in said else 1 if said in ("a", "an") else whole(said)))


def _quarter(m: re.Match[str], a: Anchor) -> Period:
    said = m["q"]
    number = _OTHER_ORDINALS.get(said) or ORDINALS.get(said) or whole(said)
    return _in_year(m, number, 4, a, a.today.year)


def _away(a: Anchor, quarters: int) -> Period:
    count = a.today.year * 4 + (a.today.month - 1) // 3 + quarters
    return count // 4, count % 4 + 1


_NOT_MAY = re.compile(
    r"\s(?:i|we|you|he|she|they|it|be|not|have|also|need|want|sound|seem"
    r"|take|ask|know|get|see|the|my|or may)(?![a-z])"
)
_WHO_MAY = re.compile(r"(?<![a-z])(?:i|we|you|it|he|she|they|that|there|who)\s$")


def _is_month(text: str, start: int, end: int) -> bool:
    """May I ask: no month."""
    if text[end - 3 : end] != "may":
        return True
    return not (_NOT_MAY.match(text, end) or _WHO_MAY.search(text[max(0, start - 6) : start]))


_MONTHS_ZH: Rules[Anchor, Period] = Rules(
    r"[0-9一二两三四五六七八九十上这本当下前去今明后]",
    (
        rule(
            rf"{_ALONE}(?:{_YEAR}的?)?{S}(?<![0-9一二三四五六七八九])"
            rf"(?P<m>\d{{1,2}}|十[一二]?|[一二三四五六七八九]){S}月(?!份?{S}\d{{1,2}}{S}[号日])份?{_NOT_A_DAY}",
            _month,
        ),
        rule(rf"{MONTH_WORD}份?{_NOT_A_DAY}", lambda m, a: a.month(month_offset(m[0]))),
        rule(
            rf"{_ALONE}(?P<n>\d{{1,2}}|[一二两三四五六七八九十]{{1,2}}){S}个月[之以]?前",
            _months_ago,
        ),
    ),
)
_MONTHS_EN: Rules[Anchor, Period] = Rules(
    rf"{LEFT}[0-9a-z]",
    (
        rule(
            r"(?P<y>(?:19|20)\d\d)\s?[-/.]\s?(?P<m>\d{1,2})"
            r"(?![0-9a-z_%]|[-/.:]\d|\s?(?:[元块万]|yuan|rmb|usd|cny))",
            _month,
        ),
        rule(
            r"(?<![a-z]\s)(?P<y>20[0-3]\d)(?P<m>0[1-9]|1[0-2])(?![0-9a-z_%元块]|[-/.:,]\d)",
            _month,
        ),
        rule(r"(?P<m>\d{1,2})/(?P<y>20\d\d)(?![0-9a-z_/])", _month),
        rule(
            rf"(?P<m>{MONTH})(?!\.?\s\d{{1,2}}(?:st|nd|rd|th))"
            rf"(?:\.?(?:,|-|{_G}of)?\s{{0,2}}(?P<y>20\d\d|'\d\d)(?!\d|[:/]))?{RIGHT}",
            _month,
        ),
        rule(rf"(?P<y>20\d\d)[ -](?P<m>{MONTH})", _month),
        rule(rf"(?P<m>{MONTH})\.?{_G}(?:of{_G})?{_OF_YEAR}", _month),
        rule(rf"{_OF_YEAR}(?:'?s)?{_G}(?P<m>{MONTH})", _month),
        rule(rf"(?P<which>last|this|next|past|previous){_G}(?P<m>{MONTH})", _which_month),
        rule(rf"{_RELATIVE}{_G}month{RIGHT}", lambda m, a: a.month(_OFFSETS.get(m["w"], 0))),
        rule(rf"(?:the{_G})?month{_G}before{_G}last{RIGHT}", lambda m, a: a.month(-2)),
        rule(rf"(?P<n>{COUNT}){_G}months?{_G}ago{RIGHT}", _months_ago),
    ),
)
MONTHS: Grammar[Anchor, Period] = Grammar(_MONTHS_ZH, _MONTHS_EN, guard=_is_month)

_GLUED = r"(?<=hr)|(?<=r&d)|(?<=q[1-4]/)"
"""Departments stand right before a quarter: HRQ3."""
_BEFORE = rf"(?:{_ALONE}|{_GLUED})(?:{_YEAR}的?)?{S}"
_WHOSE = (
    rf"(?:(?:,|-|')?\s{{0,2}}(?:of{_G}|in{_G})?(?P<y>20\d\d)(?!\d|[:/.]\d)"
    rf"|{_G}(?:of{_G})?(?:the{_G})?{_OF_YEAR})?{RIGHT}"
)
_QUARTERS_ZH: Rules[Anchor, Period] = Rules(
    r"[0-9q一二三四上这本当下前去今明后第首末]",
    (
        rule(rf"{_BEFORE}q{S}(?P<q>[1-4])(?:季度?)?(?:(?![0-9a-z_])|(?=r&d|hr))", _quarter),
        rule(
            rf"{_BEFORE}(?<![周期拜])第?{S}(?P<q>[1-4一二三四首末]){S}"
            r"(?:个?季度|(?<=第[1-4一二三四])季(?!节))",
            _quarter,
        ),
        rule(r"(?P<q>[1-4一二三四])季", _quarter, searched=False),
        rule(
            r"(?:上上一?个?|上一?个?|这一?个?|本|当|(?<!一)下下一?个?|(?<!一)下一?个?)季(?!节)度?",
            lambda m, a: _away(a, month_offset(m[0])),
        ),
    ),
)
_QUARTERS_EN: Rules[Anchor, Period] = Rules(
    rf"{LEFT}[0-9a-z]",
    (
        rule(rf"q\s?(?P<q>[1-4]){_WHOSE}", _quarter),
        rule(rf"(?P<q>[1-4])q(?:,|-|')?\s?(?P<y>20\d\d){RIGHT}", _quarter),
        rule(rf"(?P<y>20\d\d)[ -/]?(?P<q>[1-4])q{RIGHT}", _quarter),
        rule(rf"{_OF_YEAR}(?:'?s)?{_G}q\s?(?P<q>[1-4]){RIGHT}", _quarter),
        rule(rf"{_OF_YEAR}(?:'?s)?{_G}(?P<q>{_ORDINAL}){_G}quarter{RIGHT}", _quarter),
        rule(rf"(?:the{_G})?(?P<q>{_ORDINAL})[ -]{{1,2}}quarter{_WHOSE}", _quarter),
        rule(rf"quarter{_G}(?P<q>[1-4]|one|two|three|four){_WHOSE}", _quarter),
        rule(rf"{_RELATIVE}{_G}quarter{RIGHT}", lambda m, a: _away(a, _OFFSETS.get(m["w"], 0))),
        rule(rf"(?:the{_G})?quarter{_G}before{_G}last{RIGHT}", lambda m, a: _away(a, -2)),
    ),
)
QUARTERS: Grammar[Anchor, Period] = Grammar(_QUARTERS_ZH, _QUARTERS_EN)


def parse_month(text: str, today: date) -> str | None:
    """``YYYY-MM``; a month without its year is the latest one that is not still to come."""
    found = MONTHS.read(text, Anchor(today))
    return f"{found[0]:04}-{found[1]:02}" if found else None


def parse_quarter(text: str, today: date) -> str | None:
    """``YYYY-Qn``; a quarter without its year is this year's."""
    found = QUARTERS.read(text, Anchor(today))
    return f"{found[0]:04}-Q{found[1]}" if found else None


def find_months(text: str, today: date) -> list[Span]:
    """The months that a message names; the month of 3月15号 or "March 3rd" is not one of them."""
    return MONTHS.spans(text, Anchor(today))


def find_quarters(text: str, today: date) -> list[Span]:
    """The quarters that a message names."""
    return QUARTERS.spans(text, Anchor(today))
