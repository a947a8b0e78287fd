"""What people say for dates, times, periods, numbers and addresses, made canonical.

All functions are pure: they look at their arguments only.
"""

from dazi.router.normalise.dates import parse_date
from dazi.router.normalise.durations import parse_duration
from dazi.router.normalise.emails import parse_email
from dazi.router.normalise.fields import expected, normalise
from dazi.router.normalise.find import (
    NumberSpan,
    Span,
    find_dates,
    find_durations,
    find_emails,
    find_months,
    find_numbers,
    find_quarters,
    find_times,
    find_values,
)
from dazi.router.normalise.numbers import parse_number
from dazi.router.normalise.periods import parse_month, parse_quarter
from dazi.router.normalise.times import parse_range, parse_time

__all__ = [
    "NumberSpan",
    "Span",
    "expected",
    "find_dates",
    "find_durations",
    "find_emails",
    "find_months",
    "find_numbers",
    "find_quarters",
    "find_times",
    "find_values",
    "normalise",
    "parse_date",
    "parse_duration",
    "parse_email",
    "parse_month",
    "parse_number",
    "parse_quarter",
    "parse_range",
    "parse_time",
]
