"""What a threshold means: so many alerts a day, so many of them right, so much found.

People can look at so many cases; the budget comes first, and the threshold follows from it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from dazi.apps.risk.features import Floats
from dazi.core.errors import CallerError

BUDGETS = (0.001, 0.002, 0.005, 0.01, 0.02)
Action = Literal["allow", "review", "hold"]


@dataclass(frozen=True, slots=True)
class Costs:
    """Cents. ``alert``: of looking at one case. ``missed``: share of a missed fraud's amount that
    is lost."""

    alert: int
    missed: float = 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """At one budget (a share of all transactions). ``cost`` in cents, if costs were given."""

    budget: float
    threshold: float
    alerts: int
    alerts_a_day: float
    precision: float
    recall: float
    caught_cents: int
    cost: int | None


@dataclass(frozen=True, slots=True)
class ThresholdReport:
    """``frauds`` of ``transactions`` in ``days``; ``cost_without``: where nobody looks at all."""

    transactions: int
    frauds: int
    days: float
    rows: tuple[Row, ...]
    cost_without: int | None


@dataclass(frozen=True, slots=True)
class Thresholds:
    """From ``review`` on somebody looks, from ``hold`` on the money waits for it."""

    review: float
    hold: float

    def __post_init__(self) -> None:
        if not 0 < self.review <= self.hold <= 1:
            raise CallerError(
                "risk_thresholds",
                "应有 0 < 复核线 ≤ 暂停线 ≤ 1",
                "0 < review <= hold <= 1 is expected",
            )


@dataclass(frozen=True, slots=True)
class Proposal:
    """A proposal and no decision: a person decides. ``threshold``: the one that it goes by."""

    action: Action
    threshold: float


def report(
    scores: Floats,
    frauds: npt.NDArray[np.bool_],
    cents: npt.NDArray[np.int64],
    days: float,
    costs: Costs | None = None,
    budgets: Sequence[float] = BUDGETS,
) -> ThresholdReport:
    """``scores``, ``frauds`` and amounts, n each, of transactions that were not trained on.

    Never more alerts than a budget has: where many have the same score, all of them or none.
    Raises ``CallerError`` without a fraud, or for a budget that is no share.
    """
    if not frauds.any() or days <= 0 or any(not 0 < b < 1 for b in budgets):
        raise CallerError(
            "risk_thresholds",
            "要有欺诈、天数和 0 到 1 之间的预算",
            "frauds, days and budgets between 0 and 1 are needed",
        )
    lost = int(cents[frauds].sum())
    rows = tuple(_row(scores, frauds, cents, days, costs, b) for b in sorted(budgets))
    return ThresholdReport(
        len(scores), int(frauds.sum()), days, rows, round(lost * costs.missed) if costs else None
    )


def _row(
    scores: Floats,
    frauds: npt.NDArray[np.bool_],
    cents: npt.NDArray[np.int64],
    days: float,
    costs: Costs | None,
    budget: float,
) -> Row:
    threshold = cut(scores, budget)
    alerted = scores >= threshold
    alerts, hits = int(alerted.sum()), int((alerted & frauds).sum())
    caught, whole = int(cents[alerted & frauds].sum()), int(cents[frauds].sum())
    cost = alerts * costs.alert + round((whole - caught) * costs.missed) if costs else None
    return Row(
        budget,
        threshold,
        alerts,
        round(alerts / days, 2),
        round(hits / alerts, 6) if alerts else 0.0,
        round(hits / int(frauds.sum()), 6),
        caught,
        cost,
    )


def cut(scores: Floats, budget: float) -> float:
    """The lowest threshold that at most ``budget`` of the scores reach."""
    most = int(len(scores) * budget)
    if most == 0:
        return float(np.nextafter(scores.max(), 2))
    ordered = np.sort(scores)[::-1]
    last = ordered[most - 1]
    if most < len(ordered) and ordered[most] == last:
        above = ordered[ordered > last]
        return float(above[-1]) if len(above) else float(np.nextafter(last, 2))
    return float(last)


def choose(told: ThresholdReport, review: float, hold: float) -> Thresholds:
    """By budgets of the report: ``review`` of all transactions are looked at, ``hold`` are held."""
    by_budget = {row.budget: row.threshold for row in told.rows}
    missing = [b for b in (review, hold) if b not in by_budget]
    if missing:
        known = ", ".join(f"{b:g}" for b in by_budget)
        raise CallerError(
            "risk_thresholds",
            f"报告里没有预算 {missing[0]:g},有 {known}",
            f"the report has no budget {missing[0]:g}; it has {known}",
        )
    return Thresholds(min(by_budget[review], 1.0), min(by_budget[hold], 1.0))


def propose(score: float, thresholds: Thresholds) -> Proposal:
    if score >= thresholds.hold:
        return Proposal("hold", thresholds.hold)
    if score >= thresholds.review:
        return Proposal("review", thresholds.review)
    return Proposal("allow", thresholds.review)
