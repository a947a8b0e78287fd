"""Which samples are the same as an earlier one, or nearly, and which must not be parted.

Signatures are cut into bands (Leskovec, Rajaraman and Ullman, chapter 3): what agrees in one band is
compared. 24 bands of five places find a pair that is alike by 0.7 with a probability of 0.99, by 0.6 of
0.86, and one that is alike by 0.1 once in four thousand times. All of it lies in files: a sample takes 340 bytes of
disk, and little of memory.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dazi.lab.tuning.data.hashing import (
    PLACES,
    Hashes,
    banded,
    digest,
    folded,
    numbers,
    shingles,
    signatures,
)

ROWS = 5
BANDS = PLACES // ROWS
BATCH = 2_000
_COMPARED = 1 << 15
Pairs = NDArray[np.uint64]
"""The earlier sample's number in the upper half, the later one's in the lower."""


@dataclass(frozen=True, slots=True)
class Text:
    """``words``: what is compared; ``whole``: what must agree for two to be the same; ``together``:
    samples with the same are not parted, whatever they say."""

    words: str
    whole: str
    together: str


@dataclass(frozen=True, slots=True)
class Found:
    """By a sample's number. ``same`` and ``near``: it is a duplicate of an earlier one; ``group``: the
    first sample of those that it must stay with."""

    same: NDArray[np.bool_]
    near: NDArray[np.bool_]
    group: NDArray[np.int64]


def find(texts: Iterable[Text], folder: Path, alike: float) -> Found:
    """``alike``: from this similarity on two are near-duplicates; 0 looks for none. Temporary files in
    ``folder`` are removed."""
    made = _Files(folder)
    try:
        rest = iter(texts)
        while batch := list(islice(rest, BATCH)):
            made.add(batch, near=alike > 0)
        made.close()
        return _found(made, alike)
    finally:
        made.remove()


class _Files:
    """Arrays that grow by batches: keys of each band, the lowest byte of each signature's places
    (Li and König 2010), digests of texts, of their numbers, and of what keeps samples together."""

    def __init__(self, folder: Path) -> None:
        names = ["whole", "numbers", "together", "low", *(f"band{b}" for b in range(BANDS))]
        self._paths = {name: folder / f"near.{name}" for name in names}
        self._open = {name: path.open("wb") for name, path in self._paths.items()}
        self.count = 0

    def add(self, batch: list[Text], *, near: bool) -> None:
        self.count += len(batch)
        self._put("whole", (digest(_same(t.whole)) for t in batch), len(batch))
        self._put("numbers", (numbers(t.words) for t in batch), len(batch))
        self._put("together", (digest(t.together) for t in batch), len(batch))
        if not near:
            return
        made = signatures(shingles([folded(t.words) for t in batch]))
        self._open["low"].write(made.astype(np.uint8).tobytes())
        keys = banded(made, ROWS)
        for band in range(BANDS):
            self._open[f"band{band}"].write(np.ascontiguousarray(keys[:, band]).tobytes())

    def _put(self, name: str, values: Iterator[int], count: int) -> None:
        self._open[name].write(np.fromiter(values, np.uint64, count).tobytes())

    def hashes(self, name: str) -> Hashes:
        return np.fromfile(self._paths[name], np.uint64)

    def low(self) -> NDArray[np.uint8]:
        """Read where it is looked at."""
        return np.memmap(self._paths["low"], np.uint8, "r", shape=(self.count, PLACES))

    def close(self) -> None:
        for file in self._open.values():
            file.close()

    def remove(self) -> None:
        self.close()
        for path in self._paths.values():
            path.unlink(missing_ok=True)


def _same(text: str) -> str:
    """What two texts share that are the same: 1.5 and 15 are two numbers, though a point is no letter."""
    return f"{folded(text)} {numbers(text)}"


def _found(made: _Files, alike: float) -> Found:
    same = _repeated(made.hashes("whole"))
    groups = _Groups(made.count)
    for pairs in _runs(made.hashes("together")):
        groups.join(pairs)
    near = np.zeros(made.count, np.bool_)
    if alike and made.count:
        pairs = _near(made, alike)
        groups.join(pairs)
        told = made.hashes("numbers")
        first, second = _apart(pairs)
        near = _dropped(pairs[told[first] == told[second]], same)
    return Found(same, near, groups.first())


def _repeated(digests: Hashes) -> NDArray[np.bool_]:
    """Of each, whether an earlier one is the same."""
    order = np.argsort(digests, kind="stable")
    out = np.zeros(len(digests), np.bool_)
    out[order[1:]] = digests[order][1:] == digests[order][:-1]
    return out


def _runs(keys: Hashes) -> Iterator[Pairs]:
    """Of those that share a key, each with the first of them and with the one before it: more pairs
    than that would grow with the square of how many there are."""
    if len(keys) < 2:
        return
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    new = np.empty(len(ordered), np.bool_)
    new[0] = True
    np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
    begins = np.flatnonzero(new)
    first = order[np.repeat(begins, np.diff(np.append(begins, len(order))))]
    later = np.flatnonzero(~new)
    yield _pairs(first[later], order[later])
    beyond = later[~new[later - 1]]
    yield _pairs(order[beyond - 1], order[beyond])


def _pairs(first: NDArray[np.int64], second: NDArray[np.int64]) -> Pairs:
    return (first.astype(np.uint64) << np.uint64(32)) | second.astype(np.uint64)


def _apart(pairs: Pairs) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        (pairs >> np.uint64(32)).astype(np.int64),
        (pairs & np.uint64(0xFFFFFFFF)).astype(np.int64),
    )


def _near(made: _Files, alike: float) -> Pairs:
    """Pairs that agree in a band and whose signatures say that they are alike."""
    low = made.low()
    kept = np.empty(0, np.uint64)
    for band in range(BANDS):
        for found in _runs(made.hashes(f"band{band}")):
            candidates = np.setdiff1d(found, kept)
            good = [kept]
            for begin in range(0, len(candidates), _COMPARED):
                some = candidates[begin : begin + _COMPARED]
                good.append(some[_similarity(low, some) >= alike])
            kept = np.unique(np.concatenate(good))
    return kept


def _similarity(low: NDArray[np.uint8], pairs: Pairs) -> NDArray[np.float64]:
    """An estimate from one byte a place, of which one in 256 agrees by chance."""
    first, second = _apart(pairs)
    agreeing: NDArray[np.float64] = (low[first] == low[second]).mean(axis=1)
    return (agreeing - 1 / 256) / (1 - 1 / 256)


def _dropped(pairs: Pairs, same: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A sample goes where an earlier one that stays is alike: what is only alike to one that goes
    does not go with it."""
    first, second = _apart(pairs)
    order = np.lexsort((first, second))
    gone = bytearray(same.astype(np.uint8).tobytes())
    out = np.zeros(len(same), np.bool_)
    for a, b in zip(first[order].tolist(), second[order].tolist(), strict=True):
        if not gone[a] and not gone[b]:
            gone[b] = 1
            out[b] = True
    return out


class _Groups:
    """Which samples hang together (union and find, with halved paths)."""

    def __init__(self, count: int) -> None:
        self._above = array("q", range(count))

    def join(self, pairs: Pairs) -> None:
        above = self._above
        first, second = _apart(pairs)
        for a, b in zip(first.tolist(), second.tolist(), strict=True):
            a, b = self._top(a), self._top(b)
            if a != b:
                above[max(a, b)] = min(a, b)

    def _top(self, one: int) -> int:
        above = self._above
        while above[one] != one:
            above[one] = above[above[one]]
            one = above[one]
        return one

    def first(self) -> NDArray[np.int64]:
        return np.fromiter(map(self._top, range(len(self._above))), np.int64, len(self._above))
