"""Months and quarters as people say and write them -> ``YYYY-MM``, ``YYYY-Qn``."""

from __future__ import annotations

import re
from datetime import date

from dazi.router.normalise.anchor import Anchor
from dazi.router.normalise.dates_en import COUNT, MONTH, month_number
from dazi.router.normalise.dates_zh import MONTH_WORD, month_offset
from dazi.router.normalise.grammar import LEFT, RIGHT, Grammar, S, rule
from dazi.router.normalise.numerals import ORDINALS, whole
from dazi.router.normalise.text import Span

_G = r"\s{1,2}"
_YEAR = r"(?:20\d\d|'\d\d)"
_YEAR_ZH = (
    r"(?P<y>(?:(?:20)?\d\d|[一二][〇零一二三四五六七八九]{3})\s?年|[前去今明后本]年|20\d\d[-/. ]?)"
)
_ALONE = r"(?<![0-9a-z零〇一二两三四五六七八九十百几#$¥€£/])(?<![a-z0-9]-)(?<!\d\.)"
_N = r"(?P<m>\d{1,2}|十[一二]?|[一二三四五六七八九])"
_NOT_A_DAY = (
    rf"(?!{S}(?:\d{{1,2}}|[一二三四五六七八九十]{{1,3}}){S}[号日]|[初底末]|饼|球|光|薪|经|亮|租)"
)
_RELATIVE_YEAR = r"(?P<w>last|this|next|previous)"
_OFFSETS = {"last": -1, "previous": -1, "past": -1, "next": 1}

Period = tuple[int, int]


def _year(said: str, a: Anchor) -> int:
    said = said.strip(" -/.'")
    return a.year(said if said[0] in "前去今明后本" else said.removesuffix("年").strip())


def _period(year: int, number: int, most: int) -> Period:
    if not (1 <= number <= most and 1900 <= year <= 2999):
        raise ValueError((year, number))
    return year, number


def _month(m: re.Match[str], a: Anchor) -> Period:
    """A written or relative year, or the latest such month that is not still to come."""
    groups = m.groupdict()
    named = groups["m"]
    month = month_number(named) if named[0].isalpha() and named.isascii() else whole(named)
    if groups.get("y"):
        return _period(_year(groups["y"], a), month, 12)
    if groups.get("w"):
        return _period(a.today.year + _OFFSETS.get(groups["w"], 0), month, 12)
    return _period(a.today.year - (month > a.today.month), month, 12)


def _which_month(m: re.Match[str], a: Anchor) -> Period:
    month, year, now = month_number(m["m"]), a.today.year, a.today.month
    if m["which"] == "this":
        return year, month
    if m["which"] == "next":
        return year + (month <= now), month
    return year - (month >= now), month


def _quarter(m: re.Match[str], a: Anchor) -> Period:
    groups = m.groupdict()
    said = groups["q"]
    number = ORDINALS.get(said) or (
        4
        if said in ("final", "末")
        else 1
        if said == "首"
        else whole(said[0] if said[0].isdigit() else said)
    )
    year = a.today.year
    if groups.get("y"):
        year = _year(groups["y"], a)
    elif groups.get("w"):
        year += _OFFSETS.get(groups["w"], 0)
    return _period(year, number, 4)


def _away(a: Anchor, quarters: int) -> Period:
    count = a.today.year * 4 + (a.today.month - 1) // 3 + quarters
    return count // 4, count % 4 + 1


_NOT_MAY = re.compile(
    r"\s(?:i|we|you|he|she|they|it|be|not|have|also|need|want|sound|seem|take|the|my|or may)(?![a-z])"
)
_WHO_MAY = re.compile(r"(?<![a-z])(?:i|we|you|it|he|she|they|that|there|who)\s$")


def _is_month(text: str, start: int, end: int) -> bool:
    """May I ask: no month."""
    if text[end - 3 : end] != "may":
        return True
    return not (_NOT_MAY.match(text, end) or _WHO_MAY.search(text[max(0, start - 6) : start]))


_GLUED = r"(?<=hr)|(?<=r&d)|(?<=q[1-4]/)"
"""Departments stand right before a quarter: HRQ3."""
_AFTER_DEPT = rf"(?:{_ALONE}|{_GLUED})"
_FIRST = (
    rf"(?:(?:{LEFT}|{_GLUED})[0-9a-z]|[0-9一二三四五六七八九十上这本当下前去今明后第首末])"
)

MONTHS: Grammar[Anchor, Period] = Grammar(
    (
        rule(
            rf"{_ALONE}(?:{_YEAR_ZH}的?)?{S}(?<![一二三四五六七八九])(?<!\d){_N}{S}月(?!{S}\d{{1,2}}{S}[号日])份?{_NOT_A_DAY}",
            _month,
        ),
        rule(rf"{MONTH_WORD}份?{_NOT_A_DAY}", lambda m, a: a.month(month_offset(m[0]))),
        rule(
            rf"{LEFT}(?P<y>(?:19|20)\d\d)\s?[-/.]\s?(?P<m>\d{{1,2}})(?![0-9a-z_%]|[-/.:]\d)", _month
        ),
        rule(
            rf"{LEFT}(?<![a-z]\s)(?P<y>20[0-3]\d)(?P<m>0[1-9]|1[0-2])(?![0-9a-z_%元块]|[-/.:,]\d)",
            _month,
        ),
        rule(rf"{LEFT}(?P<m>\d{{1,2}})/(?P<y>20\d\d)(?![0-9a-z_/])", _month),
        rule(
            rf"{LEFT}(?P<m>{MONTH})(?:\.?(?:,|-|{_G}of)?\s{{0,2}}(?P<y>{_YEAR})(?!\d|[:/]))?{RIGHT}",
            _month,
        ),
        rule(rf"{LEFT}(?P<y>20\d\d)[ -](?P<m>{MONTH})", _month),
        rule(rf"{LEFT}(?P<m>{MONTH})\.?{_G}(?:of{_G})?{_RELATIVE_YEAR}{_G}year", _month),
        rule(rf"{LEFT}{_RELATIVE_YEAR}{_G}year(?:'?s)?{_G}(?P<m>{MONTH})", _month),
        rule(rf"{LEFT}(?P<which>last|this|next|past|previous){_G}(?P<m>{MONTH})", _which_month),
        rule(
            rf"{LEFT}(?P<w>last|this|next|past|previous|current){_G}month{RIGHT}",
            lambda m, a: a.month(_OFFSETS.get(m["w"], 0)),
        ),
        rule(rf"{LEFT}(?:the{_G})?month{_G}before{_G}last{RIGHT}", lambda m, a: a.month(-2)),
        rule(
            rf"{LEFT}(?P<n>{COUNT}){_G}months?{_G}ago{RIGHT}",
            lambda m, a: a.month(
                -(2 if "couple" in m["n"] else 1 if m["n"] in ("a", "an") else whole(m["n"]))
            ),
        ),
        rule(
            rf"{_ALONE}(?P<n>\d{{1,2}}|[一二两三四五六七八九十]{{1,2}}){S}个月[之以]?前",
            lambda m, a: a.month(-whole(m["n"])),
        ),
    ),
    _FIRST,
    _is_month,
)
_Q = r"(?P<q>[1-4])"
_Q_ZH = r"(?P<q>[1-4一二三四首末])"
_Q_WORD = r"(?P<q>first|second|third|fourth|final|1st|2nd|3rd|4th)"
_Q_YEAR = rf"(?:(?:,|-|')?\s{{0,2}}(?:of{_G}|in{_G})?(?P<y>(?:20)\d\d)(?!\d|[:/.]\d))"
_Q_RELATIVE = rf"(?:{_G}(?:of{_G})?(?:the{_G})?{_RELATIVE_YEAR}{_G}year)"

QUARTERS: Grammar[Anchor, Period] = Grammar(
    (
        rule(
            rf"{_AFTER_DEPT}(?:{_YEAR_ZH}的?)?{S}q{S}{_Q}(?:季度?)?(?:(?![0-9a-z_])|(?=r&d|hr))",
            _quarter,
        ),
        rule(
            rf"{_AFTER_DEPT}(?:{_YEAR_ZH}的?)?{S}(?<![周期拜])第?{S}{_Q_ZH}{S}"
            r"(?:个?季度|(?<=第[1-4一二三四])季(?!节))",
            _quarter,
        ),
        rule(_Q_ZH + "季", _quarter, searched=False),
        rule(rf"{LEFT}q\s?{_Q}(?:{_Q_YEAR}|{_Q_RELATIVE})?{RIGHT}", _quarter),
        rule(rf"{LEFT}{_Q}q{_Q_YEAR}{RIGHT}", _quarter),
        rule(rf"{LEFT}(?P<y>20\d\d)[ -/]?{_Q}q{RIGHT}", _quarter),
        rule(
            rf"{LEFT}{_RELATIVE_YEAR}{_G}year(?:'?s)?{_G}(?:q\s?{_Q}|(?:the{_G})?(?P<word>first|second|third|fourth){_G}quarter){RIGHT}",
            lambda m, a: _relative(m, a),
        ),
        rule(
            rf"{LEFT}(?:the{_G})?{_Q_WORD}[ -]{{1,2}}quarter(?:{_Q_YEAR}|{_Q_RELATIVE})?{RIGHT}",
            _quarter,
        ),
        rule(
            rf"{LEFT}quarter{_G}(?P<q>[1-4]|one|two|three|four)(?:{_Q_YEAR}|{_Q_RELATIVE})?{RIGHT}",
            _quarter,
        ),
        rule(
            rf"{LEFT}(?P<w>last|this|next|past|previous|current){_G}quarter{RIGHT}",
            lambda m, a: _away(a, _OFFSETS.get(m["w"], 0)),
        ),
        rule(rf"{LEFT}(?:the{_G})?quarter{_G}before{_G}last{RIGHT}", lambda m, a: _away(a, -2)),
        rule(
            r"(?:上上一?个?|上一?个?|这一?个?|本|当|下下一?个?|(?<!一)下一?个?)季(?!节)度?",
            lambda m, a: _away(a, month_offset(m[0])),
        ),
    ),
    _FIRST,
)


def _relative(m: re.Match[str], a: Anchor) -> Period:
    number = ORDINALS[m["word"]] if m["word"] else int(m["q"])
    return a.today.year + _OFFSETS.get(m["w"], 0), number


def parse_month(text: str, today: date) -> str | None:
    """``YYYY-MM``; a month without its year is the latest one that is not still to come."""
    found = MONTHS.read(text, Anchor(today))
    return f"{found[0]:04}-{found[1]:02}" if found else None


def parse_quarter(text: str, today: date) -> str | None:
    """``YYYY-Qn``; a quarter without its year is this year's."""
    found = QUARTERS.read(text, Anchor(today))
    return f"{found[0]:04}-Q{found[1]}" if found else None


def find_months(text: str, today: date) -> list[Span]:
    """The months that a message names; the month of a full date is not one of them."""
    return MONTHS.spans(text, Anchor(today))


def find_quarters(text: str, today: date) -> list[Span]:
    """The quarters that a message names."""
    return QUARTERS.spans(text, Anchor(today))
