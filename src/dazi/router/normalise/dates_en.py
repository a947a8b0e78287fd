"""How days are said in English, and the usual slips of the keyboard."""

from __future__ import annotations

import re
from datetime import date

from dazi.router.normalise.anchor import Anchor, month_end
from dazi.router.normalise.grammar import LEFT, RIGHT, Rules, rule
from dazi.router.normalise.numerals import ORDINALS, whole

MONTH = (
    r"(?:jan(?:uary)?|feb(?:r?u?ary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)(?![a-z])"
)
WEEKDAY = (
    r"(?:mon(?:day)?|tue(?:s|sday|saday)?|wed(?:s|nes?day|nessday|nsday)?|wendsday|wensday"
    r"|thu(?:r|rs|rsday|sday)?|thrusday|thrsday|fri(?:day|dy)?|firday|sat(?:urday|erday)?"
    r"|sun(?:day)?)(?![a-z])"
)
COUNT = (
    r"(?:\d{1,3}|an?|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve"
    r"|(?:a )?couple(?: of)?)"
)
_TOMORROW = r"(?:tom{1,2}or{1,3}ow|tomm?or{1,2}w|tomm?oro|tmr(?:w|o|ow)?|tmw|2mor{1,2}ow?|2mrw)"
_YESTERDAY = r"(?:yest?[ea]r?day|yday)"
_UNIT = r"(?P<u>day|week|month|year)s?"
_G = r"\s{1,2}"
_BEGIN = rf"(?:the{_G})?"
_THINGS = "time|party|item|product|region|place|batch|row|line|person|order|refund"
_NOT_COUNTED = rf"(?!\s?(?:{_THINGS}|people)s?(?![a-z]))"
_NOT_A_DAY = rf"(?!\s?(?:{_THINGS}|quarter|floor|one|week|month|year|name|email|room)s?(?![a-z]))"
_NOT_CLOCK = r"(?!\d|:\d|\s?[ap]\.?m(?![a-z])|%|,\d{3})"
_YEAR = r"(?P<y>20\d\d)(?!\d|:\d)"
_SUFFIX = r"(?:st|nd|rd|th)"
_ORDINAL = "|".join(ORDINALS)

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = {"mo": 0, "tu": 1, "we": 2, "th": 3, "fr": 4, "fi": 4, "sa": 5, "su": 6}
_WEEKS = {"next": 1, "last": -1, "past": -1, "previous": -1}
"""Any other word (this, current) means this week or month."""


def month_number(name: str) -> int:
    return _MONTHS.index(name[:3]) + 1


def _weekday(name: str) -> int:
    return _WEEKDAYS[name[:2]]


def _day(text: str) -> int:
    return ORDINALS.get(text) or int(text)


def _count(text: str) -> int:
    return 2 if "couple" in text else 1 if text in ("a", "an") else whole(text)


def _named(m: re.Match[str], a: Anchor) -> date:
    month, day = month_number(m["m"]), _day(m["d"])
    return date(int(m["y"]), month, day) if m["y"] else a.yearless(month, day)


def _on_weekday(m: re.Match[str], a: Anchor) -> date:
    weekday, which = _weekday(m["d"]), m["w2"] or m["w"]
    if which is None or "coming" in which:
        return a.weekday(weekday)
    return a.in_week(_WEEKS.get(which, 0), weekday)


def _away(number: str, unit: str, sign: int, a: Anchor) -> date:
    count = _count(number) * sign
    if unit in ("day", "week"):
        return a.days(count * (7 if unit == "week" else 1))
    return a.months(count * (12 if unit == "year" else 1))


def _from(m: re.Match[str], a: Anchor) -> date:
    base = m["base"]
    start = a.weekday(_weekday(base)) if base[:2] in _WEEKDAYS else a.days(int(base != "today"))
    return _away(m["n"], m["u"], 1, Anchor(start))


def _edge(m: re.Match[str], a: Anchor) -> date:
    last, offset = m["e"].startswith(("end", "last")), _WEEKS.get(m["w"] or "", 0)
    if m["u"] == "week":
        return a.in_week(offset, 4 if last else 0)
    if m["u"] == "year":
        return date(a.today.year + offset, *((12, 31) if last else (1, 1)))
    year, month = a.month(offset)
    return month_end(year, month) if last else date(year, month, 1)


def _named_edge(m: re.Match[str], a: Anchor) -> date:
    month = month_number(m["m"])
    year = int(m["y"]) if m["y"] else a.yearless(month, 1).year
    return month_end(year, month) if m["e"].startswith("end") else date(year, month, 1)


def _period(m: re.Match[str], a: Anchor) -> date:
    offset = _WEEKS.get(m["w"], 0)
    if m["u"] == "year":
        return date(a.today.year + offset, 1, 1)
    return a.in_week(offset, 0) if m["u"] == "week" else a.in_month(offset, 1)


RULES: Rules[Anchor, date] = Rules(
    rf"{LEFT}[0-9a-z]",
    (
        rule(rf"{_BEGIN}day{_G}after{_G}{_TOMORROW}{RIGHT}", lambda m, a: a.days(2)),
        rule(rf"{_BEGIN}day{_G}before{_G}{_YESTERDAY}{RIGHT}", lambda m, a: a.days(-2)),
        rule(rf"{_TOMORROW}s?{RIGHT}", lambda m, a: a.days(1)),
        rule(
            rf"(?:to-?day|2day|ton(?:ight|ite)|this{_G}(?:morning|afternoon|evening)){RIGHT}",
            lambda m, a: a.today,
        ),
        rule(rf"(?:{_YESTERDAY}|last{_G}night){RIGHT}", lambda m, a: a.days(-1)),
        rule(
            rf"(?:(?P<w>(?:(?:this|the){_G})?(?:up)?coming|this|next|last|past|previous){_G})?"
            rf"(?P<d>{WEEKDAY}){RIGHT}(?:{_G}(?:of{_G})?(?P<w2>this|next|last){_G}week{RIGHT})?",
            _on_weekday,
        ),
        rule(
            rf"(?P<w2>this|next|last){_G}week(?:'s)?{_G}(?:on{_G})?(?P<w>)(?P<d>{WEEKDAY}){RIGHT}",
            _on_weekday,
        ),
        rule(
            rf"(?P<w>this|current|next|last|previous|past){_G}(?P<u>week|month|year){RIGHT}"
            rf"(?!'?s?{_G}(?:{MONTH}|q[1-4]|"
            rf"(?:first|second|third|fourth|1st|2nd|3rd|4th){_G}quarter))",
            _period,
        ),
        rule(rf"{_BEGIN}week{_G}after{_G}next{RIGHT}", lambda m, a: a.in_week(2, 0)),
        rule(
            rf"(?:(?P<w>this|the|next|last){_G})?week-?end{RIGHT}",
            lambda m, a: (
                a.in_week(_WEEKS.get(m["w"], 0), 5) if m["w"] not in (None, "the") else a.weekday(5)
            ),
        ),
        rule(
            rf"(?P<m>{MONTH})\.?\s{{0,2}}(?:the{_G})?"
            rf"(?P<d>\d{{1,2}}|(?:{_ORDINAL})){_SUFFIX}?{_NOT_CLOCK}{RIGHT}"
            rf"{_NOT_COUNTED}(?:(?:,\s?|{_G}){_YEAR})?",
            _named,
        ),
        rule(
            rf"{_BEGIN}(?<!\d:)(?P<d>\d{{1,2}}|(?:{_ORDINAL})){_SUFFIX}?(?:{_G}of)?[ -]{{0,2}}"
            rf"(?P<m>{MONTH})"
            rf"(?!\s(?:i|we|you|he|she|it|they|be|not|have)\s)(?:\.?[,-]?\s?{_YEAR})?",
            _named,
        ),
        rule(
            rf"{_BEGIN}(?P<d>\d{{1,2}}){_SUFFIX}{RIGHT}{_NOT_A_DAY}"
            rf"(?:{_G}of{_G}(?P<w>this|next|last){_G}month{RIGHT})?",
            lambda m, a: (
                a.in_month(_WEEKS.get(m["w"], 0), int(m["d"])) if m["w"] else a.day(int(m["d"]))
            ),
        ),
        rule(
            rf"in{_G}(?P<n>{COUNT}){_G}{_UNIT}{RIGHT}",
            lambda m, a: _away(m["n"], m["u"], 1, a),
        ),
        rule(
            rf"(?P<n>{COUNT}){_G}{_UNIT}{_G}(?:from{_G}now|later|hence){RIGHT}",
            lambda m, a: _away(m["n"], m["u"], 1, a),
        ),
        rule(
            rf"(?P<n>{COUNT}){_G}{_UNIT}{_G}(?:ago|back|earlier){RIGHT}",
            lambda m, a: _away(m["n"], m["u"], -1, a),
        ),
        rule(
            rf"(?P<n>{COUNT}){_G}{_UNIT}{_G}(?:from|after){_G}(?:this{_G}|next{_G})?"
            rf"(?P<base>today|{_TOMORROW}|{WEEKDAY}){RIGHT}",
            _from,
        ),
        rule(
            rf"(?:the{_G})?(?:last|past|previous){_G}(?P<n>{COUNT}){_G}{_UNIT}{RIGHT}",
            lambda m, a: _away(m["n"], m["u"], -1, a),
        ),
        rule(
            rf"{_BEGIN}(?P<e>start|beginning|end|first|last{_G}day){_G}of{_G}"
            rf"(?:the{_G}|(?P<w>this|next|last){_G})?"
            rf"(?P<u>week|month|year){RIGHT}",
            _edge,
        ),
        rule(
            rf"(?P<e>start|beginning|end){_G}of{_G}(?P<m>{MONTH})(?:{_G}{_YEAR})?",
            _named_edge,
        ),
        rule(
            rf"(?:(?P<w>)(?P<u>month|year)[ -](?P<e>end)|eom){RIGHT}",
            lambda m, a: _edge(m, a) if m["u"] else month_end(*a.month(0)),
        ),
    ),
)
