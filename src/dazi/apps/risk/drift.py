"""How far transactions have moved from those a model was trained on.

The population stability index over ten bins of the training data, sum((p - q) ln(p / q)) (Siddiqi
2006), with Laplace's half a row in every bin. A PSI of 0.1 is a lot for one feature and everyday
for another: each is told beside what the training data's own periods drifted, and beside what so
few rows differ by chance.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt
from typing import Literal

import numpy as np

from dazi.apps.risk.features import NAMES, Floats
from dazi.apps.risk.model import Bins, Model

BINS = 10
PERIODS = 8
"""Into so many the training data is cut to see what is usual."""
LOOK, ACT = 0.1, 0.25
"""The customary bounds; below the first nothing is said, whatever is usual."""
Verdict = Literal["steady", "look", "act"]


@dataclass(frozen=True, slots=True)
class Drift:
    """``name``: a feature's or ``score``; ``usual``: a PSI up to this is nothing."""

    name: str
    psi: float
    usual: float
    verdict: Verdict


def bins_of(values: Floats) -> Bins:
    """``values``: of the training rows, in the order of time."""
    quantiles = np.quantile(values, np.linspace(0, 1, BINS + 1)[1:-1])
    edges = np.unique(quantiles)
    # The last edge of a rare flag is its 0: what is above it has a bin of its own.
    edges = edges[edges < values.max()] if len(values) else edges
    shares = _shares(values, edges)
    parts = np.array_split(values, PERIODS) if len(values) >= PERIODS else []
    usual = max((_psi(_shares(p, edges), shares) for p in parts), default=0.0)
    return Bins(tuple(edges.tolist()), tuple(shares.tolist()), round(usual, 6))


def drift(model: Model, rows: Floats) -> tuple[Drift, ...]:
    """The score first, then features, first what has drifted most beside what is usual; ``rows`` is
    n x features."""
    columns: Mapping[str, Floats] = {name: rows[:, i] for i, name in enumerate(NAMES)}
    score, *others = (
        _one(name, values, model.bins[name])
        for name, values in {"score": model.scores(rows), **columns}.items()
    )
    return score, *sorted(others, key=lambda d: (-d.psi / max(d.usual, LOOK), d.name))


def _one(name: str, values: Floats, bins: Bins) -> Drift:
    edges = np.array(bins.edges, np.float64)
    psi = _psi(_shares(values, edges), np.array(bins.shares))
    # Of n rows that have not moved, n times the PSI is about chi-squared: its mean and three sigmas.
    chance = (len(edges) + 3 * sqrt(2 * len(edges))) / max(1, len(values))
    usual = round(max(bins.usual_psi, chance), 6)
    act, look = max(ACT, 2 * usual), max(LOOK, usual)
    verdict: Verdict = "act" if psi > act else "look" if psi > look else "steady"
    return Drift(name, round(psi, 6), usual, verdict)


def _shares(values: Floats, edges: Floats) -> Floats:
    counts = np.bincount(np.searchsorted(edges, values, side="left"), minlength=len(edges) + 1)
    return np.asarray((counts + 0.5) / (len(values) + 0.5 * len(counts)), np.float64)


def _psi(p: Floats, q: Floats) -> float:
    return float(np.sum((p - q) * np.log(p / q)))
