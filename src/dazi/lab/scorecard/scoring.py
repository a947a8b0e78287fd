"""Three scores a candidate, and one of them by weights. Nothing that was not measured is filled in: a metric that
one candidate lacks counts for nobody, and a candidate without one of the three has no score of all."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dazi.lab.scorecard.costing import Reckoned
from dazi.lab.scorecard.declared import DIMENSIONS, Card, Dimension, Must, Scale, Weights
from dazi.lab.scorecard.evidence import Compliant, Measure, RunOf

Z = 1.959964


@dataclass(frozen=True, slots=True)
class Score:
    """0 to 1; ``low`` and ``high``: of 95 %, by what was measured of the capability."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Kept:
    """A condition and what was measured of it; ``holds`` is ``None`` where nothing was."""

    must: Must
    measured: Measure | None
    holds: bool | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """``measured``: by ``suite.metric``. ``scores``: of each dimension that could be scored."""

    name: str
    runs: tuple[RunOf, ...]
    measured: Mapping[str, Measure]
    cost: Reckoned | None
    compliance: Compliant | None
    musts: tuple[Kept, ...]
    scores: Mapping[Dimension, Score]
    overall: Score | None
    lacking: tuple[Dimension, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What is known of a candidate before anything is scored."""

    name: str
    runs: tuple[RunOf, ...]
    cost: Reckoned | None
    compliance: Compliant | None

    def measured(self) -> dict[str, Measure]:
        """Of several runs of a suite the last one named counts."""
        return {f"{r.suite}.{name}": m for r in self.runs for name, m in r.metrics.items()}

    def asked(self, key: str) -> tuple[str, int, int] | None:
        """The items that this metric was measured on."""
        found = self.measured().get(key)
        return next((r.asked for r in self.runs if found and r.id == found.run), None)


@dataclass(frozen=True, slots=True)
class Scorecard:
    """``counted``: the metrics that every candidate has; ``left_out``: those that count for nobody;
    ``unlike``: those of ``counted`` that were not measured on the same items."""

    card: Card
    made: str
    candidates: tuple[Candidate, ...]
    counted: tuple[str, ...]
    left_out: tuple[str, ...]
    unlike: tuple[str, ...] = ()


def scored(card: Card, found: Sequence[Found], made: str) -> Scorecard:
    measured = [f.measured() for f in found]
    keys = [m.key for m in card.capability]
    counted = tuple(k for k in keys if all(k in m for m in measured))
    return Scorecard(
        card,
        made,
        tuple(_candidate(card, f, m, counted) for f, m in zip(found, measured, strict=True)),
        counted,
        tuple(k for k in keys if k not in counted),
        tuple(k for k in counted if len({f.asked(k) for f in found}) > 1),
    )


def _candidate(
    card: Card, found: Found, measured: Mapping[str, Measure], counted: Sequence[str]
) -> Candidate:
    scores: dict[Dimension, Score] = {}
    if counted:
        scores["capability"] = _capability(card, measured, counted)
    if found.cost is not None:
        value = cost_score(found.cost.thousand, card.cost_scale)
        scores["cost"] = Score(value, value, value)
    passed = found.compliance.score if found.compliance else None
    if passed is not None:
        scores["compliance"] = Score(passed, passed, passed)
    lacking = tuple(d for d in DIMENSIONS if card.weights.of(d) and d not in scores)
    return Candidate(
        found.name,
        found.runs,
        measured,
        found.cost,
        found.compliance,
        tuple(_kept(m, measured.get(m.key)) for m in card.must),
        scores,
        None if lacking else weighted(scores, card.weights),
        lacking,
    )


def _capability(card: Card, measured: Mapping[str, Measure], counted: Sequence[str]) -> Score:
    """The weighted mean. Errors of metrics of one run, which are of the same items, are taken as moving
    together; those of several runs as independent."""
    specs = [m for m in card.capability if m.key in counted]
    total = sum(m.weight for m in specs)
    value = 0.0
    spreads: dict[str, float] = {}
    for m in specs:
        found, share = measured[m.key], m.weight / total
        value += share * (1 - found.value if m.lower else found.value)
        spreads[found.run] = spreads.get(found.run, 0.0) + share * found.deviation
    return _around(value, math.hypot(*spreads.values()))


def weighted(scores: Mapping[Dimension, Score], weights: Weights) -> Score:
    total = sum(weights.of(d) for d in DIMENSIONS)
    parts = [(weights.of(d) / total, scores[d]) for d in DIMENSIONS if weights.of(d)]
    return Score(
        sum(w * s.value for w, s in parts),
        sum(w * s.low for w, s in parts),
        sum(w * s.high for w, s in parts),
    )


def cost_score(thousand: float, scale: Scale) -> float:
    if thousand <= scale.best:
        return 1.0
    if thousand >= scale.worst:
        return 0.0
    return math.log(scale.worst / thousand) / math.log(scale.worst / scale.best)


def _kept(must: Must, measured: Measure | None) -> Kept:
    if measured is None:
        return Kept(must, None, None)
    above = must.at_most is not None and measured.value > must.at_most
    below = must.at_least is not None and measured.value < must.at_least
    return Kept(must, measured, not (above or below))


def _around(value: float, deviation: float) -> Score:
    half = Z * deviation
    return Score(value, max(0.0, value - half), min(1.0, value + half))
