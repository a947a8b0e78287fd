"""The course of the instruments, kept beside the process in a file of fixed size.

Two rings of the same series: fine for hours, coarse for a month. A slot holds what happened within
it, so counts of any span are sums; of a gauge it holds the last value, and of one that nobody read it
holds nothing. When more series appear than there is room for, the latest are not kept, and
``left_out`` counts them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

import numpy as np
import numpy.typing as npt

from dazi.observe.exposition import read
from dazi.observe.instruments import Distribution, Gauge, Histogram, Registry

Values = npt.NDArray[np.float32]
How = Literal["sum", "last"]
FORMAT = 1


@dataclass(frozen=True, slots=True)
class Ring:
    """``slots`` of ``seconds`` each."""

    seconds: int
    slots: int


RINGS = (Ring(10, 2_160), Ring(300, 8_928))
"""Six hours, and a month of 31 days."""
SERIES = 1_024


@dataclass(frozen=True, slots=True)
class Course:
    """``at``: where each slot begins, in seconds since the epoch; ``values``: for each slot, NaN where
    nothing is known. The last slot is still being filled."""

    at: npt.NDArray[np.float64]
    values: Values


class History:
    """``folder=None`` keeps it in memory. One process at a time writes into a folder; a second keeps
    its own in memory."""

    def __init__(
        self, folder: Path | None, rings: Sequence[Ring] = RINGS, series: int = SERIES
    ) -> None:
        self.rings = tuple(rings)
        self.left_out = 0
        self._series = series
        self._places: dict[str, int] = {}
        self._last: dict[str, float] = {}
        self._rows: list[int] = [0] * len(self.rings)
        slots = sum(r.slots for r in self.rings)
        self._files = Files.open(folder, slots, series, self._form()) if folder else None
        if self._files is None:
            self._values: Values = np.zeros((slots, series), np.float32)
            self._stamps: npt.NDArray[np.int64] = np.zeros(slots, np.int64)
        else:
            self._values, self._stamps = self._files.values, self._files.stamps
            self._places = {name: i for i, name in enumerate(self._files.names)}

    def close(self) -> None:
        if self._files is not None:
            self._files.close()

    def take(self, registry: Registry, now: float) -> None:
        """What has happened since the last time, into the slots of ``now``."""
        self._turn(now)
        known = len(self._places)
        for instrument in registry:
            if not instrument.kept:
                continue
            if isinstance(instrument, Histogram):
                for labels, found in tuple(instrument.values.items()):
                    self._distribution(key(instrument.name, instrument.labels, labels), found)
            else:
                sums = not isinstance(instrument, Gauge) or instrument.kind == "counter"
                for labels, value in read(instrument).items():
                    name = key(instrument.name, instrument.labels, labels)
                    self._add(name, value) if sums else self._put(name, value)
        if self._files is not None and len(self._places) > known:
            self._files.save(list(self._places))

    def course(self, names: Iterable[str], since: float, now: float, how: How = "sum") -> Course:
        """Of these series together, from the finest ring that reaches back to ``since``. ``sum`` adds
        them up in each slot; ``last`` takes the largest, for gauges."""
        table = self.table(list(names), since, now)
        found = table.values
        if not found.shape[1]:
            return Course(table.at, np.full(len(table.at), np.nan, np.float32))
        empty = np.isnan(found).all(axis=1)
        filled = np.where(np.isnan(found), -np.inf if how == "last" else 0.0, found)
        values = filled.max(axis=1) if how == "last" else filled.sum(axis=1)
        return Course(table.at, np.where(empty, np.nan, values).astype(np.float32))

    def table(self, names: Sequence[str], since: float, now: float) -> Course:
        """As ``course``, each series in a column of its own; those that there are not are left out."""
        index = self._ring_for(since, now)
        ring = self.rings[index]
        newest = int(now // ring.seconds)
        oldest = max(int(since // ring.seconds), newest - ring.slots + 1)
        slots = np.arange(oldest, newest + 1)
        places = [self._places[n] for n in names if n in self._places]
        rows = self._offset(index) + slots % ring.slots
        found = np.array(self._values[np.ix_(rows, np.array(places, dtype=np.intp))])
        found[self._stamps[rows] != slots] = np.nan
        return Course((slots * ring.seconds).astype(np.float64), found)

    def total(self, names: Iterable[str], since: float, now: float) -> float:
        """What happened from ``since`` on, within a slot's length."""
        return float(np.nansum(self.course(names, since, now).values))

    def latest(self, name: str, now: float, within_s: float = 60.0) -> float | None:
        """A gauge's last value, if it is not older than that."""
        found = self.course([name], now - within_s, now, "last").values
        known = found[~np.isnan(found)]
        return float(known[-1]) if len(known) else None

    def names(self, metric: str, **wanted: str) -> list[str]:
        """Series of a metric whose labels are as wanted."""
        return [n for n in self._places if matches(n, metric, wanted)]

    def buckets(
        self, metric: str, bounds: Sequence[float], since: float, now: float, **wanted: str
    ) -> list[float]:
        """How many values came into each bucket of a histogram, for ``quantile``."""
        counts = [0.0] * (len(bounds) + 1)
        for name in self.names(metric, **wanted):
            _, _, number = name.rpartition("#")
            if number.isdigit() and int(number) < len(counts):
                counts[int(number)] += self.total([name], since, now)
        return counts

    def _ring_for(self, since: float, now: float) -> int:
        for index, ring in enumerate(self.rings[:-1]):
            if now - since <= ring.seconds * ring.slots:
                return index
        return len(self.rings) - 1

    def _offset(self, index: int) -> int:
        return sum(r.slots for r in self.rings[:index])

    def _turn(self, now: float) -> None:
        """Come to the slots of ``now``; what stood there a round ago goes. A clock that was set back
        goes on filling the last slot."""
        for index, ring in enumerate(self.rings):
            slot = int(now // ring.seconds)
            row = self._offset(index) + slot % ring.slots
            before = self._stamps[self._rows[index]] if self._rows[index] else 0
            if slot < before:
                continue
            if self._stamps[row] != slot:
                self._values[row] = np.nan
                self._stamps[row] = slot
            self._rows[index] = row

    def _distribution(self, name: str, found: Distribution) -> None:
        for i, count in enumerate(found.counts):
            if count:
                self._add(f"{name}#{i}", count)
        self._add(f"{name}#sum", found.total)

    def _add(self, name: str, total: float) -> None:
        """What a counter has come to; a smaller number than before is a new beginning."""
        before = self._last.get(name, 0.0)
        self._last[name] = total
        place = self._place(name)
        if place is None:
            return
        more = total - before if total >= before else total
        for row in self._rows:
            value = self._values[row, place]
            self._values[row, place] = more if np.isnan(value) else value + more

    def _put(self, name: str, value: float) -> None:
        place = self._place(name)
        if place is not None:
            for row in self._rows:
                self._values[row, place] = value

    def _place(self, name: str) -> int | None:
        place = self._places.get(name)
        if place is None:
            if len(self._places) >= self._series:
                self.left_out += 1
                return None
            place = self._places[name] = len(self._places)
        return place

    def _form(self) -> list[Any]:
        return [FORMAT, self._series, *([r.seconds, r.slots] for r in self.rings)]


@dataclass(slots=True)
class Files:
    """A history's place on disk. It takes room only as it fills."""

    values: Values
    stamps: npt.NDArray[np.int64]
    names: list[str]
    _told: Path
    _form: list[Any]
    _lock: IO[bytes]

    @classmethod
    def open(cls, folder: Path, slots: int, series: int, form: list[Any]) -> Files | None:
        """What was kept before, if it is of this form; ``None`` where another process has it."""
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / "lock").open("wb")
        if not _locked(lock):
            lock.close()
            return None
        told = folder / "series.json"
        kept = _kept(told)
        mode: Literal["r+", "w+"] = "r+"
        if kept.get("form") != form or not (folder / "values").is_file():
            mode, kept = "w+", {"form": form, "names": []}
        try:
            values = np.memmap(folder / "values", np.float32, mode, shape=(slots, series))
            stamps = np.memmap(folder / "stamps", np.int64, mode, shape=(slots,))
        except (OSError, ValueError):  # cut short by a full disk, for instance
            kept = {"form": form, "names": []}
            values = np.memmap(folder / "values", np.float32, "w+", shape=(slots, series))
            stamps = np.memmap(folder / "stamps", np.int64, "w+", shape=(slots,))
        made = cls(values, stamps, [str(n) for n in kept["names"]], told, form, lock)
        made.save(made.names)
        return made

    def save(self, names: list[str]) -> None:
        beside = self._told.with_suffix(".new")
        beside.write_text(json.dumps({"form": self._form, "names": names}), "utf-8")
        beside.replace(self._told)

    def close(self) -> None:
        self._lock.close()


def _locked(file: IO[bytes]) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: one process is all that is run there
        return True
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def key(metric: str, names: Sequence[str], values: Sequence[str]) -> str:
    """A series by name, as ``metric{label="value"}``."""
    if not names:
        return metric
    inside = ",".join(f"{n}={json.dumps(v)}" for n, v in zip(names, values, strict=True))
    return f"{metric}{{{inside}}}"


_LABEL = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*")')


def labels_of(name: str) -> dict[str, str]:
    """The labels of a series by its ``key``."""
    return {label: json.loads(value) for label, value in _LABEL.findall(name)}


def matches(name: str, metric: str, wanted: Mapping[str, str]) -> bool:
    if name != metric and not name.startswith((f"{metric}{{", f"{metric}#")):
        return False
    return all(f"{label}={json.dumps(value)}" in name for label, value in wanted.items())


def _kept(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
