"""Inference that stays valid however often one looks, for the difference of two arms.

An experiment on a running service is looked at all the time, and stopped when it seems decided. A test
for a fixed number of subjects then errs far more often than it says. A confidence sequence holds its
level at all times together: whatever the rule for stopping, the true difference leaves it at any time
at all with probability ``alpha`` at the most.

Subjects come one after the other; of each there is one value, the arm, and the share of the arm at
the time. ``differences`` makes of them values whose mean is the effect, whatever the shares were
(augmented inverse probability weighting with predictable means; Ham, Bojinov, Lindon, Tingley 2022,
"Design-based confidence sequences"), so shares may grow while the experiment runs. Over these:

- ``asymptotic``: Waudby-Smith, Arbour, Sinha, Kennedy, Ramdas 2024, "Time-uniform central limit theory
  and asymptotic confidence sequences", Annals of Statistics 52(6): for any metric of finite variance.
- ``bounded``: Waudby-Smith, Ramdas 2024, "Estimating means of bounded random variables by betting",
  JRSS B 86(1), theorem 2 (predictable plug-in, empirical Bernstein): exact for every number of subjects,
  wider.

All arrays have subjects in their last axis, so that many experiments can be reckoned at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WARM = 20
"""So many subjects first tell only where the means lie: before there is a mean, a value says nothing of
a difference."""
LEAST = 100
"""Subjects that each arm needs before an asymptotic sequence says anything."""
TUNED = 1_000
"""The number of subjects for which an asymptotic sequence is narrowest."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """After each subject: the estimate, and what the difference lies between."""

    estimate: Floats
    lower: Floats
    upper: Floats

    @property
    def decided(self) -> NDArray[np.bool_]:
        """Zero is outside."""
        return np.asarray((self.lower > 0) | (self.upper < 0))


@dataclass(frozen=True, slots=True)
class Differences:
    """``z``: for each subject a value whose expectation, given all before it, is the mean of the treated
    less that of the others. ``spread``: after each, what the variance of ``z`` would be if values were as
    spread in both arms; ``fewer``: subjects in the smaller arm so far."""

    z: Floats
    spread: Floats
    fewer: Floats


def differences(values: Any, treated: Any, share: Any) -> Differences:
    """``share``: the probability of being treated, between 0 and 1, of each subject or of all."""
    x = np.asarray(values, dtype=np.float64)
    t = np.asarray(treated, dtype=bool)
    p = np.broadcast_to(np.asarray(share, dtype=np.float64), x.shape)
    of_treated, of_others = _before(x, t), _before(x, ~t)
    rest = x - np.where(t, of_treated, of_others)
    z = of_treated - of_others + np.where(t, rest / p, -rest / (1 - p))
    n = np.arange(1, x.shape[-1] + 1, dtype=np.float64)
    weight = np.cumsum(1 / p + 1 / (1 - p), axis=-1) / n
    spread = np.cumsum(rest * rest, axis=-1) / n * weight
    of_one = np.cumsum(t, axis=-1, dtype=np.float64)
    return Differences(z, spread, np.minimum(of_one, n - of_one))


def _before(x: Floats, chosen: NDArray[np.bool_]) -> Floats:
    """The mean of the chosen before each subject, drawn towards the mean of all before it."""
    everything = _exclusive(x)
    order = np.arange(x.shape[-1], dtype=np.float64)
    overall = everything / np.maximum(order, 1)
    n, total = _exclusive(chosen.astype(np.float64)), _exclusive(np.where(chosen, x, 0.0))
    return np.asarray((total + overall) / (n + 1))


def _exclusive(x: Floats) -> Floats:
    """Sums of what comes before each."""
    out = np.zeros_like(x)
    np.cumsum(x[..., :-1], axis=-1, out=out[..., 1:])
    return out


def asymptotic(d: Differences, alpha: float, tuned: int = TUNED, least: int = LEAST) -> Bounds:
    """``tuned``: where it is narrowest. It says nothing before both arms have ``least`` subjects, for its
    guarantee is one for many; and takes the variance to be that of ``spread`` where that is more: of few
    subjects in a small arm, none may have had what is rare."""
    z = d.z[..., WARM:]
    n = np.arange(1, z.shape[-1] + 1, dtype=np.float64)
    mean = np.cumsum(z, axis=-1) / n
    variance = np.maximum(np.cumsum(z * z, axis=-1) / n - mean * mean, d.spread[..., WARM:])
    # The mixture's parameter for which the sequence is narrowest at ``tuned``, appendix B.2 there.
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / tuned
    grown = n * rho2 + 1
    radius = np.sqrt(variance * 2 * grown / (n * n * rho2) * np.log(np.sqrt(grown) / alpha))
    radius[d.fewer[..., WARM:] < least] = np.inf
    return _behind(mean, radius, WARM)


def bounded(z: Floats, low: float, high: float, alpha: float) -> Bounds:
    """Of values that all lie between ``low`` and ``high``, for every number of them."""
    x = np.clip((z - low) / (high - low), 0.0, 1.0)
    n = np.arange(1, x.shape[-1] + 1, dtype=np.float64)
    sums = _exclusive(x)
    mean_before = (0.5 + sums) / n
    spread = (0.25 + np.cumsum((x - (0.5 + sums + x) / (n + 1)) ** 2, axis=-1)) / (n + 1)
    before = np.concatenate([np.full_like(spread[..., :1], 0.25), spread[..., :-1]], axis=-1)
    bets = np.minimum(np.sqrt(2 * math.log(2 / alpha) / (before * n * np.log1p(n))), 0.5)
    weight = np.cumsum(bets, axis=-1)
    mean = np.cumsum(bets * x, axis=-1) / weight
    paid = np.cumsum((x - mean_before) ** 2 * (-np.log1p(-bets) - bets), axis=-1)
    radius = (math.log(2 / alpha) + paid) / weight
    scale = high - low
    return _behind(low + scale * mean, scale * radius, 0)


def _behind(mean: Floats, radius: Floats, dropped: int) -> Bounds:
    """With nothing said of those that were dropped, in the places that they have."""
    shape = (*mean.shape[:-1], dropped)
    mean = np.concatenate([np.zeros(shape), mean], axis=-1)
    radius = np.concatenate([np.full(shape, np.inf), radius], axis=-1)
    return Bounds(mean, mean - radius, mean + radius)


def reach(shares: Any) -> float:
    """How far from zero a value of ``differences`` can lie, for metrics from 0 to 1."""
    p = np.asarray(shares, dtype=np.float64)
    return float(np.max(np.maximum(1 / p, 1 / (1 - p)), initial=2.0))


def z_test(values: Any, treated: Any, alpha: float, least: int = LEAST) -> NDArray[np.bool_]:
    """What the test for a fixed number of subjects would decide after each. To be compared with, not to
    be used: whoever looks twice is wrong more often than ``alpha``."""
    x = np.asarray(values, dtype=np.float64)
    t = np.asarray(treated, dtype=bool)
    shown: list[tuple[Floats, Floats]] = []
    for chosen in (t, ~t):
        n = np.maximum(np.cumsum(chosen, axis=-1, dtype=np.float64), 1)
        mean = np.cumsum(np.where(chosen, x, 0.0), axis=-1) / n
        square = np.cumsum(np.where(chosen, x * x, 0.0), axis=-1) / n
        shown.append((mean, np.maximum(square - mean * mean, 0.0) / n))
    (a, va), (b, vb) = shown
    with np.errstate(divide="ignore", invalid="ignore"):
        score = np.abs(a - b) / np.sqrt(va + vb)
    out = np.nan_to_num(score, nan=0.0) > _normal_quantile(1 - alpha / 2)
    out[..., : least - 1] = False
    return np.asarray(out)


def _normal_quantile(p: float) -> float:
    from statistics import NormalDist

    return NormalDist().inv_cdf(p)


@dataclass(frozen=True, slots=True)
class Stage:
    """A time in which shares stayed as they were, and how many came to each arm then."""

    shares: tuple[float, ...]
    counts: tuple[int, ...]


def mismatch(stages: Sequence[Stage]) -> float:
    """A p value, valid at all times, for "subjects came to the arms in their shares": one over the Bayes
    factor of a uniform Dirichlet prior (Lindon, Malek 2022, "Anytime-valid inference for multinomial
    count data"); stages multiply. Small: whoever assigns or counts makes a mistake, and nothing that the
    experiment says can be trusted."""
    against = 0.0
    for stage in stages:
        pairs = [(s, n) for s, n in zip(stage.shares, stage.counts, strict=True) if s > 0]
        if any(n for s, n in zip(stage.shares, stage.counts, strict=True) if s <= 0):
            return 0.0  # in an arm that nobody could come to
        n, k = sum(c for _, c in pairs), len(pairs)
        whole = sum(s for s, _ in pairs)
        if k < 2 or not n:
            continue
        against += math.lgamma(k) - math.lgamma(k + n)
        against += sum(math.lgamma(c + 1) - c * math.log(s / whole) for s, c in pairs)
    return math.exp(min(0.0, -against))


# --- two variants of the same cases ------------------------------------------------------------------


def mcnemar(only_first: int, only_second: int) -> float:
    """The exact two-sided p value for "as many cases are right with one only as with the other only"
    (McNemar 1947): of cases that both get right or wrong nothing is to be learned."""
    n = only_first + only_second
    if not n:
        return 1.0
    tail = sum(math.comb(n, i) for i in range(min(only_first, only_second) + 1)) / (1 << n)
    return min(1.0, 2 * tail)


FLIPS_AT_ONCE = 10_000_000
"""Signs that are drawn together: 80 MB."""


def sign_flips(gaps: Sequence[float], times: int = 10_000, seed: int = 0) -> float:
    """A p value for "the differences of pairs are as likely one way as the other", by flipping their
    signs at random (Fisher 1935)."""
    x = np.asarray(gaps, dtype=np.float64)
    if not x.any():
        return 1.0
    rng = np.random.default_rng(seed)
    observed, extreme = abs(x.sum()), 1
    at_once = max(1, min(1_000, FLIPS_AT_ONCE // len(x)))
    for done in range(0, times, at_once):
        signs = rng.choice((-1.0, 1.0), size=(min(at_once, times - done), len(x)))
        extreme += int((np.abs(signs @ x) >= observed * (1 - 1e-12)).sum())
    return extreme / (times + 1)
