"""Sums are exact, and shares are Shapley's: checked against all the orders there are."""

from __future__ import annotations

import random
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.apps.risk.trees import LEAF, UNIT, Trees, contributions

FEATURES, GROUP_OF = 6, (0, 0, 1, 2, 3, 3)


def forest(seed: int, trees: int = 5, depth: int = 4) -> Trees:
    dice = random.Random(seed)
    nodes: list[tuple[int, float, int, int, int]] = []

    def grow(left_over: int) -> int:
        here = len(nodes)
        if not left_over or dice.random() < 0.2:
            nodes.append((LEAF, 0.0, here, here, dice.randint(-(10**9), 10**9)))
            return here
        nodes.append((0, 0.0, 0, 0, 0))
        feature, threshold = dice.randrange(FEATURES), dice.choice((0.2, 0.5, 0.8))
        left, right = grow(left_over - 1), grow(left_over - 1)
        nodes[here] = (feature, threshold, left, right, 0)
        return here

    roots = tuple(grow(depth) for _ in range(trees))
    feature, threshold, left, right, value = zip(*nodes, strict=True)
    return Trees(feature, threshold, left, right, value, roots, 12345)


def plainly(trees: Trees, row: np.ndarray) -> int:
    whole = trees.base
    for node in trees.roots:
        while trees.feature[node] != LEAF:
            less = row[trees.feature[node]] <= trees.threshold[node]
            node = trees.left[node] if less else trees.right[node]
        whole += trees.value[node]
    return whole


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_margins_and_shares(seed: int) -> None:
    trees, rng = forest(seed), np.random.default_rng(seed)
    row, usual = rng.random((2, FEATURES))
    assert trees.wrong(FEATURES) == ""
    assert trees.margins(np.stack([row, usual])).tolist() == [
        plainly(trees, row) * UNIT, plainly(trees, usual) * UNIT,
    ]  # fmt: skip
    groups = range(4)
    orders = list(permutations(groups))
    right = dict.fromkeys(groups, 0.0)
    for order in orders:
        mixed = usual.copy()
        for g in order:
            before = plainly(trees, mixed)
            places = [i for i, of in enumerate(GROUP_OF) if of == g]
            mixed[places] = row[places]
            right[g] += (plainly(trees, mixed) - before) * UNIT / len(orders)
    found = contributions(trees, row, usual, GROUP_OF)
    assert found == pytest.approx([right[g] for g in groups], abs=1e-9)
    assert sum(found) == pytest.approx((plainly(trees, row) - plainly(trees, usual)) * UNIT)


def test_what_goes_in_blocks_is_the_same_as_one_by_one() -> None:
    trees = forest(1, trees=300)
    rows = np.random.default_rng(1).random((4_000, FEATURES))
    whole = trees.margins(rows)
    assert whole[::500].tolist() == [trees.margins(r[None])[0] for r in rows[::500]]
    assert trees.margins(rows[:0]).shape == (0,)


def test_two_forests_add_up() -> None:
    a, b = forest(1), forest(2)
    rows = np.random.default_rng(1).random((50, FEATURES))
    joined = a.joined(b)
    assert joined.wrong(FEATURES) == ""
    assert joined.margins(rows) == pytest.approx(a.margins(rows) + b.margins(rows))


@pytest.mark.parametrize(
    ("field", "node", "value"),
    [
        ("left", 0, 0), ("right", 0, 10**6), ("feature", 0, FEATURES), ("feature", 0, -2),
        ("threshold", 0, float("nan")), ("roots", 0, -1), ("value", -1, 10**13),
    ],
)  # fmt: skip
def test_what_is_no_forest_is_told(field: str, node: int, value: float) -> None:
    """A child before its parent would be walked for ever."""
    trees = forest(4)
    assert trees.feature[0] != LEAF
    parts = {name: list(getattr(trees, name)) for name in
             ("feature", "threshold", "left", "right", "value", "roots")}  # fmt: skip
    parts[field][node] = value
    broken = Trees(*(tuple(p) for p in parts.values()), trees.base)
    assert broken.wrong(FEATURES) != ""
