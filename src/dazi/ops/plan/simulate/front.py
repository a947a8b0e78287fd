"""Dazi in front of the model: places, a queue with patience, refusals (as gateway/gate.py), one core."""

from __future__ import annotations

import math
from collections import deque

from dazi.ops.plan.simulate.replica import Replica
from dazi.ops.plan.simulate.service import Front

MEMORY_S = 15.0
"""As the gateway's own meter of its load."""


class FrontDesk:
    """One process. ``enter`` a turn: it is let in, waits or is refused; ``leave`` lets the next in."""

    __slots__ = (
        "_at", "_free_at", "_held_s", "_level", "_mean", "busy_s", "draining", "engine", "front", "number",
        "queue", "refused", "starts", "taken",
    )  # fmt: skip

    def __init__(self, number: int, front: Front, starts: float = 0.0) -> None:
        self.number = number
        self.front = front
        self.starts = starts
        self.draining = False
        self.engine: Replica | None = None
        """The one in its own process, if it has one."""
        self.taken = 0
        self.queue: deque[tuple[float, int]] = deque()
        """When each began to wait, and which turn."""
        self.busy_s = 0.0
        self.refused = 0
        """Since the autoscaler looked last."""
        self._free_at = starts
        self._level, self._mean, self._at = 0, 0.0, starts
        self._held_s = 0.0

    def enter(self, now: float, turn: int) -> bool | None:
        """True: it is inside; None: it waits; False: it is refused."""
        front = self.front
        if self.taken < front.places:
            self.taken += 1
            self._moved(now, 1)
            return True
        if len(self.queue) >= front.queued:
            self.refused += 1
            return False
        self.queue.append((now, turn))
        self._moved(now, 1)
        return None

    def given_up(self, now: float) -> int | None:
        """The turn that has waited as long as it may, if there is one."""
        if self.queue and self.queue[0][0] + self.front.wait <= now + 1e-9:
            self._moved(now, -1)
            self.refused += 1
            return self.queue.popleft()[1]
        return None

    def leave(self, now: float, held: float) -> int | None:
        """The turn that takes the place that came free, if one waits."""
        self._held_s += (held - self._held_s) * (0.05 if self._held_s else 1.0)
        self._moved(now, -1)
        if self.queue:
            return self.queue.popleft()[1]
        self.taken -= 1
        return None

    def worked(self, now: float, seconds: float) -> float:
        """When its core, which does one thing after another, has done that."""
        self._free_at = max(self._free_at, now) + seconds
        self.busy_s += seconds
        return self._free_at

    def load(self, now: float) -> float:
        """As ``/scaling`` tells it."""
        return max(self._mean_at(now), self._level)

    def turned_away(self, a_second: float) -> float:
        return min(self.front.places, a_second * self._held_s)

    def _moved(self, now: float, by: int) -> None:
        self._mean, self._at = self._mean_at(now), now
        self._level += by

    def _mean_at(self, now: float) -> float:
        return self._level + (self._mean - self._level) * math.exp((self._at - now) / MEMORY_S)
