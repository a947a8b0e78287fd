"""A model server with continuous batching that computes nothing: it waits as long as its steps would take.

Steps are discrete here, one after another, each with a token for everybody who writes; the simulator
takes them for a fluid. ``[write N]`` in the question says how long the answer is to be.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections import deque
from dataclasses import dataclass, field

from bench.resilience.model import BEGIN, END, Connection, Seen, chunk, event, usage

_WRITE = re.compile(r"\[write (\d+)\]")
PIECE = "字"
PROMPT_TOKENS = 400
"""What each request has to read, whatever is in it."""


@dataclass
class Paced:
    """``base`` and ``each``: seconds of a step, and of one in it; ``prefill``: of a token that is read;
    ``chunk`` tokens are read in a step, ``slots`` requests worked on at once. ``steps`` were taken."""

    base: float = 0.012
    each: float = 0.0015
    prefill: float = 0.0001
    chunk: int = 512
    slots: int = 12
    steps: int = 0
    _waiting: deque[tuple[Connection, Seen, int]] = field(default_factory=deque)
    _reading: deque[list[float]] = field(default_factory=deque)
    _written: list[tuple[Connection, Seen, list[int]]] = field(default_factory=list)
    _task: asyncio.Task[None] | None = None

    def mood(self, connection: Connection, seen: Seen) -> None:
        found = _WRITE.search(seen.said)
        self._waiting.append((connection, seen, int(found[1]) if found else 20))
        if self._task is None or self._task.done():
            self._task = asyncio.ensure_future(self._work())

    async def _work(self) -> None:
        reading: deque[tuple[Connection, Seen, int, list[float]]] = deque()
        writing = self._written
        due = time.perf_counter()
        while self._waiting or reading or writing:
            while self._waiting and len(reading) + len(writing) < self.slots:
                connection, seen, many = self._waiting.popleft()
                reading.append((connection, seen, many, [float(PROMPT_TOKENS)]))
            left, read = float(self.chunk), 0.0
            for _, _, _, of in reading:
                part = min(left, of[0])
                of[0] -= part
                left, read = left - part, read + part
            due += max(self.base, read * self.prefill) + len(writing) * self.each
            # A sleep that was too long is made up for by the next: steps keep their pace.
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            due = max(due, time.perf_counter() - 0.25)
            self.steps += 1
            for one in list(writing):
                self._token(one)
            while reading and reading[0][3][0] <= 0:
                connection, seen, many, _ = reading.popleft()
                connection.write(BEGIN)
                one = (connection, seen, [many])
                writing.append(one)
                self._token(one)

    def _token(self, one: tuple[Connection, Seen, list[int]]) -> None:
        connection, seen, left = one
        left[0] -= 1
        seen.sent += 1
        connection.write(chunk(event({"content": PIECE})))
        if left[0] <= 0:
            connection.write(chunk(event({}, "stop") + usage() + b"data: [DONE]\n\n") + END)
            connection.finished()
            self._written.remove(one)
