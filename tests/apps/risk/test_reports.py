"""Thresholds by hand, drift against itself and against a change, cards that hold the figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from dazi.apps.risk.card import card
from dazi.apps.risk.drift import bins_of, drift
from dazi.apps.risk.features import CODES, CONTEXT, INDEX, NAMES
from dazi.apps.risk.quality import quality_of
from dazi.apps.risk.thresholds import Costs, Thresholds, choose, cut, report
from dazi.core.errors import CallerError
from tests.apps.risk.conftest import Small

SCORES = np.array([0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1, 0.05])
FRAUDS = np.array([True, False, True, False, False, False, False, False, False, True])
CENTS = np.array([100, 200, 300, 400, 500, 600, 700, 800, 900, 5_000], dtype=np.int64)


def test_a_report_by_hand() -> None:
    told = report(SCORES, FRAUDS, CENTS, 5, Costs(alert=10, missed=0.5), (0.1, 0.3))
    first, second = told.rows
    assert (first.threshold, first.alerts, first.precision, first.recall) == (0.9, 1, 1, 0.333333)
    assert (second.threshold, second.alerts, second.alerts_a_day) == (0.7, 3, 0.6)
    assert second.precision == pytest.approx(2 / 3, abs=1e-6)
    assert second.caught_cents == 400
    assert second.cost == 3 * 10 + 2_500 and told.cost_without == 2_700
    assert choose(told, 0.3, 0.1) == Thresholds(0.7, 0.9)
    with pytest.raises(CallerError, match="no budget"):
        choose(told, 0.2, 0.1)


def test_a_budget_is_never_exceeded() -> None:
    """Where many have the same score, all of them or none are alerted."""
    tied = np.array([0.9, 0.5, 0.5, 0.5, 0.1])
    assert (tied >= cut(tied, 0.5)).sum() == 1
    assert (tied >= cut(tied, 0.8)).sum() == 4
    assert (np.ones(5) >= cut(np.ones(5), 0.5)).sum() == 0
    assert (cut(SCORES, 0.01) <= SCORES).sum() == 0
    rng = np.random.default_rng(1)
    for budget in rng.random(50):
        scores = np.round(rng.random(200), 2)
        assert (scores >= cut(scores, budget)).sum() <= budget * 200


def test_what_is_no_report() -> None:
    for frauds, days, budget in ((FRAUDS & False, 5, 0.1), (FRAUDS, 0, 0.1), (FRAUDS, 5, 1.5)):
        with pytest.raises(CallerError):
            report(SCORES, frauds, CENTS, days, None, (budget,))
    for review, hold in ((0.5, 0.4), (0.0, 0.5), (0.5, 1.1)):
        with pytest.raises(CallerError):
            Thresholds(review, hold)


def test_nothing_drifts_from_itself(small: Small) -> None:
    told = drift(small.model, small.rows[small.learnt])
    assert told[0].name == "score" and {d.name for d in told[1:]} == set(NAMES)
    assert max(d.psi for d in told[1:]) < 1e-6


def test_what_moves_is_found(small: Small) -> None:
    rows = small.rows[small.later].copy()
    rows[:, INDEX["amount"]] *= 4
    rows[:, INDEX["new_device"]] = np.arange(len(rows)) % 3 == 0
    told = {d.name: d for d in drift(small.model, rows)}
    assert told["amount"].verdict == told["new_device"].verdict == "act"
    assert told["night_unusual"].verdict == "steady"
    moved = [d.name for d in drift(small.model, rows)[1:3]]
    assert set(moved) == {"amount", "new_device"}, "the most moved first"


def test_a_few_rows_are_no_drift(small: Small) -> None:
    """Forty rows of the very same days differ from the whole by chance."""
    rng = np.random.default_rng(1)
    for _ in range(5):
        some = small.rows[rng.choice(small.learnt, 40, replace=False)]
        told = drift(small.model, some)
        assert sum(d.verdict != "steady" for d in told) <= 2


def test_what_always_moves_is_no_alarm() -> None:
    """A feature that swings from month to month already did so in training."""
    calm = np.random.default_rng(1).random(8_000)
    seasons = calm + np.repeat(np.arange(8) % 2, 1_000)
    assert bins_of(calm).usual_psi < 0.05 < bins_of(seasons).usual_psi
    rare = np.zeros(8_000)
    rare[::100] = 1
    assert bins_of(rare).edges == (0.0,) and len(bins_of(rare).shares) == 2
    assert bins_of(np.zeros(50)).edges == ()


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_card_holds_the_figures(small: Small, language: str) -> None:
    later = small.later
    quality = quality_of(
        small.model, small.transactions(later), small.rows[later], Costs(alert=2_000)
    )
    drifts = drift(small.model, small.rows[later])
    text = card(small.model, quality, drifts, "zh" if language == "zh" else "en")
    assert small.model.digest in text and f"{quality.auc:.4f}" in text
    for code in CODES:
        assert (f"`{code}`" in text) == (code != CONTEXT)
    for row in quality.thresholds.rows:
        assert f"| {row.threshold:.6f} |" in text
    trained = small.model.trained
    assert f"| {trained.rows} | {trained.frauds} |" in text and trained.end in text
    noted = replace(small.model, trained=replace(trained, notes=("x: 30 trees of 50 cases",)))
    assert "30 trees of 50 cases" in card(noted, quality, drifts, "en")


def test_quality_is_not_asked_of_what_was_learnt(small: Small) -> None:
    learnt = small.learnt
    with pytest.raises(CallerError, match="transactions after"):
        quality_of(small.model, small.transactions(learnt), small.rows[learnt])
