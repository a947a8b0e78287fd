"""A model of service fitted to closed loops: a handful of numbers, and the simulator itself to try them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bench.simulate.replay import Measured
from bench.simulate.sides import Side, Turns
from dazi.ops.plan.simulate.outcome import ANSWERED, Outcome
from dazi.ops.plan.simulate.policy import Fixed
from dazi.ops.plan.simulate.run import Rules, Run
from dazi.ops.plan.simulate.service import Engine, Front

STEPS = (2.0, 1.4, 1.15, 1.05, 1.02)
"""Factors by which a parameter is tried larger and smaller, one after another."""


@dataclass(frozen=True, slots=True)
class Level:
    """A closed loop: callers, which turns, and what was measured."""

    callers: int
    turns: Sequence[int]
    found: Measured


@dataclass(frozen=True, slots=True)
class Fit:
    engine: Engine
    front: Front
    error: float

    def value(self, name: str) -> float:
        return float(getattr(self.front if name == "turn" else self.engine, name))

    def scaled(self, name: str, by: float) -> Fit:
        value = self.value(name) * by
        if name == "turn":
            return replace(self, front=replace(self.front, turn=value))
        return replace(self, engine=replace(self.engine, **{name: value}))


def fitted(side: Side, turns: Turns, levels: Sequence[Level]) -> Fit:
    """By coordinate descent on the logarithms: throughput and median latency of each level."""
    best = Fit(side.guess, side.front, math.inf)
    best = replace(best, error=_error(side, turns, levels, best))
    for step in STEPS:
        moved = True
        while moved:
            moved = False
            for name in side.free:
                for by in (step, 1 / step):
                    tried = best.scaled(name, by)
                    tried = replace(tried, error=_error(side, turns, levels, tried))
                    if tried.error < best.error * 0.9999:
                        best, moved = tried, True
    return best


def _error(side: Side, turns: Turns, levels: Sequence[Level], fit: Fit) -> float:
    total = 0.0
    for level in levels:
        o = closed(side, turns, level, fit)
        took = o.whole[o.status == ANSWERED]
        rate = len(took) / max(o.seconds, 1e-9)
        real = level.found
        total += math.log(rate / (len(real.took) / real.seconds)) ** 2
        total += math.log(float(np.median(took)) / float(np.median(real.took))) ** 2
    return total


def closed(side: Side, turns: Turns, level: Level, fit: Fit) -> Outcome:
    chosen = replace(turns, kind=turns.kind[np.array(level.turns) % len(turns.kind)])
    count = len(level.turns)
    place = {turn: n for n, turn in enumerate(level.turns)}
    known = {place[d.turn]: d.used for d in level.found.turns if d.ok}
    trace = chosen.trace(np.zeros(count), 3600.0, known)
    fleet = side.fleet(fit.engine, fit.front, level.found.slowed)
    return Run(trace, fleet, Fixed(1), Rules(callers=level.callers)).go()
