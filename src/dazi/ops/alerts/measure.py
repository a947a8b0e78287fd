"""What a rule finds in the history: a value for each of the things that it looks at."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from dazi.observe.history import History
from dazi.observe.instruments import Histogram, Registry, quantile
from dazi.ops.alerts.rules import Absence, Burn, Rule, Selection, Threshold

Labels = tuple[tuple[str, str], ...]
Bounds = Callable[[str], Sequence[float]]
FRESH_S = 60.0
"""A gauge's value counts for so long."""
_LABEL = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True, slots=True)
class Reading:
    """``bad``: beyond the limit. ``well``: not even beyond the point from which it is well again."""

    labels: Labels
    value: float | None
    bad: bool
    well: bool


@dataclass(frozen=True, slots=True)
class Series:
    """``part``: a histogram's bucket by its number, or ``sum``; empty for all else."""

    name: str
    labels: Labels
    part: str


@lru_cache(maxsize=8_192)
def series_of(name: str) -> Series:
    head, _, part = name.rpartition("#") if _is_part(name) else (name, "", "")
    found = _LABEL.findall(head.partition("{")[2])
    return Series(name, tuple((k, str(json.loads(v))) for k, v in found), part)


def _is_part(name: str) -> bool:
    _, _, last = name.rpartition("#")
    return last.isdigit() or last == "sum"


def bounds_in(registry: Registry) -> Bounds:
    """The upper bounds of a histogram's buckets; none for what is no histogram."""
    by_name = {i.name: i.bounds for i in registry if isinstance(i, Histogram)}

    def bounds(metric: str) -> Sequence[float]:
        return by_name.get(metric, ())

    return bounds


class Measure:
    """Reads only; may run in a thread of its own."""

    def __init__(self, history: History, bounds: Bounds) -> None:
        self._history = history
        self._bounds = bounds

    def readings(self, rule: Rule, now: float) -> list[Reading]:
        match rule.test:
            case Threshold():
                return list(self._threshold(rule.test, now))
            case Burn():
                return list(self._burn(rule.test, now))
            case Absence():
                return list(self._absence(rule.test, now))

    # --- thresholds ------------------------------------------------------------------------------

    def _threshold(self, test: Threshold, now: float) -> Iterator[Reading]:
        for labels, value in self._values(test, now):
            if value is None:
                yield Reading(labels, None, bad=False, well=True)
            else:
                bad = test.beyond(value, test.limit)
                yield Reading(labels, value, bad, not test.beyond(value, test.clears) and not bad)

    def _values(self, test: Threshold, now: float) -> Iterator[tuple[Labels, float | None]]:
        groups = self._groups(test.what, test.each)
        match test.how:
            case "latest" | "age" | "until":
                below = self._groups(test.per, test.each) if test.per is not None else None
                for labels, found in groups.items():
                    value = self._latest(test, found, now)
                    if value is None or math.isnan(value):
                        continue
                    if below is not None:
                        size = self._latest(test, below.get(labels, []), now)
                        if not size:
                            continue
                        value /= size
                    yield labels, _turned(test.how, value, now)
            case "rate" | "count":
                for labels, found in groups.items():
                    count = self._count(found, test.window_s, now)
                    yield labels, count / test.window_s if test.how == "rate" else count
            case "ratio":
                assert test.per is not None
                for labels, whole in self._groups(test.per, test.each).items():
                    all_ = self._count(whole, test.window_s, now)
                    part = self._count(groups.get(labels, []), test.window_s, now)
                    yield labels, part / all_ if all_ >= max(test.at_least, 1) else None
            case "quantile":
                bounds = self._bounds(test.what.metric)
                for labels, found in groups.items():
                    counts = self._buckets(found, len(bounds) + 1, test.window_s, now)
                    enough = sum(counts) >= max(test.at_least, 1) and len(bounds) > 0
                    yield labels, quantile(bounds, counts, test.quantile) if enough else None

    def _latest(self, test: Threshold, found: Sequence[Series], now: float) -> float | None:
        values = [self._history.latest(s.name, now, FRESH_S) for s in found]
        known = [v for v in values if v is not None]
        if not known:
            return None
        # Of times, the older is the worse one where their age counts.
        higher_is_worse = (test.side == "above") == (test.how != "age")
        return max(known) if higher_is_worse else min(known)

    # --- burn rates ------------------------------------------------------------------------------

    def _burn(self, test: Burn, now: float) -> Iterator[Reading]:
        bad_ones = self._groups(test.bad, test.each) if test.bad is not None else {}
        for labels, found in self._groups(test.total, test.each).items():
            wrong = bad_ones.get(labels, [])
            rates = [
                (
                    self._rate(test, found, wrong, w.long_s, now),
                    self._rate(test, found, wrong, w.short_s, now),
                    w.factor,
                )
                for w in test.windows
            ]
            bad = any(min(long, short) > factor for long, short, factor in rates)
            # As the workbook has it: the short window says that it is over.
            well = all(short <= factor for _, short, factor in rates)
            worst = max(rates, key=lambda r: min(r[:2]) / r[2])
            yield Reading(labels, min(worst[:2]), bad, well and not bad)

    def _rate(
        self,
        test: Burn,
        found: Sequence[Series],
        wrong: Sequence[Series],
        window_s: float,
        now: float,
    ) -> float:
        if test.within is None:
            total, bad = self._count(found, window_s, now), self._count(wrong, window_s, now)
        else:
            bounds = self._bounds(test.total.metric)
            counts = self._buckets(found, len(bounds) + 1, window_s, now)
            total = sum(counts)
            bad = total - sum(c for c, b in zip(counts, bounds, strict=False) if b <= test.within)
        if total < max(test.at_least, 1):
            return 0.0
        return (bad / total) / (1 - test.objective)

    # --- absence ---------------------------------------------------------------------------------

    def _absence(self, test: Absence, now: float) -> Iterator[Reading]:
        for labels, found in self._groups(test.what, test.each).items():
            names = [s.name for s in found]
            course = self._history.course(names, now - test.seen_s, now, "last")
            known = course.at[~np.isnan(course.values)]
            if not len(known):
                continue
            fine = self._history.course(names, now - test.gone_s, now, "last")
            gone = bool(np.isnan(fine.values).all())
            yield Reading(labels, now - float(known[-1]), gone, not gone)

    # --- series ----------------------------------------------------------------------------------

    def _groups(self, chosen: Selection, each: Sequence[str]) -> dict[Labels, list[Series]]:
        out: dict[Labels, list[Series]] = {}
        for name in self._history.names(chosen.metric):
            series = series_of(name)
            labels = dict(series.labels)
            if all(_fits(labels.get(k, ""), wanted) for k, wanted in chosen.labels.items()):
                key = tuple((k, labels.get(k, "")) for k in each)
                out.setdefault(key, []).append(series)
        return out

    def _count(self, found: Sequence[Series], window_s: float, now: float) -> float:
        names = [s.name for s in found if s.part != "sum"]
        return self._history.total(names, now - window_s, now) if names else 0.0

    def _buckets(
        self, found: Sequence[Series], many: int, window_s: float, now: float
    ) -> list[float]:
        counts = [0.0] * many
        for number in range(many):
            names = [s.name for s in found if s.part == str(number)]
            if names:
                counts[number] = self._history.total(names, now - window_s, now)
        return counts


def _turned(how: str, value: float, now: float) -> float:
    return now - value if how == "age" else value - now if how == "until" else value


@lru_cache(maxsize=1_024)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _fits(value: str, wanted: str) -> bool:
    if wanted.startswith("!"):
        return _compiled(wanted[1:]).fullmatch(value) is None
    return _compiled(wanted).fullmatch(value) is not None
