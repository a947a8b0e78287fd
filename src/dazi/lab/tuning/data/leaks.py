"""Samples that hold a case of an evaluation: whoever trained on them could not be evaluated.

A case leaks into a sample that has most of its shingles. Those that stand in very many cases tell
nothing and do not count. All cases are in memory, as sorted arrays; samples are looked up by thousands.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from dazi.lab.tuning.data.hashing import SHINGLE, Hashes, folded, shingles
from dazi.lab.tuning.data.samples import Draft, Sample
from dazi.lab.tuning.data.work import Refusing, Replay, Step
from dazi.ops.datasets.folders import lines

COMMON, LEAST_COMMON = 0.02, 50
"""A shingle of more cases than this share, and than so many, counts for none."""
BATCH = 1_000
ASKED = ("question", "prompt", "text", "instruction", "user", "query", "said")
"""Keys whose texts are what a case asks; the answers of a test are no secret by themselves."""


class Cases:
    """What the cases of some files ask. ``overlap``: of a case's shingles, how many make a leak."""

    def __init__(self, texts: Iterable[str], overlap: float) -> None:
        plain = list(dict.fromkeys(t for text in texts if len(t := folded(text)) >= 2))
        self._overlap = overlap
        self._exact = frozenset(plain)
        self._hashes, self._cases, self._needed = _index([t for t in plain if len(t) >= SHINGLE])

    def __len__(self) -> int:
        return len(self._exact)

    def in_them(self, texts: Sequence[Sequence[str]]) -> NDArray[np.bool_]:
        """Of each sample, given as its texts, whether a case is in it."""
        out = np.array([any(folded(t) in self._exact for t in some) for some in texts], np.bool_)
        if not len(self._hashes) or not texts:
            return out
        of = shingles([folded("".join(some)) for some in texts])
        begin = np.searchsorted(self._hashes, of.hashes, "left")
        many = np.searchsorted(self._hashes, of.hashes, "right") - begin
        if not many.any():
            return out
        sample = np.repeat(of.owners(), many)
        first = np.repeat(begin - np.concatenate(([0], np.cumsum(many)[:-1])), many)
        posting = first + np.arange(len(first))
        # A shingle counts once for a sample, however often it stands in it.
        once = np.unique(sample * np.int64(len(self._hashes)) + posting)
        pair = once // len(self._hashes) * len(self._needed) + self._cases[once % len(self._hashes)]
        pairs, counts = np.unique(pair, return_counts=True)
        full = counts >= self._overlap * self._needed[pairs % len(self._needed)]
        out[pairs[full] // len(self._needed)] = True
        return out


def _index(plain: Sequence[str]) -> tuple[Hashes, NDArray[np.int64], NDArray[np.int64]]:
    """Hashes in order, the case that each belongs to, and how many count for each case."""
    if not plain:
        return np.empty(0, np.uint64), np.empty(0, np.int64), np.empty(0, np.int64)
    of = shingles(plain)
    both = np.unique(np.stack([of.hashes, of.owners().astype(np.uint64)]), axis=1)
    hashes, cases = both[0], both[1].astype(np.int64)
    _, inverse, counts = np.unique(hashes, return_inverse=True, return_counts=True)
    common = counts[inverse] > max(LEAST_COMMON, COMMON * len(plain))
    lone = np.bincount(cases[~common], minlength=len(plain))
    keep = ~common | (lone[cases] == 0)  # a case of nothing but common ones keeps them
    hashes, cases = hashes[keep], cases[keep]
    return hashes, cases, np.bincount(cases, minlength=len(plain))


def read_cases(paths: Iterable[Path]) -> Iterator[str]:
    """What each line of these files asks: of lines of JSON, of what people say in them; else the line."""
    for path in paths:
        for line in lines(path):
            try:
                yield from _asked(msgspec.json.decode(line))
            except (msgspec.DecodeError, RecursionError):
                yield line.decode("utf-8", "replace").strip()


def _asked(data: Any) -> Iterator[str]:
    if isinstance(data, list):
        for value in data:
            yield from _asked(value)
        return
    if not isinstance(data, dict):
        return
    if data.get("role") == "user" and isinstance(data.get("content"), str):
        yield data["content"]
    for name, value in data.items():
        if isinstance(value, str) and name in ASKED:
            yield value
        elif isinstance(value, list | dict):
            yield from _asked(value)


def without(cases: Cases) -> Step:
    def step(drafts: Replay, refuse: Refusing) -> Iterator[Draft]:
        rest = drafts()
        while batch := list(islice(rest, BATCH)):
            found = cases.in_them([_heard(d.sample) for d in batch]) if len(cases) else ()
            leaking = {n for n, leaks in enumerate(found) if leaks}
            for n, draft in enumerate(batch):
                if n in leaking:
                    refuse(draft, "evaluation")
                else:
                    yield draft

    return step


def _heard(sample: Sample) -> list[str]:
    """What people say in it; of a text, the text."""
    asked = [m.content for m in sample.messages if m.role == "user" and m.content]
    return asked or [m.content for m in sample.messages if m.content]
