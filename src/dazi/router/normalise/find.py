"""The places of a message that say a value, so that a model can be held to copying one of them."""

from __future__ import annotations

from datetime import date
from typing import assert_never

from dazi.core.tools import Format
from dazi.router.normalise.dates import find_dates
from dazi.router.normalise.durations import find_durations
from dazi.router.normalise.emails import find_emails
from dazi.router.normalise.numbers import NumberSpan, find_numbers
from dazi.router.normalise.periods import find_months, find_quarters
from dazi.router.normalise.sinks import find_accounts, find_money, find_urls
from dazi.router.normalise.text import Span
from dazi.router.normalise.times import find_times

__all__ = [
    "NumberSpan",
    "Span",
    "find_dates",
    "find_durations",
    "find_emails",
    "find_months",
    "find_numbers",
    "find_quarters",
    "find_times",
    "find_values",
]


def find_values(format: Format, text: str, today: date) -> list[Span]:
    """The places of ``text`` that ``fields.normalise`` can read as ``format``, in their order."""
    match format:
        case "date":
            return find_dates(text, today)
        case "time":
            return find_times(text)
        case "month":
            return find_months(text, today)
        case "quarter":
            return find_quarters(text, today)
        case "email":
            return find_emails(text)
        case "money":
            return find_money(text)
        case "url":
            return find_urls(text)
        case "account":
            return find_accounts(text)
        case _:
            assert_never(format)
