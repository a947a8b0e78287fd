"""Days as people say and write them -> ``date``."""

from __future__ import annotations

import re
from datetime import date

from dazi.router.normalise import dates_en, dates_zh
from dazi.router.normalise.anchor import Anchor
from dazi.router.normalise.grammar import LEFT, Grammar, Rule, Rules, rule
from dazi.router.normalise.text import Span, variants

_END = r"(?![0-9a-z_%@]|[./:-]\d|-[a-z])"
_NOT_AMOUNT = (
    r"(?!\s?[元块万千百折分星度米斤寸版亿%个公天周月年小倍克]"
    r"|\s?(?:yuan|rmb|cny|usd|k|kg|km|stars?|points?)(?![a-z]))"
)
_NO_MONEY = r"(?<![¥$€£]\s)(?<!rmb\s)(?<!usd\s)(?<!cny\s)"
_DATE_TIME = r"(?=t?\s?\d{1,2}(?::\d\d|[点时]))"
"""What may follow a full date directly: a time of day."""


def _full(m: re.Match[str], a: Anchor) -> date:
    return date(int(m["y"]), int(m["m"]), int(m["d"]))


def _american(m: re.Match[str], a: Anchor) -> date:
    first, second, year = int(m["m"]), int(m["d"]), int(m["y"])
    return date(year, second, first) if first > 12 else date(year, first, second)


def _yearless(m: re.Match[str], a: Anchor) -> date:
    return a.yearless(int(m["m"]), int(m["d"]))


_NUMERIC: tuple[Rule[Anchor, date], ...] = (
    rule(r"(?:right )?now|现在|这会儿|此刻|眼下", lambda m, a: a.today, searched=False),
    rule(rf"(?P<y>(?:19|20)\d\d)-(?P<m>\d\d)-(?P<d>\d\d)(?:{_END}|{_DATE_TIME})", _full),
    rule(
        rf"(?P<y>(?:19|20)\d\d)\s?[-/.]\s?(?P<m>\d{{1,2}})\s?[-/.]\s?(?P<d>\d{{1,2}}){_END}",
        _full,
    ),
    rule(rf"(?P<m>\d{{1,2}})/(?P<d>\d{{1,2}})/(?P<y>20\d\d){_END}", _american),
    rule(r"(?P<m>\d{1,2})/(?P<d>\d{1,2})(?:[号日]|(?![0-9a-z_%@]|[./:]\d))", _yearless),
    rule(
        rf"{_NO_MONEY}(?P<m>\d{{1,2}})\.(?P<d>\d{{1,2}})"
        rf"(?:[号日]|(?![0-9a-z_%@]|[./:]\d|,\d{{3}}(?!\d)){_NOT_AMOUNT})",
        _yearless,
    ),
    rule(rf"(?P<m>0[1-9]|1[0-2])-(?P<d>(?<=0\d-)[0-3]\d|0[1-9]){_END}", _yearless),
    rule(rf"(?<![a-z]\s)(?P<y>20[123]\d)(?P<m>[01]\d)(?P<d>[0-3]\d){_END}", _full),
)
_VERB_DOWN = re.compile(
    r"[查看问列订约搜算翻瞄改排定](?=下(?:周|星期|礼拜|月)[一二三四五六日天末初底])"
)


def _is_day(text: str, start: int, end: int) -> bool:
    """Will the sun be out: no day."""
    return text[start:end] != "sun" or text[max(0, start - 4) : start] != "the "


GRAMMAR: Grammar[Anchor, date] = Grammar(
    Rules(rf"{LEFT}[0-9]", _NUMERIC),
    dates_zh.NUMBERED,
    dates_zh.WORDS,
    dates_en.RULES,
    guard=_is_day,
)
_PART = re.compile(
    r"的?\s?(?:(?<=[早晚])上|一?大?清?早上?|早晨|凌晨|清晨|上午|中午|午间|午后|下午|傍晚|晚间|夜里|夜间"
    r"|(?<![今明昨后])晚上?|[( ]?周[一二三四五六日天]\)?"
    r"|\s(?:in the )?(?:morning|noon|afternoon|evening|night))$"
)
_WEEKDAY_FIRST = re.compile(rf"{dates_en.WEEKDAY}\.?,?\s|周[一二三四五六日天]\s?,?\s?")


def parse_date(text: str, today: date, *, past: bool = False) -> date | None:
    """The day that ``text`` names, or ``None``.

    Weeks run from Monday to Sunday: 下周三 and "next Wednesday" lie in the next calendar week. A
    bare weekday or day of the month is the coming one, today included. A day without its year is
    within half a year back and ten months ahead. A week, month or year alone is its first day.
    With ``past`` (as for "orders since ..."), bare days are the latest ones instead.
    """
    anchor = Anchor(today, past)
    for said in variants(text):
        for words in (said, _PART.sub("", said)):
            found = GRAMMAR.exact(words, anchor)
            if found is None and (first := _WEEKDAY_FIRST.match(words)):
                found = GRAMMAR.exact(words[first.end() :], anchor)
            if found is not None:
                return found
    return None


def find_dates(text: str, today: date, *, past: bool = False) -> list[Span]:
    """The days that a message names, as it names them, without the part of the day.

    查下周三 may mean 下周三 or, with 查下 as the verb, 周三: both are given, the longer first.
    """
    spans: list[Span] = []
    for span in GRAMMAR.spans(text, Anchor(today, past)):
        spans.append(span)
        if _VERB_DOWN.match(text, max(0, span.start - 1)) and span.start:
            spans.append(Span(span.start + 1, span.end, span.text[1:]))
    return spans
