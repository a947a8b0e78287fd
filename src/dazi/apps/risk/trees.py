"""Boosted trees as plain numbers: their margin, and what each group of features has in it.

Leaf values are whole billionths of log-odds. Their sums are exact, so a margin is the same number
on every machine, however many threads there are and in whatever order trees are added up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import factorial, fsum
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dazi.apps.risk.features import Floats

Ints: TypeAlias = npt.NDArray[np.int64]
UNIT = 1e-9
BLOCK = 1 << 19
"""Nodes that are looked at in one step: rows by trees."""
MOST_NODES = 1_000_000
LEAF = -1


@dataclass(frozen=True)
class Trees:
    """All nodes in one row. ``x[feature] <= threshold`` goes ``left``; a leaf has feature -1 and
    leads to itself. A child stands behind its parent. ``base`` and ``value``: billionths."""

    feature: tuple[int, ...]
    threshold: tuple[float, ...]
    left: tuple[int, ...]
    right: tuple[int, ...]
    value: tuple[int, ...]
    roots: tuple[int, ...]
    base: int

    def wrong(self, features: int) -> str:
        """Why this is no forest over so many features, or nothing."""
        n = len(self.feature)
        lengths = {len(x) for x in (self.threshold, self.left, self.right, self.value)}
        if lengths != {n} or not 0 < n <= MOST_NODES or not self.roots:
            return "lengths"
        if any(not 0 <= r < n for r in self.roots) or any(
            abs(v) > 10**12 for v in (*self.value, self.base)
        ):
            return "roots or values"
        for i in range(n):
            if self.feature[i] == LEAF:
                if not self.left[i] == self.right[i] == i:
                    return f"leaf {i}"
            elif not (
                0 <= self.feature[i] < features
                and i < self.left[i] < n
                and i < self.right[i] < n
                and self.threshold[i] - self.threshold[i] == 0
            ):
                return f"node {i}"
        return ""

    def margins(self, rows: Floats) -> Floats:
        """Log-odds of n x features rows."""
        step = max(1, BLOCK // len(self.roots))
        margins = np.empty(len(rows), np.float64)
        for i in range(0, len(rows), step):
            margins[i : i + step] = self._whole(rows[i : i + step]) * UNIT
        return margins

    def _whole(self, rows: Floats) -> Ints:
        feature, threshold, left, right, value, roots = self._arrays
        at = np.repeat(roots[None, :], len(rows), axis=0)
        number = np.arange(len(rows))[:, None]
        while True:
            split = feature[at]
            if (split == LEAF).all():
                whole: Ints = value[at].sum(axis=1) + self.base
                return whole
            less = rows[number, split] <= threshold[at]
            at = np.where(less, left[at], right[at])

    @cached_property
    def _arrays(self) -> tuple[Ints, Floats, Ints, Ints, Ints, Ints]:
        return (
            np.array(self.feature, np.int64),
            np.array(self.threshold, np.float64),
            np.array(self.left, np.int64),
            np.array(self.right, np.int64),
            np.array(self.value, np.int64),
            np.array(self.roots, np.int64),
        )

    def joined(self, others: Trees) -> Trees:
        """The sum of the two."""
        n = len(self.feature)
        return Trees(
            self.feature + others.feature,
            self.threshold + others.threshold,
            self.left + tuple(i + n for i in others.left),
            self.right + tuple(i + n for i in others.right),
            self.value + others.value,
            self.roots + tuple(i + n for i in others.roots),
            self.base + others.base,
        )


def contributions(
    trees: Trees, row: Floats, usual: Floats, group_of: Sequence[int]
) -> tuple[float, ...]:
    """Shapley values of groups of features between ``row`` and ``usual``, in log-odds.

    They add up to ``margin(row) - margin(usual)``. Exact and not sampled: a leaf is reached by a
    coalition that has all the groups in which the way to it is ``row``'s and none in which it is
    ``usual``'s; of such a game the values are known (interventional Tree SHAP with one background
    row, Lundberg et al. 2020, here with groups as the players).
    """
    feature, threshold, *_ = trees._arrays
    goes = (row[feature] <= threshold).tolist()
    usually = (usual[feature] <= threshold).tolist()
    parts: list[list[float]] = [[] for _ in range(max(group_of) + 1)]
    for root in trees.roots:
        _walk(trees, root, goes, usually, group_of, parts)
    return tuple(fsum(p) * UNIT for p in parts)


def _walk(
    trees: Trees,
    root: int,
    goes: Sequence[bool],
    usually: Sequence[bool],
    group_of: Sequence[int],
    parts: list[list[float]],
) -> None:
    """Every leaf that some coalition reaches; ``ours`` and ``theirs`` are groups as bits."""
    stack = [(root, 0, 0)]
    while stack:
        node, ours, theirs = stack.pop()
        f = trees.feature[node]
        if f == LEAF:
            _share(trees.value[node], ours, theirs, parts)
            continue
        left, right = trees.left[node], trees.right[node]
        if goes[node] == usually[node]:
            stack.append((left if goes[node] else right, ours, theirs))
            continue
        bit = 1 << group_of[f]
        if not theirs & bit:
            stack.append((left if goes[node] else right, ours | bit, theirs))
        if not ours & bit:
            stack.append((left if usually[node] else right, ours, theirs | bit))


def _share(value: int, ours: int, theirs: int, parts: list[list[float]]) -> None:
    a, b = ours.bit_count(), theirs.bit_count()
    if a:
        plus = value * (factorial(a - 1) * factorial(b) / factorial(a + b))
        for g in _bits(ours):
            parts[g].append(plus)
    if b:
        minus = -value * (factorial(a) * factorial(b - 1) / factorial(a + b))
        for g in _bits(theirs):
            parts[g].append(minus)


def _bits(mask: int) -> list[int]:
    return [i for i in range(mask.bit_length()) if mask >> i & 1]
