"""How many replicas there should be: policies that are asked every now and then."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal, Protocol

import numpy as np

from dazi.core.errors import CallerError
from dazi.ops.plan.simulate.fleet import Fleet
from dazi.ops.plan.simulate.trace import Floats, Trace
from dazi.ops.scaling import Damper, ScalingRules

Name = Literal["fixed", "utilisation", "queue", "schedule", "oracle"]
NAMES: tuple[Name, ...] = ("fixed", "utilisation", "queue", "schedule", "oracle")
EVERY_S = 15.0
"""How often an autoscaler looks (Kubernetes' default)."""
DAY_S, HOUR_S = 86_400.0, 3_600.0


@dataclass(frozen=True, slots=True)
class Seen:
    """``replicas`` that serve or will, ``serving`` now; ``busy``: the share of the time since the last
    look that those were at work; ``needed``: replicas by ``/scaling``'s reckoning, of its target."""

    now: float
    replicas: int
    serving: int
    busy: float
    needed: float


class Policy(Protocol):
    def first(self) -> int:
        """Replicas to begin with."""
        ...

    def wanted(self, seen: Seen) -> int: ...


@dataclass(slots=True)
class Fixed:
    replicas: int

    def first(self) -> int:
        return self.replicas

    def wanted(self, seen: Seen) -> int:
        return self.replicas


@dataclass(slots=True)
class Utilisation:
    """As Kubernetes' HorizontalPodAutoscaler by the processor: so many more as they are busier than
    the target. What is still starting counts as idle where that would make it go down, and not at all
    where it would make it go up."""

    rules: ScalingRules
    begin: int
    _damper: Damper = field(init=False)

    def __post_init__(self) -> None:
        self._damper = Damper(self.rules)

    def first(self) -> int:
        return self.begin

    def wanted(self, seen: Seen) -> int:
        needed = seen.serving * seen.busy / self.rules.target
        if needed > seen.serving:
            needed = max(needed, seen.replicas)
        return self._damper.desired(seen.now, seen.replicas, needed)


@dataclass(slots=True)
class Queue:
    """By ``/scaling``: what is inside, what waits and what was refused."""

    rules: ScalingRules
    begin: int
    _damper: Damper = field(init=False)

    def __post_init__(self) -> None:
        self._damper = Damper(self.rules)

    def first(self) -> int:
        return self.begin

    def wanted(self, seen: Seen) -> int:
        return self._damper.desired(seen.now, seen.replicas, seen.needed)


@dataclass(slots=True)
class Schedule:
    """``hours``: from which hour of a workday how many; at weekends the least of them."""

    hours: Sequence[tuple[float, int]]
    second_of_week: float = 0.0

    def first(self) -> int:
        return self._at(0.0)

    def wanted(self, seen: Seen) -> int:
        return self._at(seen.now)

    def _at(self, now: float) -> int:
        second = (self.second_of_week + now) % (7 * DAY_S)
        if second >= 5 * DAY_S:
            return min(n for _, n in self.hours)
        hour = second % DAY_S / HOUR_S
        return next((n for start, n in reversed(self.hours) if start <= hour), self.hours[-1][1])


@dataclass(slots=True)
class Oracle:
    """Knows the trace: has what the next ``window`` seconds take ready as they begin. For comparison:
    no autoscaler can."""

    needs: Floats
    window: float
    ahead: float
    rules: ScalingRules

    def first(self) -> int:
        return self._of(0.0)

    def wanted(self, seen: Seen) -> int:
        return self._of(seen.now)

    def _of(self, now: float) -> int:
        low = int(now / self.window)
        high = int((now + self.ahead) / self.window) + 2
        need = float(self.needs[low:high].max(initial=0.0))
        return max(self.rules.least, min(self.rules.most, math.ceil(need)))


def work(trace: Trace, fleet: Fleet) -> Floats:
    """Seconds of a server that each turn takes with as many at once as the fleet gives to one."""
    engine = fleet.engine
    together = min(fleet.at_once, engine.at_once)
    mean = float((trace.prompt + trace.answer).mean()) if len(trace) else 0.0
    step = engine.step(together, mean / max(1.0, float(trace.rounds.mean())) * together)
    own = trace.fresh * engine.prefill + trace.answer * step / together
    if fleet.shares:
        own = own + fleet.front.turn + trace.rounds * fleet.front.round
    return np.asarray(own, dtype=np.float64)


def oracle(trace: Trace, fleet: Fleet, rules: ScalingRules, window: float = 300.0) -> Oracle:
    count = int(trace.seconds / window) + 1
    at = np.minimum((trace.at / window).astype(np.int64), count - 1)
    needs = np.bincount(at, weights=work(trace, fleet), minlength=count) / window / rules.target
    return Oracle(needs, window, fleet.start + window, rules)


def scheduled(text: str) -> tuple[tuple[float, int], ...]:
    """``0=1,8.5=4,19=2``: from the hour on so many. Raises ``CallerError``."""
    try:
        parts = [part.split("=") for part in text.split(",")]
        found = tuple((float(hour), int(count)) for hour, count in parts)
    except ValueError:
        found = ()
    rising = all(a[0] < b[0] for a, b in pairwise(found))
    if not found or not rising or any(not 0 <= h < 24 or not 0 < n <= 100_000 for h, n in found):
        raise CallerError(
            "schedule",
            f"时间表写成 0=1,8.5=4,19=2(从几点起几份),不是 {text}",
            f"a schedule reads 0=1,8.5=4,19=2 (from which hour how many), not {text}",
        )
    return found
