"""One server at work: continuous batching, between two events as a fluid.

All that write get a token a step, so one clock of steps serves them all: a request is done when that
clock has gone on by as many as it writes. Steps take longer while prompts are read.
"""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush

from dazi.ops.plan.simulate.service import Engine

INFINITE = float("inf")
LEAST = 1e-4
"""Of a token: less is what rounding leaves of it."""


class Asked:
    """A model request: of which turn (an index), tokens to be read, to be written, and held."""

    __slots__ = ("answer", "held", "left", "turn")

    def __init__(self, turn: int, fresh: float, answer: float, held: float) -> None:
        self.turn = turn
        self.left = fresh
        self.answer = answer
        self.held = held


class Replica:
    """``up`` from ``starts`` on; ``draining``: nothing new. Give it requests (``take``), ask when
    something happens next (``next_at``), and go on to then (``go_on``)."""

    __slots__ = (
        "_chunk", "_clock", "_last", "_reading", "_step", "_to_read", "_waiting", "_writing",
        "busy_s", "draining", "engine", "front", "held", "number", "outstanding", "starts", "version",
    )  # fmt: skip

    def __init__(self, number: int, engine: Engine, starts: float = 0.0) -> None:
        self.number = number
        self.engine = engine
        self.starts = starts
        self.front: object = None
        self.draining = False
        self.outstanding = 0
        self.held = 0.0
        self.busy_s = 0.0
        self.version = 0
        self._step = engine.base
        self._chunk = 0.0
        self._clock = 0.0
        self._last = starts
        self._reading: deque[Asked] = deque()
        self._to_read = 0.0
        self._writing: list[tuple[float, int, Asked]] = []
        self._waiting: deque[Asked] = deque()

    def take(self, now: float, asked: Asked) -> None:
        self._advance(now)
        self.outstanding += 1
        if self._waiting or not self._fits(asked):
            self._waiting.append(asked)
        else:
            self._begin(asked)
        self.version += 1

    def stall(self, now: float, seconds: float) -> None:
        """Something else has its core for so long."""
        self._advance(now)
        self._last = max(self._last, now) + seconds
        if self.outstanding:
            self.busy_s += seconds
        self.version += 1

    def next_at(self) -> float:
        """Also settles how long steps take until then: to be called after each change."""
        engine, writing, reading = self.engine, self._writing, self._reading
        step, chunk = engine.base, 0.0
        if reading:
            chunk = self._to_read
            if chunk > engine.chunk:
                chunk = engine.chunk
            elif chunk < LEAST:
                chunk = LEAST
            read = chunk * engine.prefill
            if read > step:
                step = read
        step += len(writing) * engine.each + self.held * engine.cache
        self._step, self._chunk = step, chunk
        found = INFINITE
        if reading:
            found = reading[0].left / chunk * step
        if writing:
            found = min(found, (writing[0][0] - self._clock) * step)
        return self._last + found if found > 0 else self._last

    def go_on(self, now: float) -> tuple[list[Asked], list[Asked]]:
        """The requests of which all is read now, and those that are done."""
        self._advance(now)
        read: list[Asked] = []
        done: list[Asked] = []
        reading, writing = self._reading, self._writing
        while reading and reading[0].left <= LEAST:
            asked = reading.popleft()
            self._to_read = self._to_read - asked.left if reading else 0.0
            read.append(asked)
            heappush(writing, (self._clock + asked.answer, asked.turn, asked))
        while writing and writing[0][0] <= self._clock + LEAST:
            asked = heappop(writing)[2]
            self.held -= asked.held
            self.outstanding -= 1
            done.append(asked)
        if done:
            while self._waiting and self._fits(self._waiting[0]):
                self._begin(self._waiting.popleft())
        self.version += 1
        return read, done

    def _fits(self, asked: Asked) -> bool:
        engine = self.engine
        inside = len(self._writing) + len(self._reading)
        return inside < engine.at_once and (not inside or self.held + asked.held <= engine.room)

    def _begin(self, asked: Asked) -> None:
        self.held += asked.held
        self._reading.append(asked)
        self._to_read += asked.left

    def _advance(self, now: float) -> None:
        spent = now - self._last
        if spent <= 0:
            return
        self._last = now
        reading = self._reading
        if not (reading or self._writing):
            return
        self.busy_s += spent
        steps = spent / self._step
        self._clock += steps
        left = steps * self._chunk
        for asked in reading:
            gone = left if left < asked.left else asked.left
            asked.left -= gone
            self._to_read -= gone
            left -= gone
            if left <= 0:
                break
