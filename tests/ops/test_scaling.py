"""Replicas by need: damped in both directions, within bounds."""

from __future__ import annotations

import pytest

from dazi.ops.scaling import Damper, Dampers, ScalingRules

RULES = ScalingRules(0.7, 1, 10, up_s=30, down_s=300)


def test_a_peak_that_passes_adds_nothing_and_one_that_stays_does() -> None:
    damper = Damper(RULES)
    assert damper.desired(0, 2, 2.0) == 2
    assert damper.desired(15, 2, 6.0) == 2
    assert damper.desired(30, 2, 1.9) == 2
    for at in (45, 60):
        assert damper.desired(at, 2, 6.0) == 2
    assert damper.desired(75, 2, 6.0) == 6
    assert damper.desired(80, 2, 5.2) == 6, "rounded up"


def test_a_lull_takes_nothing_away_and_a_quiet_time_does() -> None:
    damper = Damper(RULES)
    assert damper.desired(0, 8, 7.9) == 8
    for at in range(15, 300, 15):
        assert damper.desired(at, 8, 1.0) == 8
    assert damper.desired(301, 8, 1.0) == 1
    assert damper.desired(302, 1, 1.0) == 1


@pytest.mark.parametrize(
    ("replicas", "needed", "expected"),
    [(10, 10.9, 10), (10, 9.1, 10), (1, 0.0, 1), (5, 99.0, 10), (3, 3.0, 3), (0, 0.4, 1), (20, 20, 10)],
)  # fmt: skip
def test_small_differences_and_bounds(replicas: int, needed: float, expected: int) -> None:
    rules = ScalingRules(0.7, 1, 10, up_s=0, down_s=0)
    assert Damper(rules).desired(0, replicas, needed) == expected


def test_what_is_old_is_forgotten_and_each_has_its_own() -> None:
    dampers = Dampers(ScalingRules(0.7, 1, 10, up_s=0, down_s=60))
    dampers.of("a").desired(0, 1, 9.0)
    assert dampers.of("b").desired(1, 9, 1.0) == 1
    assert dampers.of("a").desired(1, 9, 1.0) == 9
    assert dampers.of("a").desired(61, 9, 1.0) == 1
    assert len(dampers.of("a")._seen) <= 2
