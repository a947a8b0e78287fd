"""A time of day as said, before its half of the day is settled."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_NIGHT = re.compile("凌晨|半夜|午夜|^a$")
_NOON = re.compile("中午|正午|午间")
_AFTERNOON = re.compile("午后|下午|傍晚|afternoon|^p$")
_EVENING = re.compile("晚|夜|night|evening")


@dataclass(frozen=True, slots=True)
class Clock:
    """``free``: nothing says which half of the day the hour (1 to 12) belongs to."""

    hour: int
    minute: int = 0
    free: bool = False

    def __post_init__(self) -> None:
        last = 0 if self.hour == 24 else 59
        if not (0 <= self.hour <= 24 and 0 <= self.minute <= last):
            raise ValueError(self)

    def minutes(self, hour: int) -> int:
        return hour % 24 * 60 + self.minute

    def less(self, minutes: int) -> Clock:
        """So many minutes earlier: a quarter to ten."""
        if not 0 < minutes < 60:
            raise ValueError(minutes)
        hour = 12 if self.free and self.hour == 1 else (self.hour - 1) % 24
        return replace(self, hour=hour, minute=60 - minutes)


def clock(part: str | None, hour: int, minute: int = 0, *, padded: bool = False) -> Clock:
    """An hour as said with a part of the day (or ``a``, ``p``): 下午 and 2 -> 14, 晚上 and 12 -> 0.

    ``padded``: written with a leading zero, so on the clock of 24 hours.
    """
    if not part:
        return Clock(hour, minute, free=1 <= hour <= 12 and not padded)
    if 1 <= hour <= 12:
        if _NIGHT.search(part):
            hour = hour + 12 if part == "半夜" and 9 < hour < 12 else hour % 12
        elif _NOON.search(part):
            hour = hour + 12 if hour < 5 else hour
        elif _AFTERNOON.search(part):
            hour = hour % 12 + 12
        elif _EVENING.search(part):
            hour = hour + 12 if 5 <= hour <= 11 else hour % 12
    return Clock(hour, minute)


def settle(said: Clock, after: int | None = None, before: int | None = None) -> int:
    """Minutes since midnight.

    A free hour is the first reading later than ``after``, or the last one earlier than ``before``
    (minutes too); else office hours decide: 1 to 7 are afternoon, 8 to 12 morning and noon.
    """
    if not said.free:
        return said.minutes(said.hour)
    early, late = said.minutes(said.hour % 12), said.minutes(said.hour % 12 + 12)
    if after is not None and late > after:
        return early if early > after else late
    if before is not None and early < before:
        return late if late < before else early
    return late if said.hour < 8 or said.hour == 12 else early
