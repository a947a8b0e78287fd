"""Working time: weekly hours, holidays, and days off that are worked after all (调休)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

Span = tuple[float, float]
DAYS_AHEAD = 3_660
"""A limit that lies further ahead counts as never: of a calendar without hours, for instance."""


@dataclass(frozen=True)
class Calendar:
    """``hours``: for a weekday (Monday is 0) the spans that are worked, in minutes since
    midnight. ``workdays``: for a day off that is worked, whose hours it has (a weekday)."""

    zone: str = "Asia/Shanghai"
    hours: Mapping[int, tuple[tuple[int, int], ...]] = field(default_factory=dict)
    holidays: frozenset[date] = frozenset()
    workdays: Mapping[date, int] = field(default_factory=dict)

    def __hash__(self) -> int:
        return id(self)

    def worked(self, start: float, end: float) -> float:
        """Seconds of working time from ``start`` to ``end``, both seconds since the epoch."""
        total = 0.0
        for a, b in self._spans(start):
            if a >= end:
                break
            total += max(0.0, min(b, end) - max(a, start))
        return total

    def after(self, start: float, seconds: float) -> float | None:
        """When so many seconds of working time will have passed since ``start``; the end of the
        span where that is its very end. ``None``: never."""
        left = seconds
        for a, b in self._spans(start):
            here = b - max(a, start)
            if here <= 0:
                continue
            if left <= here:
                return max(a, start) + left
            left -= here
        return None

    def _spans(self, start: float) -> Iterator[Span]:
        """Spans in order from the day of ``start``."""
        day = datetime.fromtimestamp(start, ZoneInfo(self.zone)).date()
        for _ in range(DAYS_AHEAD):
            yield from _spans_of(self, day)
            day += timedelta(days=1)


@lru_cache(maxsize=4_096)
def _spans_of(calendar: Calendar, day: date) -> tuple[Span, ...]:
    weekday = calendar.workdays.get(day)
    if weekday is None:
        if day in calendar.holidays:
            return ()
        weekday = day.weekday()
    zone = ZoneInfo(calendar.zone)
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)

    def instant(minutes: int) -> float:
        return (midnight + timedelta(minutes=minutes)).timestamp()  # wall time, as clocks show it

    return tuple((instant(a), instant(b)) for a, b in calendar.hours.get(weekday, ()))
