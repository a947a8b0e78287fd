"""What the gateway adds to a model's answer, against proxies that do less and one that does more.

Each side runs on one core, load generator and fake upstream on another; sides take turns in
interleaved rounds, and those whose turn it is not are stopped. A sample in which the side waited
for its core for more than ``TOO_BUSY`` of the time is dropped and taken again, a few times.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import uvloop

from bench import load
from bench.load import BadAnswer, Outcome, Plan
from bench.machine import MEASURABLE, Spent, cores, pinned, used
from bench.options import Options
from bench.processes import upstream
from bench.sides import Side, started
from bench.tables import Cell, Table, ratio
from bench.upstream import PACED_CHUNKS, PACED_SECONDS

AT_ONCE = 32
STREAMS = 16
TOO_BUSY = 0.05
TRIES = 3
WARM = 0.5
ALONE = 1.0
LOADED = 2.0
STREAM_ROUNDS = 2


@dataclass(frozen=True, slots=True)
class Sample:
    outcome: Outcome
    spent: Spent

    @property
    def waited(self) -> float:
        return self.spent.waited / self.outcome.seconds

    @property
    def busy(self) -> float:
        return self.spent.cpu / self.outcome.seconds


@dataclass(slots=True)
class Found:
    """A side's samples, one a round, by kind of load."""

    side: Side
    alone: list[Sample] = field(default_factory=list)
    loaded: list[Sample] = field(default_factory=list)
    paced: list[Sample] = field(default_factory=list)

    def p50(self) -> float | None:
        return _median([median(s.outcome.latencies) * 1e6 for s in self.alone])

    def rate(self) -> float | None:
        return _median([len(s.outcome.latencies) / s.outcome.seconds for s in self.loaded])

    def busy(self) -> float | None:
        return _median([s.busy for s in self.loaded])

    def cpu_request(self) -> float | None:
        return _median([s.spent.cpu * 1e6 / len(s.outcome.latencies) for s in self.loaded])

    def cpu_chunk(self) -> float | None:
        return _median(
            [s.spent.cpu * 1e6 / (len(s.outcome.latencies) * PACED_CHUNKS) for s in self.paced]
        )


def run(options: Options) -> list[Table]:
    if not MEASURABLE:
        note = "not measured: this system does not tell what a process used (Linux does)"
        return [Table("gateway", "Gateway", ("side",), [], [note])]
    where = cores()
    with (
        tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder,
        upstream(where.load, Path(folder)) as port,
        started(options, port, Path(folder)) as sides,
        pinned(where.load),
    ):
        found = [Found(side) for side in sides]
        dropped = _rounds(found, options)
    notes = [f"{f.side.name}: {f.side.why_not}" for f in found if f.side.why_not]
    if dropped:
        notes.append(
            f"{dropped} samples were dropped because the side waited for its core for more than "
            f"{TOO_BUSY:.0%} of the time; where every try did, the quietest was kept."
        )
    if not where.apart:
        notes.append("Only one core: server, load and upstream share it; ratios mean little.")
    return [_figures(found, notes), _ratios(found)]


def _rounds(found: Sequence[Found], options: Options) -> int:
    """Fills ``found``; tells how many samples were dropped."""
    dropped = 0
    for _ in range(options.rounds):
        for f in found:
            if f.side.why_not:
                continue
            with f.side.process.awake() if f.side.process else nullcontext():
                try:
                    dropped += _round(f, options)
                except (BadAnswer, TimeoutError, ExceptionGroup, OSError) as e:
                    f.side.why_not = f"answered wrongly: {_cause(e)}"
    return dropped


def _round(f: Found, options: Options) -> int:
    port = f.side.port
    plain, paced = f.side.request(stream=False), f.side.request(stream=True)
    if options.quick:
        alone, loaded = Plan(port, plain, 1, 5.0, 3), Plan(port, plain, 4, 5.0, 2)
        stream = Plan(port, paced, 2, 5.0, 1)
    else:
        uvloop.run(load.run(Plan(port, plain, AT_ONCE, WARM)))
        alone, loaded = Plan(port, plain, 1, ALONE), Plan(port, plain, AT_ONCE, LOADED)
        length = PACED_CHUNKS * PACED_SECONDS
        stream = Plan(port, paced, STREAMS, 2 * length * STREAM_ROUNDS, STREAM_ROUNDS, length)
    dropped = 0
    tries = 1 if options.quick else TRIES
    for plan, samples in ((alone, f.alone), (loaded, f.loaded), (stream, f.paced)):
        if plan is stream and f.side.process is None:
            continue  # the upstream's own cost of a piece is nobody's question
        taken = []
        for _ in range(tries):
            taken.append(_sample(f.side, plan))
            if taken[-1].waited <= TOO_BUSY:
                break
        dropped += len(taken) - 1
        samples.append(min(taken, key=lambda s: s.waited))
    return dropped


def _sample(side: Side, plan: Plan) -> Sample:
    roots = [side.process.pid] if side.process else []
    before = used(roots)
    outcome = uvloop.run(load.run(plan))
    return Sample(outcome, used(roots).since(before))


def _figures(found: Sequence[Found], notes: list[str]) -> Table:
    table = Table(
        "gateway",
        "Gateway: one core, a short chat through each side to a model that answers at once",
        (
            "side",
            "added p50 us (c1)",
            f"req/s at {AT_ONCE}",
            "core busy",
            "CPU us/request",
            "CPU us/piece, paced",
        ),
    )
    direct = found[0].p50()
    for f in found:
        p50, busy = f.p50(), f.busy()
        measured = f.side.process is not None
        added = p50 - direct if measured and p50 is not None and direct is not None else None
        row: tuple[Cell, ...] = (f.side.name, added, f.rate())
        if measured:
            share = f"{busy:.0%}" if busy is not None else None
            row = (*row, share, f.cpu_request(), f.cpu_chunk())
        else:
            row = (*row, None, None, None)
        table.rows.append(row)
    table.notes.extend(f"{f.side.name}: on: {f.side.on}; off: {f.side.off}." for f in found[1:])
    table.notes.append(
        "Dazi: the model itself by name (no tools, no memory), the application that dazi serve "
        "runs, pages mounted; it asks the upstream for a stream even when the caller does not."
    )
    table.notes.append(
        f"Paced: {STREAMS} streams of {PACED_CHUNKS} pieces, one each {PACED_SECONDS * 1000:.0f} "
        "ms; a request's own cost is spread over its pieces."
    )
    table.notes.append(
        "Where the side's core is not busy, req/s is what load generator and upstream can do: "
        "compare CPU per request there."
    )
    table.notes.extend(notes)
    return table


def _ratios(found: Sequence[Found]) -> Table:
    table = Table(
        "gateway_ratios",
        "Gateway: ratios in this run",
        ("what", "audit in memory", "audit durable", "goal (aim)"),
    )
    ours = [f for f in found if f.side.name.startswith("Dazi")]
    by_name = {f.side.name.split()[0].lower().rstrip(","): f for f in found}
    nginx, litellm = by_name.get("nginx"), by_name.get("litellm")
    direct = found[0].p50() or 0.0

    def row(what: str, values: list[float | None], goal: str) -> None:
        table.rows.append((what, *(f"{v:.3g}x" if v is not None else None for v in values), goal))

    def added(f: Found) -> float | None:
        p50 = f.p50()
        return p50 - direct if p50 is not None else None

    if litellm is not None:
        row("req/s against LiteLLM", [ratio(f.rate(), litellm.rate()) for f in ours],
            ">= 60x (130x)")  # fmt: skip
    if nginx is not None:
        row("CPU/request against nginx",
            [ratio(f.cpu_request(), nginx.cpu_request()) for f in ours], "<= 10x (5x)")  # fmt: skip
        row("added p50 against nginx", [ratio(added(f), added(nginx)) for f in ours],
            "<= 5x (2.5x)")  # fmt: skip
        row("paced CPU/piece against nginx",
            [ratio(f.cpu_chunk(), nginx.cpu_chunk()) for f in ours], "<= 2.5x (1.7x)")  # fmt: skip
    fastapi = by_name["fastapi"]
    row("req/s against FastAPI + aiohttp", [ratio(f.rate(), fastapi.rate()) for f in ours], "")
    return table


def _median(values: list[float]) -> float | None:
    return median(values) if values else None


def _cause(e: BaseException) -> str:
    while isinstance(e, BaseExceptionGroup):
        e = e.exceptions[0]
    return f"{type(e).__name__} {e}"[:200]
