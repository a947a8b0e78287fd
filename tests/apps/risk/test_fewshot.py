"""A new pattern is learnt from few cases, on top of what was known, or refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dazi.apps.risk.assessing import assess
from dazi.apps.risk.fewshot import Adaptation, Few, Labelled, adapt
from dazi.apps.risk.model import load
from dazi.apps.risk.thresholds import Thresholds, cut
from dazi.core.errors import CallerError
from tests.apps.risk.conftest import TRAINED, Small

FEW = Few(trees=20, trials=2, folds=3, budget=0.02, lost=0.2)


def even(small: Small) -> np.ndarray:
    """Cases are of every other account, and what is found is counted in the rest."""
    return np.array([int(t.account[1:]) % 2 == 0 for t in small.world.transactions])


def parts(small: Small) -> tuple[Labelled, Labelled]:
    """Fifty cases of later days, and a sample of those of training."""
    rng = np.random.default_rng(1)
    days = np.flatnonzero((small.days >= TRAINED) & even(small))
    frauds = days[small.new[days]][:25]
    genuine = days[~small.fraud[days]]
    cleared = genuine[np.argsort(-small.model.margins(small.rows[genuine]))][: 50 - len(frauds)]
    back = rng.choice(small.learnt, 2_000, replace=False)
    accounts = np.array([t.account for t in small.world.transactions])
    cases, background = (
        Labelled(small.rows[i], small.fraud[i], accounts[i].tolist())
        for i in (np.concatenate([frauds, cleared]), back)
    )
    return cases, background


@pytest.fixture(scope="module")
def adapted(small: Small) -> Adaptation:
    return adapt(small.model, *parts(small), "escalation", FEW)


def found(small: Small, scores: np.ndarray, places: np.ndarray) -> float:
    alerted = scores >= cut(scores, 0.02)
    return float(alerted[small.new[places]].mean())


def test_it_finds_more_of_the_new_pattern_later(small: Small, adapted: Adaptation) -> None:
    places = np.flatnonzero((small.days >= TRAINED) & ~even(small))
    places = places[small.new[places] | ~small.fraud[places]]
    before = found(small, small.model.margins(small.rows[places]), places)
    after = found(small, adapted.model.margins(small.rows[places]), places)
    assert after >= before + 0.2
    assert adapted.gain >= FEW.least


def test_no_score_falls_and_the_model_before_stays(small: Small, adapted: Adaptation) -> None:
    before, after = small.model.margins(small.rows), adapted.model.margins(small.rows)
    assert (after >= before).all() and (after > before).any()
    assert adapted.model.digest != small.model.digest
    assert small.model.trained.notes == ()
    assert adapted.model.trained.notes == ("escalation: 20 trees of 50 cases",)
    # What comes after is the model before and something more.
    n = len(small.model.trees.feature)
    assert adapted.model.trees.feature[:n] == small.model.trees.feature


def test_it_is_a_model_like_any_other(small: Small, adapted: Adaptation, tmp_path: Path) -> None:
    adapted.model.save(tmp_path / "m.json")
    model = load(tmp_path / "m.json", adapted.model.digest)
    raised = adapted.model.margins(small.rows) - small.model.margins(small.rows)
    places = np.argsort(-raised)[:10]
    for seen in small.seen(places):
        told = assess(model, seen, Thresholds(0.05, 0.5))
        assert told.explanation.reasons
        assert all(r.score_without < told.explanation.score for r in told.explanation.reasons)


def test_the_same_cases_give_the_same_model(small: Small, adapted: Adaptation) -> None:
    assert adapt(small.model, *parts(small), "escalation", FEW).model.digest == adapted.model.digest


def test_cases_that_say_nothing_are_refused(small: Small) -> None:
    """Ordinary transactions called fraud at random: there is nothing to learn."""
    _, background = parts(small)
    rng = np.random.default_rng(2)
    genuine = np.flatnonzero(~small.fraud & (small.days >= TRAINED))
    places = rng.choice(genuine, 50, replace=False)
    accounts = [small.world.transactions[i].account for i in places]
    labels = rng.permutation(np.arange(50) < 25)
    with pytest.raises(CallerError, match="do not help"):
        adapt(small.model, Labelled(small.rows[places], labels, accounts), background, "x", FEW)


def test_what_would_forget_is_refused(small: Small) -> None:
    with pytest.raises(CallerError, match="known frauds would be lost"):
        adapt(small.model, *parts(small), "x", replace(FEW, lost=-1))


def test_too_few_cases_are_refused(small: Small) -> None:
    cases, background = parts(small)
    few = Labelled(cases.rows[:7], cases.frauds[:7], cases.accounts[:7])
    with pytest.raises(CallerError, match="at least 8 frauds"):
        adapt(small.model, few, background, "x", FEW)
    one = replace(cases, accounts=["A1"] * len(cases.accounts))
    with pytest.raises(CallerError, match="4 accounts"):
        adapt(small.model, one, background, "x", FEW)
