"""What a test promises, tried: experiments without and with a difference, looked at after every subject."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from dazi.ops.experiments.sequential import (
    Floats,
    asymptotic,
    bounded,
    differences,
    reach,
    z_test,
)

AT_ONCE = 100
"""Runs in one array."""
METHODS = ("z-test", "asymptotic", "bounded")
METRICS_TRIED = ("rate", "rare", "latency")
DRAWS: Mapping[str, tuple[float, float]] = {
    "rate": (0.0, 1.0),
    "rare": (0.0, 1.0),
    "latency": (0.0, math.inf),
}
"""Metrics that are simulated, with their bounds: a rate near one half, one of 2 %, and times with a
heavy tail (log-normal, sigma 1)."""
_RATES = {"rate": 0.5, "rare": 0.02}


@dataclass(frozen=True, slots=True)
class Trial:
    """``effect``: what is added to the treated's mean, as a share of it. ``share``: of the treated."""

    metric: str
    effect: float = 0.0
    share: float = 0.5
    runs: int = 2_000
    horizon: int = 5_000
    alpha: float = 0.05
    seed: int = 20261130


@dataclass(frozen=True, slots=True)
class Tried:
    """``found``: runs in which a difference was found by the end, ``at`` after how many subjects in the
    middle of them; ``at_end``: runs in which the last look alone finds one."""

    trial: Trial
    method: str
    found: int
    at: float
    at_end: int

    @property
    def rate(self) -> float:
        return self.found / self.trial.runs

    @property
    def error(self) -> float:
        """The standard error of ``rate``."""
        return math.sqrt(self.rate * (1 - self.rate) / self.trial.runs)


def tried(trial: Trial) -> list[Tried]:
    """By each method that can do with the metric."""
    first: dict[str, list[Floats]] = {m: [] for m in METHODS}
    last: dict[str, int] = dict.fromkeys(METHODS, 0)
    for values, treated in _runs(trial):
        d = differences(values, treated, trial.share)
        decisions = {
            "z-test": z_test(values, treated, trial.alpha),
            "asymptotic": asymptotic(d, trial.alpha).decided,
        }
        if math.isfinite(DRAWS[trial.metric][1]):
            k = reach(trial.share)
            decisions["bounded"] = bounded(d.z, -k, k, trial.alpha).decided
        for method, decided in decisions.items():
            at = np.where(decided.any(axis=-1), decided.argmax(axis=-1) + 1, np.inf)
            first[method].append(at)
            last[method] += int(decided[..., -1].sum())
    out = []
    for method, parts in first.items():
        if parts:
            at = np.concatenate(parts)
            stopped = at[np.isfinite(at)]
            middle = float(np.median(stopped)) if len(stopped) else math.nan
            out.append(Tried(trial, method, len(stopped), middle, last[method]))
    return out


def _runs(trial: Trial) -> Iterator[tuple[Floats, np.ndarray[tuple[int, ...], np.dtype[np.bool_]]]]:
    rng = np.random.default_rng(trial.seed)
    left = trial.runs
    while left > 0:
        shape = (min(AT_ONCE, left), trial.horizon)
        treated = rng.random(shape) < trial.share
        more = np.where(treated, 1 + trial.effect, 1.0)
        if trial.metric == "latency":
            values = rng.lognormal(0.0, 1.0, shape) * more
        else:
            values = (rng.random(shape) < _RATES[trial.metric] * more).astype(np.float64)
        yield values, treated
        left -= shape[0]


def table(trials: list[list[Tried]]) -> Iterator[str]:
    """Lines of a Markdown table."""
    yield "| metric | effect | share | method | found | standard error | median subjects | last look alone |"
    yield "|---|---|---|---|---|---|---|---|"
    for results in trials:
        for r in results:
            t = r.trial
            at = f"{r.at:,.0f}" if math.isfinite(r.at) else "-"
            yield (
                f"| {t.metric} | {t.effect:+.0%} | {t.share:.0%} | {r.method} | {r.rate:.1%} | "
                f"{r.error:.1%} | {at} | {r.at_end / t.runs:.1%} |"
            )
