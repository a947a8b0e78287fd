"""Trains a model: scikit-learn's histogram gradient boosting, calibrated on later days.

Trees of the first part of the time are calibrated on the rest, which they have not seen; then trees
of the same kind learn from all of it. Frauds are few: a quarter of them less is a worse model.

scikit-learn is needed here only; what it has learnt is taken out as plain trees (``trees``), and
those have to say what scikit-learn says.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from dazi.apps.risk.drift import bins_of
from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import FEATURES, NAMES, Floats, Rules
from dazi.apps.risk.model import Model, Trained, scores_of
from dazi.apps.risk.trees import LEAF, UNIT, Trees
from dazi.core.errors import CallerError, OperatorError

FEWEST, FEWEST_CALIBRATING = 20, 10
"""Frauds without which nothing can be learnt, or calibrated."""
AGREEMENT = 1e-6


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the boosting; ``calibration``: the last share of the transactions, on which trees of the
    share before it are calibrated. ``features``: the share of them that a split chooses among."""

    trees: int = 250
    learning_rate: float = 0.06
    leaves: int = 31
    fewest_in_leaf: int = 20
    features: float = 0.3
    l2: float = 2.0
    calibration: float = 0.25
    seed: int = 7


def train(
    ordered: Sequence[Transaction],
    rows: Floats,
    rules: Rules | None = None,
    settings: Settings | None = None,
) -> Model:
    """``rows``: ``features_of(ordered, rules)``. No outcome counts as genuine: nobody complained.

    Raises ``CallerError`` where there are too few frauds on either side of the cut in time.
    """
    rules, settings = rules or Rules(), settings or Settings()
    frauds = np.array([t.outcome == "fraud" for t in ordered], dtype=bool)
    cut = int(len(ordered) * (1 - settings.calibration))
    for name, part, least in (
        ("training", frauds[:cut], FEWEST),
        ("calibration", frauds[cut:], FEWEST_CALIBRATING),
    ):
        if part.sum() < least or part.all():
            raise CallerError(
                "risk_training",
                f"{name}:有 {part.sum()} 笔欺诈,至少要 {least} 笔,另外还要正常交易;给出更长的时期",
                f"{name}: {part.sum()} frauds, at least {least} are needed, and genuine ones "
                "besides; give a longer period",
            )
    early = _boosted(rows[:cut], frauds[:cut], settings).margins(rows[cut:])
    slope, intercept = calibrated(early, frauds[cut:])
    trees = _boosted(rows, frauds, settings)
    trained = Trained(
        ordered[0].at.isoformat(),
        ordered[-1].at.isoformat(),
        len(ordered),
        int(frauds.sum()),
        len(ordered) - cut,
        int(frauds[cut:].sum()),
        len({t.account for t in ordered}),
        {k: float(v) for k, v in asdict(settings).items()},
    )
    typical = tuple(np.median(rows[~frauds], axis=0).tolist())
    bins = {name: bins_of(rows[:, i]) for i, name in enumerate(NAMES)}
    # By trees that had not seen these days: nobody has seen the ones to compare with.
    bins["score"] = bins_of(scores_of(early, slope, intercept))
    return Model(trees, slope, intercept, rules, NAMES, typical, bins, trained)


def _boosted(rows: Floats, frauds: npt.NDArray[np.bool_], settings: Settings) -> Trees:
    from sklearn.ensemble import HistGradientBoostingClassifier
    from threadpoolctl import threadpool_limits

    learner = HistGradientBoostingClassifier(
        learning_rate=settings.learning_rate,
        max_iter=settings.trees,
        max_leaf_nodes=settings.leaves,
        min_samples_leaf=settings.fewest_in_leaf,
        max_features=settings.features,
        l2_regularization=settings.l2,
        monotonic_cst=[f.push for f in FEATURES],
        early_stopping=False,
        random_state=settings.seed,
    )
    # More threads wait for one another: on two busy cores 109 s in place of 6.
    with threadpool_limits(1, "openmp"):
        learner.fit(rows, frauds)
    trees = _taken_out(learner)
    some = rows[:2_000]
    if np.abs(trees.margins(some) - learner.decision_function(some)).max() > AGREEMENT:
        raise OperatorError(
            "risk_training",
            "取出的树与 scikit-learn 算的不一致;换一个版本的 scikit-learn",
            "the trees taken out disagree with scikit-learn; use another version of it",
        )
    return trees


def _taken_out(learner: Any) -> Trees:
    """scikit-learn has no public way to its trees; ``_boosted`` checks what is taken."""
    feature: list[int] = []
    threshold: list[float] = []
    left: list[int] = []
    right: list[int] = []
    value: list[int] = []
    roots: list[int] = []
    for (predictor,) in learner._predictors:
        n = len(feature)
        roots.append(n)
        for i, node in enumerate(predictor.nodes):
            leaf = bool(node["is_leaf"])
            feature.append(LEAF if leaf else int(node["feature_idx"]))
            threshold.append(0.0 if leaf else min(float(node["num_threshold"]), 1e300))
            left.append(n + (i if leaf else int(node["left"])))
            right.append(n + (i if leaf else int(node["right"])))
            value.append(round(float(node["value"]) / UNIT) if leaf else 0)
    base = round(float(np.ravel(learner._baseline_prediction)[0]) / UNIT)
    return Trees(
        tuple(feature), tuple(threshold), tuple(left), tuple(right), tuple(value),
        tuple(roots), base,
    )  # fmt: skip


def calibrated(margins: Floats, frauds: npt.NDArray[np.bool_]) -> tuple[float, float]:
    """Slope and intercept of a logistic curve over margins, by Newton's steps, with Platt's targets
    in place of 0 and 1. A curve keeps apart what an isotonic staircase would put on one step, and
    a reason has to be able to lower a score. Raises ``CallerError`` where higher margins are not
    more often fraud."""
    positive, negative = int(frauds.sum()), int((~frauds).sum())
    targets = np.where(frauds, (positive + 1) / (positive + 2), 1 / (negative + 2))
    design = np.stack([margins, np.ones_like(margins)], axis=1)
    w = np.array([1.0, 0.0])
    for _ in range(100):
        p = 1 / (1 + np.exp(-(design @ w)))
        gradient = design.T @ (p - targets) + 1e-6 * w
        hessian = (design * (p * (1 - p))[:, None]).T @ design + 1e-6 * np.eye(2)
        step = np.linalg.solve(hessian, gradient)
        w = w - step * min(1.0, 2.0 / max(1e-12, float(np.abs(step).max())))
        if np.abs(step).max() < 1e-10:
            break
    slope, intercept = round(float(w[0]), 9), round(float(w[1]), 9)
    if slope <= 0:
        raise CallerError(
            "risk_training",
            "在后来的日子里,模型认为可疑的并不更常是欺诈;检查标注和时期",
            "in the later days, what the model finds suspicious is not more often fraud; look at "
            "the outcomes and the period",
        )
    return slope, intercept
