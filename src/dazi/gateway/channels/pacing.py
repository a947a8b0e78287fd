"""Keeping a vendor's limits on messages: who would send too soon waits, and nothing is lost.

Counted in this process: where several serve one application, each gets its share of the numbers.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from dazi.gateway.channels.protocol import Limits

MINUTE_S, HOUR_S, DAY_S = 60.0, 3600.0, 86_400.0


@dataclass(slots=True)
class _Window:
    """At most ``most`` in ``seconds``, at any moment."""

    most: int
    seconds: float
    sent: deque[float] = field(default_factory=deque)

    def free_in(self, now: float) -> float:
        while self.sent and self.sent[0] <= now - self.seconds:
            self.sent.popleft()
        if not self.most or len(self.sent) < self.most:
            return 0.0
        return self.sent[0] + self.seconds - now


class Pacing:
    """``clock``: monotonic seconds."""

    def __init__(self, limits: Limits, clock: Callable[[], float] = time.monotonic) -> None:
        self._limits = limits
        self._clock = clock
        self._day = _Window(limits.per_day, DAY_S)
        self._people: dict[str, tuple[_Window, _Window]] = {}
        self._until = 0.0

    def take(self, person: str) -> float:
        """0 where a message to ``person`` may go now, and counts; else in how many seconds one
        may."""
        now = self._clock()
        if person not in self._people and len(self._people) > 10_000:
            self._forget(now)
        minute, hour = self._people.setdefault(
            person,
            (_Window(self._limits.per_minute, MINUTE_S), _Window(self._limits.per_hour, HOUR_S)),
        )
        windows = (minute, hour, self._day)
        wait = max(self._until - now, *(w.free_in(now) for w in windows))
        if wait > 0:
            return wait
        for window in windows:
            if window.most:
                window.sent.append(now)
        return 0.0

    def rest(self, seconds: float) -> None:
        """The vendor says that it was too much: nobody gets anything until then."""
        self._until = max(self._until, self._clock() + seconds)

    def _forget(self, now: float) -> None:
        """Those to whom nothing went in the last hour."""
        for person, (minute, hour) in list(self._people.items()):
            minute.free_in(now), hour.free_in(now)
            if not minute.sent and not hour.sent:
                del self._people[person]
