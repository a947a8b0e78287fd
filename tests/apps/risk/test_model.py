"""A model is made the same way everywhere, kept in a file that runs nothing, and says what it learnt."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from dazi.apps.risk.features import FEATURES, INDEX, NAMES
from dazi.apps.risk.model import load
from dazi.apps.risk.training import calibrated, train
from dazi.core.errors import CallerError, OperatorError
from tests.apps.risk.conftest import SETTINGS, Small

ROOT = Path(__file__).resolve().parents[3]


def python(code: str, **env: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(("src", ".")), **env},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def test_it_finds_what_was_planted_on_days_it_has_not_seen(small: Small) -> None:
    later = small.later[~small.new[small.later]]
    truth, margins = small.fraud[later], small.model.margins(small.rows[later])
    amount = roc_auc_score(truth, small.rows[later, INDEX["amount"]])
    assert roc_auc_score(truth, margins) > max(0.95, amount)
    scores = small.model.scores(small.rows[later])
    assert scores[truth].mean() > 10 * scores[~truth].mean()
    assert truth.mean() / 3 < scores.mean() < truth.mean() * 3, "probabilities, not only an order"


def test_a_model_comes_back_as_it_was(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    small.model.save(path)
    again = load(path, small.model.digest)
    assert again == small.model and again.digest == small.model.digest
    assert np.array_equal(again.scores(small.rows), small.model.scores(small.rows))


def test_training_again_elsewhere_gives_the_same_digest(small: Small, tmp_path: Path) -> None:
    rows, kept = tmp_path / "rows.npy", tmp_path / "kept.jsonl"
    some = small.learnt
    np.save(rows, small.rows[some])
    kept.write_text(
        "\n".join(
            json.dumps({"id": t.id, "account": t.account, "at": t.at.isoformat(),
                        "amount_cents": t.amount_cents, "outcome": t.outcome})
            for t in small.transactions(some)
        )
    )  # fmt: skip
    code = (
        "import sys, numpy as np; from pathlib import Path\n"
        "from dazi.apps.risk.reading import read; from dazi.apps.risk.training import train\n"
        "from tests.apps.risk.conftest import SETTINGS\n"
        f"t = read(Path({str(kept)!r})).transactions\n"
        f"print(train(t, np.load({str(rows)!r}), settings=SETTINGS).digest)"
    )
    told = python(code, OMP_NUM_THREADS="2", PYTHONHASHSEED="5")
    assert told.strip() == small.model.digest


def test_a_score_needs_no_scikit_learn(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    small.model.save(path)
    code = (
        "import sys; from pathlib import Path\n"
        "from dazi.apps.risk.assessing import assess; from dazi.apps.risk.model import load\n"
        "from dazi.apps.risk.events import transaction_of\n"
        "from dazi.apps.risk.history import Histories\n"
        "from dazi.apps.risk.thresholds import Thresholds\n"
        "row = {'id': 'T1', 'account': 'A', 'at': '2025-04-03T02:00:00', 'amount': 5}\n"
        f"told = assess(load(Path({str(path)!r})), Histories().look(transaction_of(row)),"
        " Thresholds(0.1, 0.5))\n"
        "print(told.account('en').text, 'sklearn' in sys.modules)"
    )
    assert python(code).strip().endswith("False")


def test_more_of_what_raises_never_lowers(small: Small) -> None:
    rng = np.random.default_rng(1)
    rows = small.rows[rng.choice(len(small.rows), 300)]
    before = small.model.margins(rows)
    for i, feature in enumerate(FEATURES):
        if feature.push:
            more = rows.copy()
            more[:, i] = np.maximum(0, more[:, i] + feature.push * rng.exponential(5, len(rows)))
            assert (small.model.margins(more) >= before).all(), feature.name


class Bomb:
    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path(os.environ["BOMB"]),)


def test_a_foreign_file_runs_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    went_off = tmp_path / "went_off"
    monkeypatch.setenv("BOMB", str(went_off))
    path = tmp_path / "m.json"
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(OperatorError):
        load(path)
    assert not went_off.exists()
    pickle.loads(path.read_bytes())
    assert went_off.exists(), "the file is a real one"


def change(path: tuple[str | int, ...], value: object) -> Callable[[Any], None]:
    def changed(file: Any) -> None:
        at = file
        for step in path[:-1]:
            at = at[step]
        at[path[-1]] = value

    return changed


BROKEN = {
    "a leaf's value": change(("model", "trees", "value", -1), 10**9),
    "a loop": change(("model", "trees", "left", 0), 0),
    "a place outside": change(("model", "trees", "right", 0), 10**9),
    "a wrong type": change(("model", "trees", "base"), "1"),
    "other features": change(("model", "features", 0), "other"),
    "a slope that turns all round": change(("model", "slope"), -1.0),
    "a limit": change(("model", "rules", "near"), 0.5),
    "the digest": change(("digest",), "0" * 64),
    "the format": change(("format",), "dazi-risk-0"),
    "something added": change(("more",), 1),
    "fewer bins": change(("model", "bins"), {}),
    "typical values": change(("model", "typical"), [0.0]),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_changed_file_is_refused(small: Small, tmp_path: Path, what: str) -> None:
    path = tmp_path / "m.json"
    small.model.save(path)
    file = json.loads(path.read_bytes())
    BROKEN[what](file)
    path.write_text(json.dumps(file))
    with pytest.raises(OperatorError):
        load(path)


BAD = {
    "a loop": lambda m: replace(m, trees=replace(m.trees, left=(0, *m.trees.left[1:]))),
    "a slope that turns all round": lambda m: replace(m, slope=-1.0),
    "fewer bins": lambda m: replace(m, bins={}),
    "fewer typical values": lambda m: replace(m, typical=m.typical[1:]),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_model_with_the_right_digest_is_refused_all_the_same(
    small: Small, tmp_path: Path, what: str
) -> None:
    path = tmp_path / "m.json"
    BAD[what](small.model).save(path)
    with pytest.raises(OperatorError):
        load(path)


def test_files_that_are_none(small: Small, tmp_path: Path) -> None:
    path = tmp_path / "m.json"
    with pytest.raises(OperatorError):
        load(path)
    for text in ("", "{", "[" * 100_000, "null"):
        path.write_text(text)
        with pytest.raises(OperatorError):
            load(path)
    small.model.save(path)
    with pytest.raises(OperatorError, match="digest"):
        load(path, "f" * 64)


def test_rows_of_other_shapes_are_not_scored(small: Small) -> None:
    for rows in (small.rows[0], small.rows[:1, :-1], np.full((1, len(NAMES)), np.nan)):
        with pytest.raises(ValueError, match="finite rows"):
            small.model.margins(rows)


def test_too_few_frauds_and_none_later(small: Small) -> None:
    places = small.learnt
    made = small.transactions(places)
    genuine = [t for t in made if t.outcome is None]
    with pytest.raises(CallerError, match="0 frauds"):
        train(genuine, np.zeros((len(genuine), len(NAMES))), settings=SETTINGS)
    early = [t for i, t in enumerate(made) if t.outcome is None or i < len(made) // 2]
    with pytest.raises(CallerError, match="calibration"):
        train(early, np.zeros((len(early), len(NAMES))), settings=SETTINGS)


def test_calibration_tells_probabilities() -> None:
    rng = np.random.default_rng(1)
    margins = rng.normal(-2, 2, 50_000)
    frauds = rng.random(50_000) < 1 / (1 + np.exp(-(0.5 * margins - 1)))
    slope, intercept = calibrated(margins, frauds)
    assert (slope, intercept) == pytest.approx((0.5, -1), abs=0.05)
    with pytest.raises(CallerError, match="more often"):
        calibrated(-margins, frauds)


def test_a_model_is_equal_to_itself_only(small: Small) -> None:
    other = replace(small.model, slope=small.model.slope + 1e-9)
    assert other.digest != small.model.digest
