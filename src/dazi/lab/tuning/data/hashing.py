"""Shingles of texts as numbers, and MinHash signatures of many texts at once.

A text is its letters and digits, folded; its shingles are all runs of four of them, hashed. MinHash
(Broder 1997): the share of equal places of two signatures estimates how alike the sets are (Jaccard).
Signatures of many texts are made together, because numpy takes as long for one as for many.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

SHINGLE = 4
"""Characters; a shorter text is one shingle."""
PLACES = 120
"""Of a signature. An estimate is off by 0.04 (one standard deviation at 0.7)."""
_SEED = 20_261_130
_BASE = np.uint64(0x9E3779B97F4A7C15)
_MIX = (np.uint64(0xFF51AFD7ED558CCD), np.uint64(0xC4CEB9FE1A85EC53))
_TOGETHER = 1 << 15
"""Shingles that are worked on at once: what fits a core's cache."""
_SEEN = re.compile(r"\w+")
_NUMBER = re.compile(r"\d+(?:\.\d+)*|[一二三四五六七八九十百千万零两]{2,}|[二三四五六七八九十两]")

Hashes = NDArray[np.uint64]
Signatures = NDArray[np.uint32]


@dataclass(frozen=True, slots=True)
class Shingles:
    """``hashes`` of texts one after the other; text ``i`` has those from ``starts[i]`` on."""

    hashes: Hashes
    starts: NDArray[np.int64]

    def owners(self) -> NDArray[np.int64]:
        """Of each hash, whose it is."""
        lengths = np.diff(np.append(self.starts, len(self.hashes)))
        return np.repeat(np.arange(len(self.starts), dtype=np.int64), lengths)


def folded(text: str) -> str:
    """Width, case and what is neither letter nor digit make no difference."""
    return "".join(_SEEN.findall(unicodedata.normalize("NFKC", text).casefold()))


def digest(text: str) -> int:
    """64 bits of a hash of the whole text."""
    made = blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(made, "little")


def numbers(text: str) -> int:
    """A digest of the numbers in a text, in any order: what has other ones says something else."""
    found = sorted(set(_NUMBER.findall(unicodedata.normalize("NFKC", text))))
    return digest(" ".join(found))


def shingles(plain: Sequence[str], size: int = SHINGLE) -> Shingles:
    """``plain`` texts are folded. Each has one shingle at least."""
    padded = [t if len(t) >= size else t.ljust(size, "\0") for t in plain]
    lengths = np.fromiter(map(len, padded), np.int64, len(padded))
    units = np.frombuffer("".join(padded).encode("utf-32-le", "surrogatepass"), np.uint32)
    count = len(units) - size + 1
    rolled = units[:count].astype(np.uint64)
    for step in range(1, size):
        rolled = rolled * _BASE + units[step : count + step]
    ends = np.cumsum(lengths)
    keep = np.ones(count, np.bool_)
    for back in range(1, size):  # what reaches over into the next text is none
        keep[ends[:-1] - back] = False
    counts = lengths - size + 1
    starts = np.concatenate(([0], np.cumsum(counts)[:-1])).astype(np.int64)
    return Shingles(mixed(rolled[keep]), starts)


def mixed(values: Hashes) -> Hashes:
    """Each bit depends on every other (the finaliser of MurmurHash3)."""
    out = values ^ (values >> np.uint64(33))
    for factor in _MIX:
        out = out * factor
        out ^= out >> np.uint64(33)
    return out


def _factors() -> tuple[Hashes, Hashes]:
    r = np.random.default_rng(_SEED)
    odd = r.integers(0, 1 << 63, PLACES, np.uint64) * np.uint64(2) + np.uint64(1)
    return odd, r.integers(0, 1 << 63, PLACES, np.uint64)


_ODD, _ADDED = _factors()


def signatures(of: Shingles) -> Signatures:
    """A row a text. A place is the least value of a shingle under one multiply-shift hash."""
    out = np.full((PLACES, len(of.starts)), np.iinfo(np.uint32).max, np.uint32)
    owners = of.owners()
    for begin in range(0, len(of.hashes), _TOGETHER):
        some = of.hashes[begin : begin + _TOGETHER]
        whose = owners[begin : begin + _TOGETHER]
        firsts = np.flatnonzero(np.diff(whose, prepend=-1))
        rows = slice(int(whose[0]), int(whose[-1]) + 1)
        for place in range(PLACES):
            values = ((some * _ODD[place] + _ADDED[place]) >> np.uint64(32)).astype(np.uint32)
            least = np.minimum.reduceat(values, firsts)
            np.minimum(out[place, rows], least, out=out[place, rows])
    return np.ascontiguousarray(out.T)


def banded(signature: Signatures, rows: int) -> Hashes:
    """Of each signature a key a band of ``rows`` places: equal where all of them are."""
    keys = np.zeros((len(signature), PLACES // rows), np.uint64)
    for row in range(rows):
        keys = keys * _BASE + signature[:, row::rows].astype(np.uint64)
    return mixed(keys)
