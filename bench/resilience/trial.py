"""One fault: the service is well, the fault begins, people go on asking, it ends, all is as before.

What is looked at from outside: that every request ends in time and with an error that says what is
wrong, that nothing is held on to, that it is well again without a restart, that what was answered is
on record, and that nothing was done that is not.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.resilience.client import Heard, Question, ask, raw
from bench.resilience.house import House, lines
from bench.resilience.model import Model
from bench.resilience.moods import well
from bench.resilience.places import free
from bench.resilience.report import Report, percentile
from bench.resilience.served import Held, Served
from bench.tables import Table
from dazi.audit.records import first_broken

PLACES = 32
WAIT_S = 2.0
"""How long the model server may be silent here."""
TURN_S = 6.0
TOKENS = 4
"""So few are asked for that an answer has hardly more than ``WAIT_S``."""
RECOVERY_S = 30.0
MORE_FILES = 12
MORE_MIB = 40.0
LOOKS, LOOKS_ENOUGH = 150, 20
"""Five in a second: so many at most, and so many before a few more files than there were are accepted."""
ENV = {
    "DAZI_MAX_CONCURRENT": str(PLACES),
    "DAZI_MAX_QUEUED": "0",
    "DAZI_MODEL_WAIT_SECONDS": str(WAIT_S),
    "DAZI_TURN_SECONDS": str(TURN_S),
    "DAZI_REST_SECONDS": "3",
}
_INSIDE = (b"Traceback", b"sqlalchemy", b"/site-packages/", b'File "', b"aiohttp.", b"psycopg")
Ask = Callable[[str], Question]


def raw_stream(mark: str) -> Question:
    return raw(mark, stream=True, max_tokens=TOKENS, request=mark)


def raw_whole(mark: str) -> Question:
    return raw(mark, max_tokens=TOKENS, request=mark)


def turn_stream(mark: str) -> Question:
    return Question(mark, user="clerk0", stream=True, request=mark)


def turn_whole(mark: str) -> Question:
    return Question(mark, user="clerk1", request=mark)


def calling(tool: str, words: str = "") -> Ask:
    """Without ``words`` it is called with the question's own mark."""

    def question(mark: str) -> Question:
        said = f'{mark} [call {tool} {{"words": "{words or mark}"}}]'
        return Question(said, user="clerk2", request=mark)

    return question


TALKING: Sequence[Ask] = (raw_stream, raw_whole, turn_stream, turn_whole)
DOING: Sequence[Ask] = (calling("write_line"), calling("read_line", "first"), calling("pay"))


@dataclass(frozen=True, slots=True)
class Fault:
    """``begin`` and ``end``: of the fault. ``within_s`` bounds every request meanwhile. ``answered``:
    requests may well succeed; else at least one must not, or the fault is none. ``silent``: the
    same for a fault that a tool's caller hears of in words."""

    name: str
    begin: Callable[[], Awaitable[None]]
    end: Callable[[], Awaitable[None]]
    asks: Sequence[Ask] = TALKING
    within_s: float = WAIT_S + TOKENS + 2.0
    answered: bool = False
    outcomes: frozenset[str] = frozenset()
    """Of a tool's call, such as a fault must lead to; empty: any but ``ok`` will do."""


@dataclass
class Place:
    """Where faults happen. ``acknowledged``: marks of questions that were answered with success."""

    served: Served
    model: Model
    house: House
    root: Path
    report: Report
    table: Table
    acknowledged: set[str] = field(default_factory=set)
    asked: set[str] = field(default_factory=set)
    many: int = 2

    async def suffer(self, fault: Fault) -> None:
        # Pools are as full as they will be.
        await self._rounds(fault.asks, self.many)
        await free(self.served.port, self.model, PLACES)
        before = await self._quiet()
        await fault.begin()
        try:
            heard = await self._rounds(fault.asks, self.many, fault.within_s + 5.0)
        finally:
            await fault.end()
        recovered = await self._recovered(fault.asks)
        await self._rounds(fault.asks, self.many)
        places = await free(self.served.port, self.model, PLACES)
        after = await self._quiet(before)
        self._judge(fault, heard)
        name, report = fault.name, self.report
        report.expect(recovered <= RECOVERY_S, f"{name}: not well again in time")
        report.expect(places == PLACES, f"{name}: {PLACES - places} places are not free again")
        report.expect(self.served.running(), f"{name}: the process ended")
        grown = after.files - before.files
        more = ", ".join(f"{n} {what}" for what, n in (after.open - before.open).most_common(5))
        report.expect(grown <= MORE_FILES, f"{name}: {grown} files more are open ({more})")
        report.expect(after.mib - before.mib <= MORE_MIB, f"{name}: memory grows")
        self.table.rows.append((
            name, len(heard), _summary(heard), max(h.seconds for h in heard), recovered,
            grown, round(after.mib - before.mib, 1),
        ))  # fmt: skip

    async def close(self) -> None:
        """What holds over all faults: the ledger, and what was done."""
        # Whatever was being written when the last fault ended is written by now or never.
        await asyncio.sleep(1.0)
        report = self.report
        for line in self.served.complaints():
            report.violations[f"in the log: {line[:80]}"] += 1
        broken = first_broken(await self.house.sealed())
        report.expect(broken is None, "the ledger's chain is broken")
        records = [(r, json.loads(r.body)) for r in await self.house.records()]
        turns = {r.turn: b.get("from", {}).get("request") for r, b in records if r.kind == "turn"}
        answered = {turns.get(r.turn) for r, _ in records if r.kind == "answer"}
        lost = self.acknowledged - answered
        report.violations["answered, and not on record"] += len(lost)
        called = {
            b["arguments"].get("words") for r, b in records
            if r.kind == "call" and b.get("tool") == "write_line"
        }  # fmt: skip
        done = {w for w in lines(self.root) if w in self.asked}
        report.violations["done, and not on record"] += len(done - called)
        self.table.notes.append(
            f"{len(self.acknowledged)} answers were heard, {len(lost)} of them are not on record; "
            f"{len(done)} writes were done, {len(done - called)} of them are not on record; the chain "
            f"of {len(records)} records is {'whole' if broken is None else 'broken'}."
        )

    async def _rounds(self, asks: Sequence[Ask], many: int, seconds: float = 30.0) -> list[Heard]:
        """Each question ``many`` times, all at once."""
        marks = [(a, f"q{secrets.token_hex(6)}") for a in asks for _ in range(many)]
        return await asyncio.gather(*(self._one(a, mark, seconds) for a, mark in marks))

    async def _one(self, question: Ask, mark: str, seconds: float) -> Heard:
        self.asked.add(mark)
        heard = await ask(self.served.port, question(mark), seconds)
        if heard.ok:
            self.acknowledged.add(mark)
        return heard

    def _judge(self, fault: Fault, heard: Sequence[Heard]) -> None:
        self.report.tried += len(heard)
        for h in heard:
            wrong = _wrong(h, fault.within_s)
            if wrong:
                self.report.violations[f"{fault.name}: {wrong}"] += 1
        if not fault.answered:
            felt = any(not h.ok or _outcomes(h) - {"ok", "needs_confirmation"} for h in heard)
            self.report.expect(felt, f"{fault.name}: nothing was felt of it")
        if fault.outcomes:
            found = set().union(*(_outcomes(h) for h in heard))
            self.report.expect(
                found <= fault.outcomes, f"{fault.name}: calls came to {sorted(found)}"
            )

    async def _recovered(self, asks: Sequence[Ask]) -> float:
        """Seconds until each question is answered again, calls with success."""
        began = time.monotonic()
        while time.monotonic() - began < RECOVERY_S + 5:
            heard = await self._rounds(asks, 1)
            if all(h.ok and _outcomes(h) <= {"ok", "needs_confirmation"} for h in heard):
                return time.monotonic() - began
            await asyncio.sleep(0.2)
        return float("inf")

    async def _quiet(self, before: Held | None = None) -> Held:
        """What the process holds once nothing goes on; waits a while for it to come down: on a machine that
        is full, connections that were given up take as long to be closed as they were waited for."""
        now = self.served.held()
        for n in range(LOOKS if before is not None else 0):
            grown = now.files - (before.files if before is not None else 0)
            if grown <= 0 or (n >= LOOKS_ENOUGH and grown <= MORE_FILES):
                break
            await asyncio.sleep(0.2)
            now = self.served.held()
        return now


def model_is_well(model: Model) -> Callable[[], Awaitable[None]]:
    async def end() -> None:
        model.mood = well

    return end


def _wrong(h: Heard, within_s: float) -> str:
    if h.seconds > within_s:
        return f"took {h.seconds:.0f} s"
    if not h.status:
        return f"no answer: {h.failed}"
    if any(inside in h.body for inside in _INSIDE):
        return "an answer tells of our inside"
    if h.code == "internal" or h.status == 500:
        return "an unforeseen error"
    if not h.whole:
        return "an answer without an end"
    if h.status >= 400 and not h.code:
        return f"{h.status} without a word"
    return ""


def _outcomes(h: Heard) -> set[str]:
    return {str(c["outcome"]) for c in h.document.get("dazi", {}).get("calls", ())}


def _summary(heard: Sequence[Heard]) -> str:
    found: Counter[str] = Counter()
    for h in heard:
        outcomes = sorted(_outcomes(h))
        said = h.code if not h.ok else "/".join(outcomes) if outcomes else "answered"
        where = str(h.status) if not h.ok and h.status != 200 else ""
        found[f"{where} {said}".strip() or h.failed] += 1
    return ", ".join(f"{n} x {what}" for what, n in found.most_common())


def new_table(name: str, title: str) -> Table:
    return Table(
        name, title,
        (
            "fault", "requests", "what callers saw", "longest s", "well again after s",
            "files more", "MiB more",
        ),
    )  # fmt: skip


__all__ = ["ENV", "Fault", "Place", "model_is_well", "new_table", "percentile"]
