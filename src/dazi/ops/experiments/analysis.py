"""What an experiment says so far, and what may be concluded of it.

The unit is the subject: of each there is one value a metric, the mean of their turns in their window, or
their first turn where the window is 0, so that turns of one person, which are alike, are not counted as if
they were of many. A subject enters in the order in which they came, once their window is over and their
value can change no more. Guardrails look at first turns, at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dazi.ops.experiments.metrics import Metric, is_event, metric
from dazi.ops.experiments.model import Experiment
from dazi.ops.experiments.plan import Guardrail
from dazi.ops.experiments.sequential import (
    Bounds,
    Stage,
    asymptotic,
    bounded,
    differences,
    mismatch,
    reach,
)
from dazi.ops.experiments.store import Subject

SUSPICIOUS = 0.01
"""A p value of shares from which on nothing is concluded."""
POINTS = 200
"""Of a sequence, how many are drawn at the most."""


@dataclass(frozen=True, slots=True)
class ArmCount:
    """``subjects``: exposed; ``counted``: whose window is over; ``mean`` of the deciding metric."""

    name: str
    share: float
    subjects: int
    counted: int
    turns: int
    mean: float | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """An arm less the first one, in the metric's unit. ``path``: subjects of both, estimate, lower and
    upper bound as they came. ``lower`` and ``upper`` are ``None`` before there is something to say."""

    arm: str
    metric: Metric
    subjects: int
    estimate: float
    lower: float | None
    upper: float | None
    path: tuple[tuple[int, float, float, float], ...] = ()

    @property
    def says(self) -> str:
        """``better``, ``worse`` or ``open``."""
        if self.lower is None or self.upper is None or self.lower <= 0 <= self.upper:
            return "open"
        return "better" if (self.lower > 0) == (self.metric.better == "up") else "worse"


@dataclass(frozen=True, slots=True)
class Breach:
    """An arm that is sure to be worse than the first one by more than a guardrail allows: by ``least`` at
    least, among ``subjects`` of both."""

    arm: str
    guardrail: Guardrail
    least: float
    subjects: int


@dataclass(frozen=True, slots=True)
class Analysis:
    """``mismatch``: a p value of the shares; from ``SUSPICIOUS`` down nothing can be trusted."""

    arms: tuple[ArmCount, ...]
    comparisons: tuple[Comparison, ...]
    mismatch: float
    waiting: int
    """Subjects whose window is not over."""

    @property
    def trusted(self) -> bool:
        return self.mismatch > SUSPICIOUS

    def of(self, arm: str, name: str) -> Comparison:
        return next(c for c in self.comparisons if (c.arm, c.metric.name) == (arm, name))


def analyse(experiment: Experiment, subjects: Sequence[Subject], now: float) -> Analysis:
    """``subjects`` in the order in which they came."""
    plan = experiment.plan
    window = plan.window_hours * 3600
    over = [s for s in subjects if s.at + window <= now]
    deciding = metric(plan.metric)
    arms = []
    shares = dict(experiment.shares)
    shares[plan.control.name] = 1 - sum(shares.values())
    for arm in plan.arms:
        exposed = [s for s in subjects if s.arm == arm.name]
        counted = [s for s in over if s.arm == arm.name]
        values = [v for s in counted if (v := _value(s, deciding, window)) is not None]
        mean = float(np.mean(values)) if values else None
        turns = sum(s.turns for s in exposed)
        arms.append(
            ArmCount(arm.name, shares.get(arm.name, 0.0), len(exposed), len(counted), turns, mean)
        )
    alpha = plan.alpha / max(len(plan.treatments), 1)
    comparisons = [
        _compared(experiment, over, arm.name, metric(name), alpha)
        for arm in plan.treatments
        for name in plan.measured
    ]
    return Analysis(
        tuple(arms),
        tuple(comparisons),
        shares_kept(experiment, subjects),
        len(subjects) - len(over),
    )


def breaches(experiment: Experiment, subjects: Sequence[Subject]) -> list[Breach]:
    """Of arms that are not stopped yet. Each arm's guardrails together err as often as ``alpha`` says."""
    plan = experiment.plan
    found = []
    alive = [a.name for a in plan.treatments if a.name not in experiment.stopped]
    for arm in alive:
        alpha = plan.alpha / (len(plan.treatments) * max(len(plan.guardrails), 1))
        for guardrail in plan.guardrails:
            measured = metric(guardrail.metric)
            series = _series(experiment, subjects, arm, measured, 0.0)
            if series is None:
                continue
            worse = _worse(series, measured, alpha)
            # One look: what is sure now. What was sure before stopped the arm then.
            if worse > guardrail.margin:
                found.append(Breach(arm, guardrail, float(worse), len(series.values)))
    return found


def shares_kept(experiment: Experiment, subjects: Sequence[Subject]) -> float:
    """The p value of ``mismatch`` over all stages."""
    plan = experiment.plan
    stages = []
    for number, stage in enumerate(experiment.stages):
        counts = {a.name: 0 for a in plan.arms}
        for s in subjects:
            if s.stage == number:
                counts[s.arm] += 1
        shares = {**stage.shares, plan.control.name: 1 - sum(stage.shares.values())}
        names = list(counts)
        stages.append(
            Stage(tuple(shares.get(n, 0.0) for n in names), tuple(counts[n] for n in names))
        )
    return mismatch(stages)


@dataclass(frozen=True, slots=True)
class _Series:
    """``reach``: how far a difference of rates can lie, by all shares that are planned."""

    values: Any
    treated: Any
    share: Any
    reach: float


def _series(
    experiment: Experiment, subjects: Sequence[Subject], arm: str, m: Metric, window: float
) -> _Series | None:
    """Of the subjects of an arm and of the first one, in stages in which both could be had."""
    control = experiment.plan.control.name
    odds = [_odds(stage.shares, arm) for stage in experiment.stages]
    planned = [_odds(step.shares, arm) for step in experiment.plan.ramp]
    rows = [
        (v, s.arm == arm, odds[s.stage])
        for s in subjects
        if s.arm in (arm, control) and odds[s.stage] > 0 and (v := _value(s, m, window)) is not None
    ]
    if not rows:
        return None
    values, treated, share = zip(*rows, strict=True)
    far = reach([o for o in (*odds, *planned) if o > 0])
    return _Series(np.asarray(values), np.asarray(treated), np.asarray(share), far)


def _odds(shares: Mapping[str, float], arm: str) -> float:
    """Of those who come to the arm or to the first one, the share that comes to the arm."""
    own, first = shares.get(arm, 0.0), 1 - sum(shares.values())
    return own / (own + first) if own > 0 and first > 0 else 0.0


def _compared(
    experiment: Experiment, subjects: Sequence[Subject], arm: str, m: Metric, alpha: float
) -> Comparison:
    window = experiment.plan.window_hours * 3600
    series = _series(experiment, subjects, arm, m, window)
    if series is None:
        return Comparison(arm, m, 0, 0.0, None, None)
    bounds = asymptotic(differences(series.values, series.treated, series.share), alpha)
    n = len(series.values)
    lower, upper = float(bounds.lower[-1]), float(bounds.upper[-1])
    silent = not np.isfinite(upper)
    return Comparison(
        arm,
        m,
        n,
        float(bounds.estimate[-1]),
        None if silent else lower,
        None if silent else upper,
        _path(bounds),
    )


def _path(bounds: Bounds) -> tuple[tuple[int, float, float, float], ...]:
    told = np.flatnonzero(np.isfinite(bounds.upper))
    if not len(told):
        return ()
    chosen = np.unique(np.linspace(told[0], told[-1], min(POINTS, len(told))).astype(int))
    return tuple(
        (int(i) + 1, float(bounds.estimate[i]), float(bounds.lower[i]), float(bounds.upper[i]))
        for i in chosen
    )


def _worse(series: _Series, m: Metric, alpha: float) -> float:
    """By how much at least the arm is worse, sure at ``alpha``: one side of a sequence that has twice of
    it. Rates of few subjects are told by the exact one; it takes half of ``alpha`` then."""
    d = differences(series.values, series.treated, series.share)
    found = []
    rate = m.kind == "rate"
    sided = 2 * alpha / (2 if rate else 1)
    sequences = [asymptotic(d, sided)]
    if rate:
        sequences.append(bounded(d.z, -series.reach, series.reach, sided))
    for bounds in sequences:
        found.append(-bounds.upper[-1] if m.better == "up" else bounds.lower[-1])
    return float(max(found))


def _value(s: Subject, m: Metric, window: float) -> float | None:
    """A subject's one value; ``None`` where there is none, as of a rating that nobody gave."""
    if is_event(m.name):
        # An event comes after the turn that it is about.
        return s.means.get(m.name, 0.0 if m.kind == "rate" else None)
    return (s.means if window else s.first).get(m.name)
