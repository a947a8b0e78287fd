"""How much there was to do lately: what an autoscaler goes by, at a microsecond a request."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MEMORY_S = 15.0
"""Time constant of the mean load: a load that comes is seen at 63 % of its height after that."""
LATELY_S = 60
HELD = 0.05
"""Weight of the last turn in how long a place is held."""


@dataclass(slots=True)
class Minute:
    """Events of the last minute, by second: how many, and the sum and the largest of their values."""

    _seconds: deque[tuple[int, int, float, float]] = field(default_factory=deque)

    def add(self, now: float, value: float = 0.0) -> None:
        second = int(now)
        if self._seconds and self._seconds[-1][0] == second:
            _, count, total, most = self._seconds.pop()
            self._seconds.append((second, count + 1, total + value, max(most, value)))
            return
        self._seconds.append((second, 1, value, value))
        self._drop(now)

    def _drop(self, now: float) -> None:
        while self._seconds and self._seconds[0][0] <= int(now) - LATELY_S:
            self._seconds.popleft()

    def count(self, now: float) -> int:
        self._drop(now)
        return sum(count for _, count, _, _ in self._seconds)

    def mean(self, now: float) -> float:
        count = self.count(now)
        return sum(total for _, _, total, _ in self._seconds) / count if count else 0.0

    def most(self, now: float) -> float:
        self._drop(now)
        return max((most for _, _, _, most in self._seconds), default=0.0)


@dataclass(slots=True)
class LoadMeter:
    """``level``: what is inside or waits now; ``held_s``: about, how long one stays inside."""

    clock: Callable[[], float] = time.monotonic
    level: int = 0
    held_s: float = 0.0
    refused: Minute = field(default_factory=Minute)
    waited: Minute = field(default_factory=Minute)
    """Of those who had to wait, how long."""
    _mean: float = 0.0
    _at: float = 0.0

    def moved(self, by: int) -> None:
        self._mean = self.mean()
        self._at = self.clock()
        self.level += by

    def mean(self) -> float:
        """The level, averaged with weights that fade with ``MEMORY_S``."""
        faded = math.exp((self._at - self.clock()) / MEMORY_S)
        return self.level + (self._mean - self.level) * faded

    def left(self, seconds: float) -> None:
        """Someone has left who was inside so long."""
        self.held_s += (seconds - self.held_s) * (HELD if self.held_s else 1.0)
