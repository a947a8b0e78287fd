"""Rows of vectors in files, for exact search within one's rights.

A row has the slot of its chunk and a group: a tenant and readers, whose chunks whoever is one of them
may read. The files are made of the index and can be made again: rows are on the disk before their
chunks are committed, so that one without a chunk is possible, and means nothing, and a chunk without
one is not. One process writes, that which writes the index; others see what it has added.

Exact, because that is fast enough and nothing has to be repaired: docs/decisions/0018.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
import numpy.typing as npt

from dazi.knowledge.vectors import Bytes, Floats, VectorSpace, alike, compact, highest, masked

_HEAD = np.dtype([("slot", "<u8"), ("group", "<u4"), ("worth", "<f4")])
_STATE, _ROWS, _HEADS, _GROUPS = "state.json", "rows", "heads", "groups"
_NOBODY = 0
"""The group of rows whose chunk is gone."""
FEW = 4
"""Where less than one row in so many may be read, those are put together first."""
TIDY_ROWS = 1024
"""Dead rows are taken out when there are more of them than this and than living ones."""
_TRIES = 5
Slots: TypeAlias = npt.NDArray[np.uint64]


@dataclass(frozen=True, slots=True)
class Row:
    """``direction`` has length 1."""

    slot: int
    tenant: str
    readers: frozenset[str]
    direction: Floats


class _State(msgspec.Struct, frozen=True):
    """``floor``: the least slot that may be given, because others were."""

    name: str
    dimensions: int
    generation: int = 0
    floor: int = 0


@dataclass(frozen=True, slots=True)
class _View:
    """What the files held at one moment."""

    key: tuple[int, ...]
    state: _State
    rows: Bytes
    heads: npt.NDArray[Any]
    groups: list[tuple[str, frozenset[str]]]
    allowed: dict[tuple[str, frozenset[str]], npt.NDArray[np.bool_]] = field(default_factory=dict)

    def readable(self, tenant: str, labels: frozenset[str]) -> npt.NDArray[np.bool_]:
        """Of each row, whether one of ``labels`` may read it."""
        mask = self.allowed.get((tenant, labels))
        if mask is None:
            may = [t == tenant and not readers.isdisjoint(labels) for t, readers in self.groups]
            mask = self.allowed[tenant, labels] = np.array([False, *may])
        return np.asarray(mask[self.heads["group"]])

    def alive(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.heads["group"] != _NOBODY)

    def nearest(self, direction: Floats, kept: npt.NDArray[np.bool_], most: int) -> list[int]:
        """Slots of the nearest rows of those that are ``kept``."""
        worth = self.heads["worth"]
        count = int(np.count_nonzero(kept))
        if count == 0:
            return []
        if count * FEW < len(kept):
            chosen = np.flatnonzero(kept)
            at = chosen[highest(alike(self.rows[chosen], worth[chosen], direction), most)]
        else:
            at = highest(masked(alike(self.rows, worth, direction), kept), most)
        return [int(s) for s in self.heads["slot"][at]]


class VectorFile:
    """``folder`` is made when something is added. What another model wrote there is not seen, and
    gone with the first row that is added."""

    def __init__(self, folder: Path, space: VectorSpace) -> None:
        self._folder = folder
        self._space = space
        self._view = _nothing(space)

    def nearest(
        self, direction: Floats, tenant: str, labels: frozenset[str], most: int
    ) -> list[int]:
        """Slots of what whoever has ``labels`` may read, nearest first."""
        view = self._current()
        return view.nearest(direction, view.readable(tenant, labels), most)

    def among(self, direction: Floats, slots: Slots, most: int) -> list[int]:
        """The nearest of ``slots``."""
        view = self._current()
        return view.nearest(direction, view.alive() & np.isin(view.heads["slot"], slots), most)

    def slots(self) -> Slots:
        """Those of living rows."""
        view = self._current()
        return np.asarray(view.heads["slot"][view.alive()])

    def next_slot(self) -> int:
        """Greater than any that ever had a row."""
        view = self._current()
        highest_slot = int(view.heads["slot"].max()) if len(view.heads) else -1
        return max(highest_slot + 1, view.state.floor)

    def append(self, rows: Sequence[Row]) -> None:
        """On the disk when it returns. A failure leaves what was there."""
        if not rows:
            return
        view = self._current()
        if view.state.generation == 0:
            view = self._begin(view.state, view.heads[:0], view.rows[:0], [])
        numbers = {group: i for i, group in enumerate(view.groups, 1)}
        new = []
        for row in rows:
            if (row.tenant, row.readers) not in numbers:
                numbers[row.tenant, row.readers] = len(numbers) + 1
                new.append((row.tenant, row.readers))
        small, worth = compact(np.stack([r.direction for r in rows]))
        heads = np.empty(len(rows), _HEAD)
        heads["slot"] = [r.slot for r in rows]
        heads["group"] = [numbers[r.tenant, r.readers] for r in rows]
        heads["worth"] = worth
        generation, count = view.state.generation, len(view.heads)
        # In this order: a head stands for a row and a group that are there.
        self._write(_GROUPS, generation, sum(map(len, map(_line, view.groups))), map(_line, new))
        self._write(_ROWS, generation, count * self._space.dimensions, [small.tobytes()])
        self._write(_HEADS, generation, count * _HEAD.itemsize, [heads.tobytes()])

    def bury(self, slots: Collection[int]) -> None:
        """Their rows are found no more."""
        view = self._current()
        if not slots or not len(view.heads):
            return
        dead = np.isin(view.heads["slot"], np.fromiter(slots, np.uint64, len(slots)))
        path = self._path(_HEADS, view.state.generation)
        held = np.memmap(path, _HEAD, "r+", shape=(len(view.heads),))
        held["group"][dead] = _NOBODY
        held.flush()

    def tidy(self) -> None:
        """Takes dead rows out where they are many."""
        view = self._current()
        alive = view.alive()
        living = int(np.count_nonzero(alive))
        if len(alive) - living <= max(TIDY_ROWS, living):
            return
        floor = self.next_slot()
        used = sorted({int(g) for g in view.heads["group"][alive]})
        heads = view.heads[alive]
        heads["group"] = np.searchsorted(used, heads["group"]) + 1
        groups = [view.groups[g - 1] for g in used]
        state = msgspec.structs.replace(view.state, floor=floor)
        self._begin(state, heads, view.rows[alive], groups)

    def _begin(
        self,
        state: _State,
        heads: npt.NDArray[Any],
        rows: Bytes,
        groups: list[tuple[str, frozenset[str]]],
    ) -> _View:
        """New files, which take the place of the old ones all at once."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        old = _read_state(self._folder / _STATE)
        generation = max(old.generation if old else 0, state.generation) + 1
        state = msgspec.structs.replace(state, generation=generation)
        self._write(_GROUPS, generation, 0, map(_line, groups))
        self._write(_ROWS, generation, 0, [rows.tobytes()])
        self._write(_HEADS, generation, 0, [heads.tobytes()])
        part = self._folder / f"{_STATE}.part"
        with part.open("wb") as file:
            file.write(msgspec.json.encode(state))
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._folder / _STATE)
        _sync(self._folder)
        for path in self._folder.iterdir():
            if path.name != _STATE and path.suffix != f".{generation}":
                path.unlink(missing_ok=True)
        return self._current()

    def _current(self) -> _View:
        """As of now; mapped anew only where something was added."""
        view = self._view
        key: tuple[int, ...] = ()
        try:
            stat = (self._folder / _STATE).stat()
            heads = self._path(_HEADS, view.state.generation)
            key = (stat.st_ino, stat.st_mtime_ns, heads.stat().st_size if view.key else -1)
        except FileNotFoundError:
            pass
        if key != view.key or not key:
            view = self._view = self._mapped()
        return view

    def _mapped(self) -> _View:
        for _ in range(_TRIES):
            try:
                return self._opened()
            except FileNotFoundError:  # the writer has just put other files in their place
                continue
        return _nothing(self._space)

    def _opened(self) -> _View:
        path = self._folder / _STATE
        state = _read_state(path)
        if state is None or (state.name, state.dimensions) != _ids(self._space):
            return _nothing(self._space)
        stat = path.stat()
        heads, rows = (self._path(n, state.generation) for n in (_HEADS, _ROWS))
        size = heads.stat().st_size
        count = min(size // _HEAD.itemsize, rows.stat().st_size // state.dimensions)
        key = (stat.st_ino, stat.st_mtime_ns, size)
        groups = _read_groups(self._path(_GROUPS, state.generation))
        if count == 0:
            nothing = _nothing(self._space)
            return _View(key, state, nothing.rows, nothing.heads, groups)
        return _View(
            key,
            state,
            np.memmap(rows, np.int8, "r", shape=(count, state.dimensions)),
            np.memmap(heads, _HEAD, "r", shape=(count,)),
            groups,
        )

    def _write(self, name: str, generation: int, at: int, parts: Iterable[bytes]) -> None:
        """Behind the first ``at`` bytes; what a killed process left there is gone."""
        path = self._path(name, generation)
        with path.open("r+b" if path.exists() else "w+b") as file:
            file.truncate(at)
            file.seek(at)
            for part in parts:
                file.write(part)
            file.flush()
            os.fsync(file.fileno())

    def _path(self, name: str, generation: int) -> Path:
        return self._folder / f"{name}.{generation}"


def _ids(space: VectorSpace) -> tuple[str, int]:
    return space.name, space.dimensions


def _nothing(space: VectorSpace) -> _View:
    rows = np.empty((0, space.dimensions), np.int8)
    return _View((), _State(*_ids(space)), rows, np.empty(0, _HEAD), [])


def _line(group: tuple[str, frozenset[str]]) -> bytes:
    return msgspec.json.encode((group[0], sorted(group[1]))) + b"\n"


def _read_groups(path: Path) -> list[tuple[str, frozenset[str]]]:
    """Whole lines; the last may still be being written."""
    whole = path.read_bytes().split(b"\n")[:-1]
    return [(t, frozenset(r)) for t, r in (msgspec.json.decode(line) for line in whole)]


def _read_state(path: Path) -> _State | None:
    try:
        return msgspec.json.decode(path.read_bytes(), type=_State)
    except (FileNotFoundError, msgspec.DecodeError):
        return None


def _sync(folder: Path) -> None:
    """Renames in ``folder`` outlive a power cut."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
