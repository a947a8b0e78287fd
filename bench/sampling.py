"""Samples of sides under load: taken in interleaved rounds, with those left out that others
on the machine disturbed."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from statistics import median

import uvloop

from bench import load
from bench.load import BadAnswer, Outcome, Plan
from bench.machine import Spent, family, used
from bench.options import Options
from bench.sides import Side
from bench.upstream import PACED_CHUNKS, PACED_SECONDS

AT_ONCE = 32
STREAMS = 16
TOO_BUSY = 0.05
TRIES = 3
WARM = 0.4
ALONE = 0.8
LOADED = 1.5
STREAM_ROUNDS = 1


@dataclass(frozen=True, slots=True)
class Sample:
    """``spent`` by the side, ``around`` by load generator and upstream."""

    outcome: Outcome
    spent: Spent
    around: Spent

    @property
    def waited(self) -> float:
        return max(self.spent.waited, self.around.waited) / self.outcome.seconds

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


def take(found: Sequence[Found], options: Options, upstream: int) -> int:
    """Fills ``found``; ``upstream`` is its process. Tells how many samples were dropped."""
    around = [os.getpid(), upstream]
    dropped = 0
    for _ in range(options.rounds):
        for f in found:
            if f.side.why_not:
                continue
            with f.side.process.awake() if f.side.process else nullcontext():
                try:
                    dropped += _round(f, options, around)
                except (BadAnswer, TimeoutError, OSError) as e:
                    f.side.why_not = f"answered wrongly: {type(e).__name__} {e}"[:300]
    return dropped


def _round(f: Found, options: Options, around: Sequence[int]) -> int:
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
        if plan is stream and (f.side.process is None or f.side.no_streams):
            continue  # the upstream's own cost of a piece is nobody's question
        taken = []
        for _ in range(tries):
            taken.append(_sample(f.side, plan, around))
            if taken[-1].waited <= TOO_BUSY:
                break
        dropped += len(taken) - 1
        samples.append(min(taken, key=lambda s: s.waited))
    return dropped


def _sample(side: Side, plan: Plan, around: Sequence[int]) -> Sample:
    own = family([side.process.pid]) if side.process else []
    before, before_around = used(own), used(around)
    outcome = uvloop.run(load.run(plan))
    return Sample(outcome, used(own).since(before), used(around).since(before_around))


def _median(values: list[float]) -> float | None:
    return median(values) if values else None
