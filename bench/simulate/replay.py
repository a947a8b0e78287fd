"""Load on a real server: closed, to calibrate by, and open, as a trace has it."""

from __future__ import annotations

import asyncio
import json
import re
import sqlite3
import time
from collections.abc import Callable, Sequence, Set
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from bench.machine import used
from bench.resilience.wire import Wire

_TURN = re.compile(rb'"turn":"([^"]+)"')
_USAGE = re.compile(rb'"prompt_tokens":(\d+),"completion_tokens":(\d+)')
Question = Callable[[int], bytes]
"""The bytes of a request for the turn of that number."""


class Used(NamedTuple):
    """Tokens of a turn, and how often a model was asked."""

    read: int
    written: int
    requests: int


@dataclass(frozen=True, slots=True)
class Done:
    """Seconds when it came and what it took; ``ok``, ``refused`` for want of a place, or neither. ``read`` and
    ``written``: tokens of its answer, 0 without one; ``id``: by which the ledger knows the turn; ``requests``: how
    often a model was asked, by the ledger."""

    @property
    def used(self) -> Used:
        return Used(self.read, self.written, self.requests)

    turn: int
    came: float
    took: float
    ok: bool
    refused: bool
    read: int = 0
    written: int = 0
    id: str = ""
    requests: int = 0


@dataclass(slots=True)
class Measured:
    """``busy`` and ``waited``: of the server's core, the share that it had, and that others had while it
    could have run; ``around``: the latter of the load's own core."""

    turns: list[Done] = field(default_factory=list)
    seconds: float = 0.0
    busy: float = 0.0
    waited: float = 0.0
    around: float = 0.0
    others: dict[str, int] = field(default_factory=dict)

    @property
    def slowed(self) -> float:
        """How much longer than alone the server's work took, because others had its core meanwhile."""
        return 1 + self.waited / self.busy if self.busy else 1.0

    @property
    def took(self) -> list[float]:
        return [d.took for d in self.turns if d.ok]


@dataclass(slots=True)
class Load:
    port: int
    server: int
    own: int
    question: Question
    ledger: Path
    wires: list[Wire] = field(default_factory=list)

    async def ask(self, turn: int, began: float, into: Measured) -> None:
        wire = self.wires.pop() if self.wires else Wire(self.port)
        came = time.perf_counter() - began
        heard = await wire.ask(self.question(turn), 60.0)
        refused = heard.status in (429, 503) and heard.code in ("busy", "model_busy")
        if not heard.ok and not refused:
            what = f"{heard.status or heard.failed} {heard.code}".strip()
            into.others[what] = into.others.get(what, 0) + 1
        body = wire.last() if heard.ok else b""
        named = _TURN.search(body)
        known_as = named[1].decode() if named else ""
        into.turns.append(
            Done(turn, came, heard.seconds, heard.ok, refused, *tokens_of(body), known_as)
        )
        self.wires.append(wire)

    async def closed(self, callers: int, turns: Sequence[int]) -> Measured:
        """So many callers, each with a question as soon as the last is answered."""
        left = iter(turns)
        return await self._measured(lambda began, into: self._callers(callers, left, began, into))

    async def _callers(self, callers: int, left: object, began: float, into: Measured) -> None:
        async def one() -> None:
            for turn in left:  # type: ignore[attr-defined]
                await self.ask(turn, began, into)

        await asyncio.gather(*(one() for _ in range(callers)))

    async def open(self, at: Sequence[float], first: int) -> Measured:
        """Turns when ``at`` says, whatever became of those before; numbered from ``first`` on."""

        async def all_of_them(began: float, into: Measured) -> None:
            tasks = []
            for i, t in enumerate(at):
                late = began + t - time.perf_counter()
                if late > 0:
                    await asyncio.sleep(late)
                tasks.append(asyncio.create_task(self.ask(first + i, began, into)))
            await asyncio.gather(*tasks)

        return await self._measured(all_of_them)

    async def _measured(self, work: Callable[[float, Measured], object]) -> Measured:
        into = Measured()
        before, around = used([self.server]), used([self.own])
        began = time.perf_counter()
        await work(began, into)  # type: ignore[misc]
        into.seconds = time.perf_counter() - began
        spent, beside = used([self.server]).since(before), used([self.own]).since(around)
        into.busy, into.waited = spent.cpu / into.seconds, spent.waited / into.seconds
        into.around = beside.waited / into.seconds
        asked = requests_of(self.ledger, {d.id for d in into.turns if d.ok})
        into.turns = [replace(d, requests=asked.get(d.id, 0)) for d in into.turns]
        return into

    def end(self) -> None:
        for wire in self.wires:
            wire.leave()
        self.wires.clear()


def tokens_of(body: bytes) -> tuple[int, int]:
    """Read and written, by an answer's ``usage``."""
    found = _USAGE.search(body)
    return (int(found[1]), int(found[2])) if found else (0, 0)


def requests_of(ledger: Path, turns: Set[str]) -> dict[str, int]:
    """How often a model was asked, by turn, as their last records have it."""
    query = "SELECT turn, body FROM audit_records WHERE kind = 'answer'"
    with closing(sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)) as connection:
        rows = connection.execute(query)
        return {t: int(json.loads(body).get("requests", 0)) for t, body in rows if t in turns}


def posted(body: object) -> bytes:
    return json.dumps(body, ensure_ascii=False).encode()
