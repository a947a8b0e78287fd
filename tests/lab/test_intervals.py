from __future__ import annotations

import random

import pytest

from dazi.apps.contracts.statistics import wilson
from dazi.lab.evals.intervals import Paired, bootstrap, grouped_gap, grouped_share, newcombe, share


def test_a_share_has_wilsons_bounds() -> None:
    found = share([1.0] * 81 + [0.0] * 182)
    # Newcombe 1998, "Two-sided confidence intervals for the single proportion", 81/263.
    assert (round(found.low, 4), round(found.high, 4)) == (0.2553, 0.3662)


def test_none_of_many_is_not_nothing() -> None:
    found = share([0.0] * 20)
    assert found.value == 0 and found.low == 0 and 0.15 < found.high < 0.17


def test_values_between_get_a_bootstrap_that_a_seed_repeats() -> None:
    values = [0.1, 0.5, 0.9, 1.0, 0.3, 0.7]
    assert share(values, 3) == share(values, 3)
    found = share(values, 3)
    assert found.low < found.value < found.high


@pytest.mark.parametrize(
    ("pairs", "gap"),
    [(Paired(20, 10, 2, 8), -0.2), (Paired(10, 0, 0, 10), 0.0), (Paired(0, 0, 12, 0), 1.0)],
)
def test_the_difference_lies_within_its_bounds(pairs: Paired, gap: float) -> None:
    found = newcombe(pairs)
    assert found.value == pytest.approx(gap)
    assert -1 <= found.low <= found.value <= found.high <= 1


def test_the_other_way_round_it_is_mirrored() -> None:
    one, two = newcombe(Paired(30, 12, 5, 13)), newcombe(Paired(30, 5, 12, 13))
    assert (one.low, one.high) == (pytest.approx(-two.high), pytest.approx(-two.low))


def test_pairs_that_go_together_tell_more() -> None:
    """The same shares, right together or apart."""
    together, apart = newcombe(Paired(48, 2, 0, 50)), newcombe(Paired(25, 25, 23, 27))
    assert together.value == pytest.approx(apart.value)
    assert together.high - together.low < apart.high - apart.low


def test_95_percent_of_intervals_hold_the_truth() -> None:
    dice = random.Random(7)
    held = 0
    for _ in range(400):
        cells = [0, 0, 0, 0]
        for _ in range(60):
            skill = dice.random()
            first, second = dice.random() < skill, dice.random() < min(skill + 0.1, 1)
            cells[(0 if second else 1) if first else (2 if second else 3)] += 1
        found = newcombe(Paired(*cells))
        held += found.low <= 0.095 <= found.high  # the mean of min(s + 0.1, 1) less that of s
    assert held / 400 >= 0.93


def test_few_conversations_are_surer_of_less_than_many_items() -> None:
    """Ten items of each of four conversations that are all right or all wrong."""
    values = [1.0] * 20 + [0.0] * 20
    by_item = bootstrap(values, range(40), 1)
    by_talk = bootstrap(values, [i // 10 for i in range(40)], 1)
    assert by_talk.high - by_talk.low > 2 * (by_item.high - by_item.low)


def test_what_is_always_so_is_not_certain_for_that() -> None:
    groups = [i // 10 for i in range(40)]
    found = grouped_share([0.0] * 40, groups)
    assert (found.value, found.low) == (0, 0) and found.high == share([0.0] * 4).high
    same = grouped_gap([1.0] * 40, [1.0] * 40, groups)
    assert same.value == 0 and same.low < -0.3 and same.high > 0.3
    mixed = [1.0] * 20 + [0.0] * 20
    assert grouped_share(mixed, groups, 1) == bootstrap(mixed, groups, 1)
    assert grouped_gap([0.0] * 40, mixed, groups, 1) == bootstrap(mixed, groups, 1)


def test_wilson_and_newcombe_by_published_figures() -> None:
    """Newcombe 1998 (Statistics in Medicine 17, 2635 ff.), table II: method 10 of each example; Wilson's
    interval of 81 of 263 is in his paper on single proportions."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)

    def bounds(both: int, second: int, first: int, neither: int) -> tuple[float, float]:
        found = newcombe(Paired(both, first, second, neither))
        return found.low, found.high

    assert bounds(36, 12, 2, 0) == pytest.approx((0.0569, 0.3404), abs=5e-4)
    assert bounds(54, 0, 0, 0) == pytest.approx((-0.0664, 0.0664), abs=5e-4)
    assert bounds(0, 54, 0, 0) == pytest.approx((0.9061, 1.0), abs=5e-4)
