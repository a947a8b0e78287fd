"""What the sequences promise holds however often one looks, and the usual test does not hold it."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.ops.experiments.sequential import (
    LEAST,
    Stage,
    asymptotic,
    bounded,
    differences,
    mcnemar,
    mismatch,
    reach,
    sign_flips,
)
from dazi.ops.experiments.simulating import Trial, tried

RUNS, ALPHA = 300, 0.05


def too_many(runs: int, rate: float) -> float:
    """So many of ``runs`` are beyond chance, at three standard errors, where each happens at ``rate``."""
    return runs * rate + 3 * math.sqrt(runs * rate * (1 - rate))


@pytest.mark.parametrize("metric", ["rate", "rare", "latency"])
@pytest.mark.parametrize("share", [0.5, 0.1])
def test_without_a_difference_none_is_found_however_often_one_looks(
    metric: str, share: float
) -> None:
    for result in tried(Trial(metric, share=share, runs=RUNS, horizon=2_000)):
        if result.method == "z-test":
            # Looked at after every subject, it is wrong many times as often as it says.
            assert result.found > 4 * RUNS * ALPHA
        else:
            assert result.found <= too_many(RUNS, ALPHA), result


@pytest.mark.parametrize(("metric", "effect"), [("rate", 0.3), ("latency", 0.4)])
def test_a_difference_is_found_and_early(metric: str, effect: float) -> None:
    results = {r.method: r for r in tried(Trial(metric, effect, runs=100, horizon=3_000))}
    assert results["asymptotic"].rate > 0.95
    assert results["asymptotic"].at < 1_500
    if metric == "rate":
        assert results["bounded"].rate > 0.9


def test_shares_may_grow_and_the_mean_drift() -> None:
    """The mean falls while the share of the treated grows: the arms' plain means differ, the effect is
    none. Inverse weights see through it."""
    rng = np.random.default_rng(3)
    shape = (100, 2_000)
    share = np.where(np.arange(2_000) < 1_000, 0.1, 0.9)
    treated = rng.random(shape) < share
    level = np.where(np.arange(2_000) < 1_000, 0.8, 0.4)
    values = (rng.random(shape) < level).astype(float)
    d = differences(values, treated, share)
    assert abs(d.z.mean()) < 0.01
    plain = values[treated].mean() - values[~treated].mean()
    assert plain < -0.2
    assert asymptotic(d, ALPHA).decided.any(axis=-1).sum() <= too_many(100, ALPHA)


def test_few_subjects_say_nothing() -> None:
    treated = np.arange(3 * LEAST) % 3 == 0
    found = asymptotic(differences(treated.astype(float), treated, 1 / 3), ALPHA)
    silent = ~np.isfinite(found.upper)
    assert silent[: 3 * (LEAST - 1)].all() and not silent[-1]
    assert found.decided[-1]


def test_the_exact_one_is_as_wide_as_it_has_to_be() -> None:
    """Of the first subject it can say nothing, of ten thousand like ones nearly everything."""
    d = differences(np.full(10_000, 0.5), np.arange(10_000) % 2 == 0, 0.5)
    found = bounded(d.z, -reach(0.5), reach(0.5), ALPHA)
    assert found.upper[0] - found.lower[0] > 4
    assert found.upper[-1] - found.lower[-1] < 0.02


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=60),
    st.floats(0.05, 0.95),
)
def test_differences_of_rates_lie_within_their_reach(
    given_: list[tuple[float, bool]], share: float
) -> None:
    values, treated = zip(*given_, strict=True)
    d = differences(values, treated, share)
    assert np.abs(d.z).max() <= reach(share) + 1e-9


def test_differences_know_only_what_came_before() -> None:
    rng = np.random.default_rng(1)
    values, treated = rng.random(50), rng.random(50) < 0.5
    whole = differences(values, treated, 0.5).z
    for n in (1, 7, 49):
        np.testing.assert_allclose(differences(values[:n], treated[:n], 0.5).z, whole[:n])


def test_shares_that_are_kept_raise_no_alarm_and_others_do() -> None:
    rng = np.random.default_rng(5)
    alarms = 0
    for _ in range(200):
        came = rng.random(1_000) < 0.1
        looked = [
            mismatch([Stage((0.9, 0.1), (int((~came[:n]).sum()), int(came[:n].sum())))])
            for n in range(10, 1_001, 10)
        ]
        alarms += min(looked) <= ALPHA
    assert alarms <= too_many(200, ALPHA)
    assert mismatch([Stage((0.5, 0.5), (1_000, 800))]) < 0.001
    assert mismatch([Stage((0.5, 0.5), (520, 480))]) > 0.5
    assert mismatch([Stage((1.0, 0.0), (10, 1))]) == 0.0
    assert mismatch([]) == 1.0


def test_two_stages_with_other_shares_are_no_mismatch() -> None:
    assert mismatch([Stage((0.9, 0.1), (900, 100)), Stage((0.5, 0.5), (500, 500))]) > 0.5


def test_mcnemar_is_the_binomial_test() -> None:
    assert mcnemar(0, 0) == 1.0
    assert mcnemar(5, 5) == 1.0
    assert mcnemar(10, 0) == pytest.approx(2 / 2**10)
    assert 0.003 < mcnemar(700, 600) < 0.01  # more cases than a float has powers of two
    assert mcnemar(1, 7) == mcnemar(7, 1) == pytest.approx(2 * (1 + 8) / 2**8)


def test_flipped_signs() -> None:
    assert sign_flips([0.0, 0.0]) == 1.0
    assert sign_flips([1.0] * 12) == pytest.approx(2 / 2**12, abs=0.001)
    assert sign_flips([1.0, -1.0, 2.0, -2.0]) > 0.5
