"""What is counted and timed: counters, histograms, gauges, and the registry that holds them.

An update is a look-up and an addition, because some are made for every request. All updates come
from the event loop; whoever reads may be another thread and sees each number whole.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Literal, TypeVar

Labels = tuple[str, ...]
"""Values, in the order of the instrument's label names."""

MOST_SERIES = 200
"""Of one instrument. What comes beyond is counted under ``OTHER``, so that no caller can fill the
memory by inventing names."""
OTHER = "other"

SECONDS = (
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.35, 0.5, 0.75,
    1.0, 1.5, 2.5, 3.5, 5.0, 7.5, 10.0, 15.0, 30.0, 60.0, 120.0,
)  # fmt: skip
"""Upper bounds of buckets, in seconds, near enough to each other for a p99 within a fifth."""


@dataclass(slots=True)
class Counter:
    """Goes up. ``kept``: its course is kept in the history."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kept: bool = False
    values: dict[Labels, float] = field(default_factory=dict)

    def add(self, labels: Labels = (), amount: float = 1.0) -> None:
        values = self.values
        if labels not in values:
            labels = _bounded(values, labels)
        values[labels] = values.get(labels, 0.0) + amount

    def total(self, **wanted: str) -> float:
        """The sum of the series whose labels are as wanted."""
        return sum(self.values[labels] for labels in _matching(self.labels, self.values, wanted))


@dataclass(slots=True)
class Distribution:
    """``counts``: of values up to each of the ``bounds`` and, last, above all of them."""

    bounds: tuple[float, ...]
    counts: list[int]
    total: float = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value


@dataclass(slots=True)
class Histogram:
    """Values in buckets with upper ``bounds``."""

    name: str
    help: str
    labels: tuple[str, ...] = ()
    kept: bool = False
    bounds: tuple[float, ...] = SECONDS
    values: dict[Labels, Distribution] = field(default_factory=dict)

    def observe(self, value: float, labels: Labels = ()) -> None:
        self.series(labels).add(value)

    def series(self, labels: Labels) -> Distribution:
        """Where values with these labels go: to be kept by whoever has many of them."""
        found = self.values.get(labels)
        if found is None:
            labels = _bounded(self.values, labels)
            empty = Distribution(self.bounds, [0] * (len(self.bounds) + 1))
            found = self.values.setdefault(labels, empty)
        return found


Measured = Callable[[], Iterable[tuple[Labels, float]]]


@dataclass(slots=True)
class Gauge:
    """What is so now, asked for when somebody looks."""

    name: str
    help: str
    labels: tuple[str, ...]
    read: Measured
    kept: bool = False
    kind: Literal["gauge", "counter"] = "gauge"
    """``counter``: something that counts elsewhere, and only goes up."""


Instrument = Counter | Histogram | Gauge
Kind = TypeVar("Kind", Counter, Histogram, Gauge)


class Registry:
    """All instruments of a process, by name. A name that is there already raises ``ValueError``."""

    def __init__(self) -> None:
        self._instruments: dict[str, Instrument] = {}

    def counter(self, name: str, help: str, *labels: str, kept: bool = False) -> Counter:
        return self._add(Counter(name, help, labels, kept))

    def histogram(
        self,
        name: str,
        help: str,
        *labels: str,
        kept: bool = False,
        bounds: tuple[float, ...] = SECONDS,
    ) -> Histogram:
        return self._add(Histogram(name, help, labels, kept, bounds))

    def gauge(
        self,
        name: str,
        help: str,
        read: Measured,
        *labels: str,
        kept: bool = True,
        kind: Literal["gauge", "counter"] = "gauge",
    ) -> Gauge:
        return self._add(Gauge(name, help, labels, read, kept, kind))

    def __iter__(self) -> Iterator[Instrument]:
        return iter(tuple(self._instruments.values()))

    def __getitem__(self, name: str) -> Instrument:
        return self._instruments[name]

    def _add(self, made: Kind) -> Kind:
        if made.name in self._instruments:
            raise ValueError(f"there is an instrument {made.name} already")
        self._instruments[made.name] = made
        return made


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float | None:
    """The value below which ``share`` of all lie, interpolated within its bucket; ``None`` where there
    are none. What lies above the last bound counts as that bound."""
    total = sum(counts)
    if total <= 0:
        return None
    wanted = share * total
    for i, reached in enumerate(accumulate(counts)):
        if reached >= wanted and counts[i] > 0:
            if i >= len(bounds):
                break
            below = bounds[i - 1] if i else 0.0
            inside = (wanted - (reached - counts[i])) / counts[i]
            return below + (bounds[i] - below) * inside
    return bounds[-1]


def _bounded(values: Mapping[Labels, object], labels: Labels) -> Labels:
    return labels if len(values) < MOST_SERIES else (OTHER,) * len(labels)


def _matching(
    names: Sequence[str], values: Iterable[Labels], wanted: Mapping[str, str]
) -> Iterator[Labels]:
    places = [(names.index(name), value) for name, value in wanted.items()]
    return (labels for labels in tuple(values) if all(labels[i] == v for i, v in places))
