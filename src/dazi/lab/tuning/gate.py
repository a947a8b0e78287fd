"""Does an adapter do what it was tuned for, and does it spoil nothing? Pairs of the same cases."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dazi.lab.evals.report import Report
from dazi.ops.experiments.sequential import mcnemar

Z = 1.959964
"""Of 95 %."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Shares of cases that are right, before and after, and their difference with its 95 % interval.

    ``gained`` and ``lost``: cases that only one of both gets right; ``p`` of McNemar's exact test.
    """

    name: str
    n: int
    before: float
    after: float
    gained: int
    lost: int
    difference: float
    low: float
    high: float
    p: float


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` names what did not hold, empty when all did."""

    passed: bool
    why: tuple[str, ...]
    better: tuple[Paired, ...]
    same: tuple[Paired, ...]

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def paired(name: str, before: Mapping[str, bool], after: Mapping[str, bool]) -> Paired:
    """Of the cases that both have."""
    ids = [i for i in before if i in after]
    n = len(ids)
    both = sum(before[i] and after[i] for i in ids)
    lost = sum(before[i] and not after[i] for i in ids)
    gained = sum(after[i] and not before[i] for i in ids)
    low, high = newcombe(both, gained, lost, n - both - gained - lost)
    return Paired(
        name,
        n,
        (both + lost) / n if n else 0.0,
        (both + gained) / n if n else 0.0,
        gained,
        lost,
        (gained - lost) / n if n else 0.0,
        low,
        high,
        mcnemar(gained, lost),
    )


def judged(
    better: Sequence[Paired], same: Sequence[Paired], *, gain: float, loss: float
) -> Verdict:
    """``gain``: at least so much more in each of ``better``; ``loss``: of ``same`` none is surely worse
    by more than that, and none is worse by chance's measure and by more than that."""
    why = [f"{p.name}: {p.difference:+.1%} < {gain:+.1%}" for p in better if p.difference < gain]
    why += [f"{p.name}: {p.difference:+.1%} < {-loss:+.1%}" for p in same if p.difference < -loss]
    return Verdict(not why, tuple(why), tuple(better), tuple(same))


def right_cases(report: Report, ids: Sequence[str]) -> dict[str, bool]:
    wrong = {f.id for f in report.failures}
    return {i: i not in wrong for i in ids}


def newcombe(both: int, second: int, first: int, neither: int) -> tuple[float, float]:
    """The 95 % interval of the difference (second less first) of paired shares: method 10 of R. G.
    Newcombe, Improved confidence intervals for the difference between binomial proportions based on
    paired data, Statistics in Medicine 17 (1998), with its continuity-corrected correlation.

    ``both`` right; right only in the ``second``, only in the ``first``, in ``neither``.
    """
    n = both + second + first + neither
    if not n:
        return 0.0, 0.0
    a, b = both + second, both + first
    p, q = a / n, b / n
    (low_p, high_p), (low_q, high_q) = wilson(a, n), wilson(b, n)
    product = a * (n - a) * b * (n - b)
    phi = 0.0
    if product:
        cross = both * neither - second * first
        corrected = max(cross - n / 2, 0.0) if cross > 0 else float(cross)
        phi = corrected / math.sqrt(product)
    down_p, up_q = p - low_p, high_q - q
    up_p, down_q = high_p - p, q - low_q
    low = math.sqrt(max(down_p**2 - 2 * phi * down_p * up_q + up_q**2, 0.0))
    high = math.sqrt(max(up_p**2 - 2 * phi * up_p * down_q + down_q**2, 0.0))
    return p - q - low, p - q + high


def wilson(right: int, n: int) -> tuple[float, float]:
    """The 95 % interval of a share (E. B. Wilson 1927)."""
    if not n:
        return 0.0, 1.0
    share, z2 = right / n, Z * Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = Z * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n)) / (1 + z2 / n)
    return max(0.0, middle - half), min(1.0, middle + half)
