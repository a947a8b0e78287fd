"""How sure a share is, and how sure the difference of two runs over the same items."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from dazi.apps.contracts.statistics import Z, wilson

RESAMPLES = 2_000


@dataclass(frozen=True, slots=True)
class Paired:
    """Items by what two runs made of them."""

    both: int
    only_first: int
    only_second: int
    neither: int

    @property
    def n(self) -> int:
        return self.both + self.only_first + self.only_second + self.neither


@dataclass(frozen=True, slots=True)
class Interval:
    value: float
    low: float
    high: float


def share(values: Sequence[float], seed: int = 0) -> Interval:
    """The mean of values between 0 and 1 with 95 % bounds: Wilson's where they are all 0 or 1, else a
    bootstrap's."""
    mean = sum(values) / len(values)
    if all(v in (0, 1) for v in values):
        return Interval(mean, *wilson(round(sum(values)), len(values)))
    return bootstrap(values, range(len(values)), seed)


def newcombe(p: Paired) -> Interval:
    """The second share less the first, with 95 % bounds (Newcombe 1998, "Improved confidence intervals
    for the difference between binomial proportions based on paired data", method 10)."""
    n = p.n
    first, second = (p.both + p.only_first), (p.both + p.only_second)
    p1, p2 = first / n, second / n
    (l1, u1), (l2, u2) = wilson(first, n), wilson(second, n)
    phi = _correlation(p, first, second)
    gap = p2 - p1
    below = _reach(p2 - l2, u1 - p1, phi)
    above = _reach(u2 - p2, p1 - l1, phi)
    return Interval(gap, gap - below, gap + above)


def _correlation(p: Paired, first: int, second: int) -> float:
    """Of the two runs, drawn half a pair towards none where it is positive."""
    n = p.n
    under = first * (n - first) * second * (n - second)
    if not under:
        return 0.0
    over = float(p.both * p.neither - p.only_first * p.only_second)
    over = over if over < 0 else max(over - n / 2, 0.0)
    return over / math.sqrt(under)


def _reach(a: float, b: float, phi: float) -> float:
    return math.sqrt(max(a * a - 2 * phi * a * b + b * b, 0.0))


def bootstrap(values: Sequence[float], groups: Sequence[object], seed: int = 0) -> Interval:
    """The mean, with the 2.5th and 97.5th percentile of what it is when whole groups are drawn with
    replacement (Efron 1979): values of one conversation are not independent. The same seed gives the
    same bounds."""
    numbers = {g: i for i, g in enumerate(dict.fromkeys(groups))}
    at = np.array([numbers[g] for g in groups])
    sums = np.bincount(at, weights=np.asarray(values, dtype=np.float64))
    counts = np.bincount(at)
    rng = np.random.default_rng(seed)
    means = np.empty(RESAMPLES)
    for i in range(RESAMPLES):
        drawn = rng.integers(0, len(sums), len(sums))
        means[i] = sums[drawn].sum() / counts[drawn].sum()
    low, high = np.percentile(means, (2.5, 97.5))
    return Interval(float(np.mean(np.asarray(values, dtype=np.float64))), float(low), float(high))


def grouped_share(values: Sequence[float], groups: Sequence[object], seed: int = 0) -> Interval:
    """As ``share``, of values that are not independent within their groups. Where all are alike there is
    nothing to draw, and a group counts as one item."""
    if len(set(values)) == 1 and values[0] in (0, 1):
        n = len(set(groups))
        return Interval(values[0], *wilson(round(values[0] * n), n))
    return bootstrap(values, groups, seed)


def grouped_gap(
    first: Sequence[float], second: Sequence[float], groups: Sequence[object], seed: int = 0
) -> Interval:
    """The mean of ``second`` less that of ``first``, likewise: where no item differs, by Newcombe's method
    for as many items as there are groups."""
    gaps = [y - x for x, y in zip(first, second, strict=True)]
    if any(gaps):
        return bootstrap(gaps, groups, seed)
    n = len(set(groups))
    both = round(sum(first) / len(first) * n)
    return newcombe(Paired(both, 0, 0, n - both))


__all__ = [
    "RESAMPLES",
    "Interval",
    "Paired",
    "Z",
    "bootstrap",
    "grouped_gap",
    "grouped_share",
    "newcombe",
    "share",
    "wilson",
]
