"""The formats of a tool's parameters: what is accepted, and what it becomes."""

from __future__ import annotations

import re
from datetime import date
from typing import assert_never

from dazi.core.language import Text
from dazi.core.tools import Format
from dazi.router.normalise.dates import find_dates, parse_date
from dazi.router.normalise.emails import parse_email
from dazi.router.normalise.numbers import number_text
from dazi.router.normalise.periods import parse_month, parse_quarter
from dazi.router.normalise.sinks import parse_account, parse_money, parse_url
from dazi.router.normalise.text import MAX_VALUE, Span, fold
from dazi.router.normalise.times import find_times, parse_time

_BETWEEN = re.compile(
    r"(?:[\stz,、的在]|at|on|from|by|凌晨|早上|上午|中午|下午|傍晚|晚上|in the (?:morning|afternoon|evening))*"
)

_EXPECTED: dict[Format, Text] = {
    "date": Text(
        "一个日期,例如 2025-04-09、4月9日、9号、明天、下周三、三天后",
        'a date, such as 2025-04-09, April 9, the 9th, tomorrow, next Wednesday, "in 3 days"',
    ),
    "time": Text(
        "一个时刻,例如 14:00、下午两点、9点半、上午10点15",
        'a time of day, such as 14:00, 2pm, 9:30 am, noon, "half past nine"',
    ),
    "month": Text(
        "一个月份,例如 2025-03、3月、去年12月、上个月、本月",
        "a month, such as 2025-03, March, March 2025, last month, this month",
    ),
    "quarter": Text(
        "一个季度,例如 2025-Q1、Q1、一季度、去年四季度、上个季度",
        "a quarter, such as 2025-Q1, Q1, first quarter, Q4 2024, last quarter",
    ),
    "email": Text(
        "一个完整的邮箱地址,例如 wang.lei@example.com",
        "a full e-mail address, such as wang.lei@example.com",
    ),
    "money": Text(
        "一个金额,最多两位小数,例如 299、299.50、两百块、1.2万",
        "an amount with at most two decimals, such as 299, 299.50, 12k",
    ),
    "url": Text(
        "一个完整的网址,例如 https://example.com/path",
        "a full web address, such as https://example.com/path",
    ),
    "account": Text(
        "一个完整的账号,例如 6222 0212 3456 7890",
        "a full account number, such as 6222 0212 3456 7890",
    ),
}


def normalise(
    format: Format,
    text: str,
    today: date,
    *,
    not_before: str | None = None,
    not_after: str | None = None,
    past: bool = False,
) -> str | None:
    """The canonical value of what was said: ``2025-04-09``, ``14:00``, ``2025-03``, ``2025-Q1``.

    ``None`` when it cannot be read; ``expected`` then says what can. ``not_before`` and
    ``not_after`` belong to times (see ``parse_time``), ``past`` to dates (see ``parse_date``).
    """
    match format:
        case "date":
            day = parse_date(text, today, past=past) or _only_date(text, today, past)
            return day.isoformat() if day else None
        case "time":
            time = parse_time(text, not_before=not_before, not_after=not_after)
            return time or _only_time(text, today, not_before, not_after)
        case "month":
            return parse_month(text, today)
        case "quarter":
            return parse_quarter(text, today)
        case "email":
            return parse_email(text)
        case "money":
            amount = parse_money(text)
            return None if amount is None else number_text(amount)
        case "url":
            return parse_url(text)
        case "account":
            return parse_account(text)
        case _:
            assert_never(format)


def expected(format: Format) -> Text:
    """What a value of this format may look like, in words for whoever must mend it."""
    return _EXPECTED[format]


def _only_date(text: str, today: date, past: bool) -> date | None:
    """The day of words that name a time of day beside it: "2025-04-09T14:00", 明天下午三点."""
    days = find_dates(text, today, past=past)
    if len(days) == 1 and _says_nothing_else(text, [*days, *find_times(text)]):
        return parse_date(days[0].text, today, past=past)
    return None


def _only_time(text: str, today: date, not_before: str | None, not_after: str | None) -> str | None:
    """The time of words that name its day beside it."""
    times = find_times(text)
    if len(times) == 1 and _says_nothing_else(text, [*times, *find_dates(text, today)]):
        return parse_time(times[0].text, not_before=not_before, not_after=not_after)
    return None


def _says_nothing_else(text: str, spans: list[Span]) -> bool:
    if len(text) > MAX_VALUE:
        return False
    letters = list(fold(text))
    for span in spans:
        letters[span.start : span.end] = " " * (span.end - span.start)
    return _BETWEEN.fullmatch("".join(letters)) is not None
