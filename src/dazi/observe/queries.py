"""What a chart shows of the history: rates, quantiles and levels over a span, in so many points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from dazi.observe.history import History, labels_of
from dazi.observe.instruments import Histogram, quantile

Line = list[float | None]
POINTS = 120


@dataclass(frozen=True, slots=True)
class Lines:
    """``at``: where each point begins, in seconds since the epoch; ``lines``: by name, ``None`` where
    nothing is known."""

    at: list[float]
    lines: Mapping[str, Line]


@dataclass(frozen=True, slots=True)
class Queries:
    """Over ``seconds`` up to ``now``."""

    history: History
    seconds: float
    now: float
    points: int = POINTS

    @property
    def since(self) -> float:
        return self.now - self.seconds

    def rates(self, metric: str, by: str = "", per: float = 60.0, **wanted: str) -> Lines:
        """How much of a counter, every ``per`` seconds, for each value of the label ``by``."""
        groups = self._groups(metric, by, wanted)
        at, sums, width = self._sums([n for names in groups.values() for n in names])
        lines, column = {}, 0
        for name, members in groups.items():
            part = sums[:, column : column + len(members)]
            lines[name] = _known(_total(part) * per / width)
            column += len(members)
        return Lines(at, lines)

    def quantiles(self, timed: Histogram, shares: Sequence[float], **wanted: str) -> Lines:
        """Quantiles of all that came within each point."""
        names = [n for n in self.history.names(timed.name, **wanted) if _bucket(n) is not None]
        at, sums, _ = self._sums(names)
        counts = np.zeros((len(at), len(timed.bounds) + 1))
        for column, name in enumerate(names):
            counts[:, _bucket(name)] += np.nan_to_num(sums[:, column])
        lines = {
            f"p{100 * s:g}": [quantile(timed.bounds, row, s) for row in counts.tolist()]
            for s in shares
        }
        return Lines(at, lines)

    def quantile(self, timed: Histogram, share: float, **wanted: str) -> float | None:
        """Of the whole span."""
        found = self.history.buckets(timed.name, timed.bounds, self.since, self.now, **wanted)
        return quantile(timed.bounds, found, share)

    def total(self, metric: str, **wanted: str) -> float:
        return self.history.total(self.history.names(metric, **wanted), self.since, self.now)

    def totals(self, metric: str, by: str, **wanted: str) -> dict[str, float]:
        """For each value of a label, the largest first."""
        groups = self._groups(metric, by, wanted)
        found = {k: self.history.total(v, self.since, self.now) for k, v in groups.items()}
        return dict(sorted(found.items(), key=lambda kv: -kv[1]))

    def levels(self, metric: str, by: str = "", **wanted: str) -> Lines:
        """Of a gauge: the highest within each point."""
        groups = self._groups(metric, by, wanted)
        lines: dict[str, Line] = {}
        at: list[float] = self._sums([])[0]
        for name, members in groups.items():
            course = self.history.course(members, self.since, self.now, "last")
            lines[name] = _known(_highest(_bins(course.values[:, None], self._each(course.at))))
        return Lines(at, lines)

    def values(self, label: str, metric: str) -> list[str]:
        """Which values of a label there have been."""
        found = {labels_of(n).get(label, "") for n in self.history.names(metric)}
        return sorted(found - {""})

    def _groups(self, metric: str, by: str, wanted: Mapping[str, str]) -> dict[str, list[str]]:
        groups: dict[str, list[str]] = {}
        for name in self.history.names(metric, **wanted):
            if "#" not in name:
                groups.setdefault(labels_of(name).get(by, ""), []).append(name)
        return dict(sorted(groups.items()))

    def _sums(self, names: Sequence[str]) -> tuple[list[float], npt.NDArray[np.float64], float]:
        """Points, what each series came to in each, and how many seconds a point is."""
        table = self.history.table(names, self.since, self.now)
        each = self._each(table.at)
        at = table.at[::-1][:: max(each, 1)][::-1]
        step = float(table.at[1] - table.at[0]) if len(table.at) > 1 else self.seconds
        return [float(a) for a in at], _binned_sum(table.values, each), step * each

    def _each(self, at: npt.NDArray[np.float64]) -> int:
        """Slots of a point."""
        return max(1, -(-len(at) // self.points))


def _bins(values: npt.NDArray[np.float32], each: int) -> npt.NDArray[np.float64]:
    """``values`` [slot, series] as [point, slot, series], the last point whole."""
    missing = -len(values) % each
    padding = np.full((missing, values.shape[1]), np.nan)
    slots = len(values) + missing
    return np.concatenate([padding, values]).reshape(slots // each, each, values.shape[1])


def _binned_sum(values: npt.NDArray[np.float32], each: int) -> npt.NDArray[np.float64]:
    bins = _bins(values, each)
    empty = np.isnan(bins).all(axis=1)
    return np.where(empty, np.nan, np.nansum(bins, axis=1))


def _highest(bins: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    filled = np.where(np.isnan(bins), -np.inf, bins).max(axis=(1, 2))
    return np.where(np.isneginf(filled), np.nan, filled)


def _total(part: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    empty = np.isnan(part).all(axis=1)
    return np.where(empty, np.nan, np.nansum(part, axis=1))


def _known(values: npt.NDArray[np.float64]) -> Line:
    return [None if np.isnan(v) else float(v) for v in values]


def _bucket(name: str) -> int | None:
    _, _, number = name.rpartition("#")
    return int(number) if number.isdigit() else None
