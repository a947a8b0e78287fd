"""Three times as much as fits: what is still answered, how fast the rest is refused, and what grows.

The peak is found in a closed loop with as many callers as there are places; then requests come at
three times that rate, whatever becomes of them, as from many callers who know nothing of each other.
The server has one core; the load and the fake model share the other.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.machine import cores, pinned, used
from bench.resilience.client import Heard, Question, raw
from bench.resilience.house import build
from bench.resilience.model import Model
from bench.resilience.report import Report, percentile
from bench.resilience.served import Served, serving
from bench.resilience.wire import Wire
from bench.tables import Table

TIMES = 3.0
GOODPUT = 0.9
REFUSED_WITHIN_S = 0.05
GROWTH_MIB = 30.0
"""What memory may grow by between the first and the last third of an overload."""
RETRIES = 1.2
TRIES = 3
"""Of a load that misses the bar: other programs may have had the cores."""
CALLERS = 256
"""Connections that are kept for the open loop; where all are waiting, new ones are made."""


@dataclass(frozen=True, slots=True)
class Load:
    """``slots`` and ``delay_s``: how many requests the model works on at once, and how long on
    each: what it can do in a second is the one over the other. 0: it answers at once."""

    name: str
    model: str
    places: int
    queued: int
    slots: int = 0
    delay_s: float = 0.0
    stream: bool = False
    judged: bool = True
    """Whether the bar is meant: places are there to be what the model can do. Where the processor
    that refuses is the very one that answers, each refusal costs an answer's share of it."""

    def questions(self) -> list[bytes]:
        if self.model == "raw":
            return [raw("一个问题", stream=self.stream).bytes()]
        return [
            Question(f"第{n}个问题", user=f"clerk{n % 4}", stream=self.stream).bytes()
            for n in range(64)
        ]


LOADS = (
    Load("the model is the limit, raw", "raw", 16, 16, slots=16, delay_s=0.1),
    Load("the model is the limit, raw, streams", "raw", 16, 16, slots=16, delay_s=0.1, stream=True),
    Load("the model is the limit, governed", "dazi", 16, 16, slots=16, delay_s=0.2),
    Load("the processor is the limit, governed", "dazi", 8, 8, judged=False),
    Load("the processor is the limit, raw", "raw", 8, 8, judged=False),
)


@dataclass(slots=True)
class Found:
    """``refusals`` and ``answers``: seconds each; ``server_ms`` of a refusal includes what it waited
    in the queue. ``memory``: MiB, sampled."""

    offered: int = 0
    answers: list[float] = field(default_factory=list)
    refusals: list[float] = field(default_factory=list)
    other: Counter[str] = field(default_factory=Counter)
    without_retry_after: int = 0
    seconds: float = 0.0
    memory: list[float] = field(default_factory=list)
    asked: int = 0
    late: int = 0
    """Answered after the end."""
    busy: float = 0.0
    waited: float = 0.0
    """Of the server's core, what the server had, and what others had while it wanted it."""

    def note(self, heard: Heard) -> None:
        if heard.ok:
            self.answers.append(heard.seconds)
        elif heard.status in (429, 503) and heard.code == "busy":
            self.refusals.append(heard.seconds)
            self.without_retry_after += "retry-after" not in heard.headers
        else:
            self.other[f"{heard.status or heard.failed} {heard.code}".strip()] += 1

    @property
    def rate(self) -> float:
        return len(self.answers) / self.seconds if self.seconds else 0.0


async def run(seconds: float = 10.0, loads: Sequence[Load] = LOADS) -> Report:
    report = Report(of=f"requests at {TIMES:g} times the peak")
    table = Table(
        "overload", f"{TIMES:g} times as much as fits, {seconds:g} s each",
        (
            "load", "peak/s", "offered/s", "answered/s", "goodput", "refused p50 ms",
            "refused p99 ms", "grown MiB", "asked of the model", "server's core", "others'",
        ),
    )  # fmt: skip
    where = cores()
    table.notes.append(
        "Server on one core, load generator and fake model on the other."
        if where.apart
        else "Only one core: server, load and model share it; the figures mean little."
    )
    table.notes.append(
        "Where the processor is the limit, the bar is not judged: one core answers and refuses, and "
        "what a refusal costs is taken from the answers. More processes, or fewer places, help."
    )
    table.notes.append(
        f"A load that misses the bar is tried again, {TRIES} times in all, because other programs may "
        "have the cores; the last columns tell how much of the server's core they had."
    )
    table.notes.append(
        "Refused in: from sending the request to having the answer, the load generator's own delay "
        "included. Requests that waited in the queue in vain are counted apart."
    )
    report.tables.append(table)
    with pinned(where.load):
        for load in loads:
            await _load(load, seconds, report, table)
    return report


async def _load(load: Load, seconds: float, report: Report, table: Table) -> None:
    model = Model(delay_s=load.delay_s, slots=load.slots, keeps=False)
    wait = {
        "DAZI_MAX_CONCURRENT": str(load.places),
        "DAZI_MAX_QUEUED": str(load.queued),
        "DAZI_QUEUE_SECONDS": "2",
    }
    with tempfile.TemporaryDirectory(prefix="dazi-overload-") as folder:
        root = Path(folder)
        async with model.running():
            house = build(root, model.port)
            async with serving(house, root, wait) as served:
                await closed_loop(served, load, load.places, min(seconds, 3.0))  # warm
                for _ in range(TRIES):
                    peak = await closed_loop(served, load, load.places + load.queued, seconds / 2)
                    found = await open_loop(served, load, peak.rate * TIMES, seconds, model)
                    if not load.judged or not _missed(peak, found):
                        break
                after = await closed_loop(served, load, load.places, min(seconds, 3.0))
                complaints = served.complaints()
    _judge(load, peak, found, report)
    report.expect(after.rate >= peak.rate / 2, f"{load.name}: it does not recover")
    report.expect(not complaints, f"{load.name}: tracebacks in the log")
    share = found.rate / peak.rate if peak.rate else 0.0
    table.rows.append((
        load.name, peak.rate, found.offered / found.seconds, found.rate, f"{share:.0%}",
        percentile(found.refusals, 0.5) * 1000, percentile(found.refusals, 0.99) * 1000,
        _growth(found.memory), f"{found.asked / max(1, len(found.answers) + found.late):.2f}x",
        f"{found.busy:.0%}", f"{found.waited:.0%}",
    ))  # fmt: skip


def _judge(load: Load, peak: Found, found: Found, report: Report) -> None:
    name = load.name
    report.tried += found.offered
    for what, count in found.other.items():
        report.violations[f"{name}: {what}"] += count
    report.expect(not found.without_retry_after, f"{name}: refused without Retry-After")
    report.expect(_growth(found.memory) <= GROWTH_MIB, f"{name}: memory grows")
    times = found.asked / max(1, len(found.answers) + found.late)
    report.expect(times <= RETRIES, f"{name}: the model was asked {times:.2f} times an answer")
    report.expect(bool(found.refusals), f"{name}: nothing was refused")
    if not load.judged:
        return
    for missed in _missed(peak, found):
        report.violations[f"{name}: {missed}"] += 1


def _missed(peak: Found, found: Found) -> list[str]:
    """Of what depends on nobody else having the cores."""
    out = []
    share = found.rate / peak.rate if peak.rate else 0.0
    if share < GOODPUT:
        out.append(f"goodput {share:.0%} of the peak")
    slow = percentile(found.refusals, 0.99)
    if slow > REFUSED_WITHIN_S:
        out.append(f"refused in {slow * 1000:.0f} ms at p99")
    return out


async def closed_loop(served: Served, load: Load, callers: int, seconds: float) -> Found:
    """So many callers, each asking again once it has its answer."""
    found = Found()
    questions = load.questions()
    until = time.monotonic() + seconds

    async def ask(first: int) -> None:
        caller = Wire(served.port)
        number = first
        while time.monotonic() < until:
            found.note(await caller.ask(questions[number % len(questions)]))
            number += callers
        caller.leave()

    began = time.monotonic()
    await asyncio.gather(*(ask(n) for n in range(callers)))
    found.seconds = time.monotonic() - began
    found.offered = len(found.answers) + len(found.refusals)
    return found


async def open_loop(served: Served, load: Load, rate: float, seconds: float, model: Model) -> Found:
    """``rate`` requests a second, whether or not those before have been answered."""
    found = Found()
    questions = load.questions()
    idle: list[Wire] = []
    under_way: set[asyncio.Task[None]] = set()
    before, spent = model.asked, used([served.process.pid])

    async def ask(number: int) -> None:
        caller = idle.pop() if idle else Wire(served.port)
        found.note(await caller.ask(questions[number % len(questions)]))
        if len(idle) < CALLERS:
            idle.append(caller)
        else:
            caller.leave()

    began = time.monotonic()
    sampled = began
    while (now := time.monotonic()) < began + seconds:
        due = int((now - began) * rate) - found.offered
        for _ in range(due):
            task = asyncio.create_task(ask(found.offered))
            under_way.add(task)
            task.add_done_callback(under_way.discard)
            found.offered += 1
        if now - sampled > seconds / 30:
            sampled = now
            found.memory.append(served.held().mib)
        await asyncio.sleep(0.002)
    found.seconds = time.monotonic() - began
    in_time = len(found.answers)
    since = used([served.process.pid]).since(spent)
    found.busy, found.waited = since.cpu / found.seconds, since.waited / found.seconds
    await asyncio.gather(*under_way)
    found.asked = model.asked - before
    found.late = len(found.answers) - in_time
    for caller in idle:
        caller.leave()
    # What was begun before the end counts where it was answered before it.
    del found.answers[in_time:]
    return found


def _growth(memory: list[float]) -> float:
    third = max(1, len(memory) // 3)
    return sum(memory[-third:]) / third - sum(memory[:third]) / third if memory else 0.0
