"""Days as seen from today."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta

_DIGITS = "〇一二三四五六七八九"
_OLDEST, _FARTHEST = -183, 300
"""Days from today within which a day named without its year is taken to lie: half a year back,
ten months ahead. In January 12月20号 is last month's; in November 3月1号 is next year's."""


def shift(year: int, month: int, by: int) -> tuple[int, int]:
    """The month ``by`` months later."""
    count = year * 12 + month - 1 + by
    return count // 12, count % 12 + 1


def month_end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


@dataclass(frozen=True, slots=True)
class Anchor:
    """Today, and whether a day that is named without its week, month or year lies behind it.

    All methods raise ``ValueError`` or ``OverflowError`` for a day that does not exist.
    """

    today: date
    past: bool = False

    def days(self, count: int) -> date:
        return self.today + timedelta(days=count)

    def months(self, count: int) -> date:
        """The same day of another month, or that month's last."""
        year, month = shift(self.today.year, self.today.month, count)
        return date(year, month, min(self.today.day, monthrange(year, month)[1]))

    def in_week(self, offset: int, weekday: int) -> date:
        """A weekday (Monday is 0) of the calendar week ``offset`` weeks from this one."""
        return self.days(offset * 7 + weekday - self.today.weekday())

    def weekday(self, weekday: int) -> date:
        """The coming one, or with ``past`` the latest one, today included."""
        ahead = (weekday - self.today.weekday()) % 7
        return self.days(ahead - 7 if self.past and ahead else ahead)

    def month(self, offset: int) -> tuple[int, int]:
        return shift(self.today.year, self.today.month, offset)

    def in_month(self, offset: int, day: int) -> date:
        return date(*self.month(offset), day)

    def day(self, day: int) -> date:
        """The coming day of that number, or with ``past`` the latest one, today included."""
        for offset in range(0, -4, -1) if self.past else range(4):
            year, month = self.month(offset)
            if 1 <= day <= monthrange(year, month)[1]:
                found = date(year, month, day)
                if found <= self.today if self.past else found >= self.today:
                    return found
        raise ValueError(day)

    def yearless(self, month: int, day: int) -> date:
        """The day in the year that brings it near; with ``past`` the latest one."""
        oldest, farthest = (-366, 0) if self.past else (_OLDEST, _FARTHEST)
        for offset in (0, 1, -1):
            year = self.today.year + offset
            if (month, day) == (2, 29) and monthrange(year, 2)[1] == 28:
                continue
            found = date(year, month, day)
            if oldest <= (found - self.today).days <= farthest:
                return found
        raise ValueError((month, day))

    def year(self, written: str) -> int:
        """2025, 25, or a word such as 去年."""
        words = {"前年": -2, "去年": -1, "今年": 0, "本年": 0, "明年": 1, "后年": 2}
        words |= {"last year": -1, "this year": 0, "next year": 1}
        if written in words:
            return self.today.year + words[written]
        number = int(
            "".join(str(_DIGITS.find(c)) if c > "9" else c for c in written.replace("零", "〇"))
        )
        return number + 2000 if number < 100 else number
