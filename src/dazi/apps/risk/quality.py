"""How good a model is on transactions that came after those it was made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import Floats
from dazi.apps.risk.model import Model
from dazi.apps.risk.past import DAY
from dazi.apps.risk.thresholds import BUDGETS, Costs, ThresholdReport, report
from dazi.core.errors import CallerError


@dataclass(frozen=True, slots=True)
class Quality:
    """``begin`` and ``end``: of the transactions, ISO 8601. ``brier``: the mean squared difference
    between score and outcome."""

    begin: str
    end: str
    auc: float
    average_precision: float
    brier: float
    thresholds: ThresholdReport


def quality_of(
    model: Model,
    ordered: Sequence[Transaction],
    rows: Floats,
    costs: Costs | None = None,
    budgets: Sequence[float] = BUDGETS,
) -> Quality:
    """Raises ``CallerError`` for transactions that begin before those of training end: what a model
    has seen says nothing about what it can do."""
    from sklearn.metrics import average_precision_score, roc_auc_score

    if not ordered or ordered[0].at <= datetime.fromisoformat(model.trained.end):
        raise CallerError(
            "risk_quality",
            f"检验要用 {model.trained.end} 之后的交易",
            f"transactions after {model.trained.end} are needed for a test",
        )
    frauds = np.array([t.outcome == "fraud" for t in ordered], dtype=bool)
    cents = np.array([t.amount_cents for t in ordered], dtype=np.int64)
    days = max(1.0, (ordered[-1].seconds - ordered[0].seconds) / DAY)
    scores = model.scores(rows)
    thresholds = report(scores, frauds, cents, days, costs, budgets)
    margins = model.margins(rows)
    return Quality(
        ordered[0].at.isoformat(),
        ordered[-1].at.isoformat(),
        round(float(roc_auc_score(frauds, margins)), 6),
        round(float(average_precision_score(frauds, margins)), 6),
        round(float(np.mean((scores - frauds) ** 2)), 6),
        thresholds,
    )
