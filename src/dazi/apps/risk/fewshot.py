"""A model learns a new pattern from some fifty labelled cases, or says that it cannot.

A few shallow trees are boosted onto the model's own margin, over the cases and a sample of what it
was trained on. What they add is never below zero: no score falls, and what the model knew it still
knows. Whether it helps is tried first, on cases of accounts that the trees have not seen; the model
that comes out is a model like any other, with its own digest, and the one before stays as it is.
Its scores are higher: thresholds have to be chosen again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import numpy.typing as npt

from dazi.apps.risk.features import FEATURES, Floats
from dazi.apps.risk.model import Model
from dazi.apps.risk.thresholds import cut
from dazi.apps.risk.trees import LEAF, UNIT, Trees
from dazi.core.errors import CallerError

Flags = npt.NDArray[np.bool_]
FEWEST, FEWEST_ACCOUNTS = 8, 4
"""Frauds, and accounts they are of, without which no half can be learnt from."""


@dataclass(frozen=True, slots=True)
class Few:
    """``highest``: what one leaf can add, in log-odds, before ``rate``. ``budget``: the share of
    transactions that can be looked at. ``trials``: how often the cases are dealt out into
    ``folds``. ``least``: how much more of the held-out cases has to be found, in the median; labels
    dealt out at random stay below it (docs/decisions/0023). ``lost``: how much less of the known
    frauds may be found at the same budget."""

    trees: int = 60
    depth: int = 3
    fewest_in_leaf: int = 5
    rate: float = 0.3
    highest: float = 4.0
    budget: float = 0.005
    trials: int = 3
    folds: int = 4
    least: float = 0.15
    lost: float = 0.05
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Labelled:
    """n x features rows with what people found and whose they are."""

    rows: Floats
    frauds: Flags
    accounts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """Recall at the budget where they were held out: of the cases' frauds, and of known ones."""

    new_before: float
    new_after: float
    known_before: float
    known_after: float


@dataclass(frozen=True, slots=True)
class Adaptation:
    model: Model
    trials: tuple[Trial, ...]

    @property
    def gain(self) -> float:
        """The median over the trials."""
        return median(t.new_after - t.new_before for t in self.trials)


def adapt(
    model: Model, cases: Labelled, background: Labelled, name: str, few: Few | None = None
) -> Adaptation:
    """``background``: of the training transactions with their outcomes, some thousands; its known
    frauds may be more than their share, the budget is cut from the genuine ones.

    Raises ``CallerError`` where there are too few cases, or where they do not help on accounts that
    were held out; the text says by how much.
    """
    few = few or Few()
    enough(cases.accounts, cases.frauds.tolist())
    rng = np.random.default_rng(few.seed)
    trials = tuple(_trial(model, cases, background, few, rng) for _ in range(few.trials))
    _helps(trials, few)
    added = _added(model, _both(cases, background), few)
    note = f"{name}: {few.trees} trees of {len(cases.rows)} cases"
    trained = replace(model.trained, notes=(*model.trained.notes, note))
    return Adaptation(replace(model, trees=model.trees.joined(added), trained=trained), trials)


def enough(accounts: Sequence[str], frauds: Sequence[bool]) -> None:
    """Raises ``CallerError`` where there are too few frauds, or they are of too few accounts."""
    of_frauds = {a for a, fraud in zip(accounts, frauds, strict=True) if fraud}
    if sum(frauds) < FEWEST or len(of_frauds) < FEWEST_ACCOUNTS:
        raise CallerError(
            "risk_adaptation",
            f"要至少 {FEWEST} 笔欺诈、来自 {FEWEST_ACCOUNTS} 个账户,"
            f"有 {sum(frauds)} 笔、{len(of_frauds)} 个账户",
            f"at least {FEWEST} frauds of {FEWEST_ACCOUNTS} accounts are needed, there are "
            f"{sum(frauds)} of {len(of_frauds)}",
        )


def _helps(trials: Sequence[Trial], few: Few) -> None:
    gain = median(t.new_after - t.new_before for t in trials)
    lost = median(t.known_before - t.known_after for t in trials)
    if gain < few.least:
        raise CallerError(
            "risk_adaptation",
            f"这些案例帮不上:没见过的案例,找到的比例只变了 {gain:+.2f},至少要 {few.least:+.2f};"
            "给出更多或更准的标注",
            f"these cases do not help: of held-out ones, {gain:+.2f} more were found, and "
            f"{few.least:+.2f} is the least; give more of them, or better labelled ones",
        )
    if lost > few.lost:
        raise CallerError(
            "risk_adaptation",
            f"会忘掉已知的欺诈:同样的预算下少找到 {lost:.2f};把这些案例并入下次训练",
            f"known frauds would be lost: {lost:.2f} of them at the same budget; train again with "
            "these cases among the others",
        )


def _trial(
    model: Model, cases: Labelled, background: Labelled, few: Few, rng: np.random.Generator
) -> Trial:
    """Every account is held out once, in one of the folds; what was found is counted over all."""
    case_folds, folds = _folds(cases, few.folds, rng), _folds(background, few.folds, rng)
    new: list[Flags] = []
    known: list[Flags] = []
    for n in range(few.folds):
        learnt = _both(_part(cases, case_folds != n), _part(background, folds != n))
        held_cases, held = _part(cases, case_folds == n), _part(background, folds == n)
        added = _added(model, learnt, few)
        before, before_cases = (model.trees.margins(p.rows) for p in (held, held_cases))
        more, more_cases = (added.margins(p.rows) for p in (held, held_cases))
        for_new, for_known = [], []
        for of_held, of_cases in (
            (before, before_cases),
            (before + more, before_cases + more_cases),
        ):
            line = cut(of_held[~held.frauds], few.budget)
            for_new.append(of_cases[held_cases.frauds] >= line)
            for_known.append(of_held[held.frauds] >= line)
        new.append(np.stack(for_new))
        known.append(np.stack(for_known))
    found = [np.concatenate(parts, axis=1) for parts in (new, known)]
    shares = [(f.mean(axis=1) if f.size else np.zeros(2)).tolist() for f in found]
    return Trial(*shares[0], *shares[1])


def _folds(all_of: Labelled, folds: int, rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """A fold for each row, by accounts; those with a fraud and those without are shared out alike."""
    with_fraud = {a for a, fraud in zip(all_of.accounts, all_of.frauds, strict=True) if fraud}
    fold: dict[str, int] = {}
    for group in (sorted(with_fraud), sorted(set(all_of.accounts) - with_fraud)):
        for n, i in enumerate(rng.permutation(len(group))):
            fold[group[i]] = n % folds
    return np.array([fold[a] for a in all_of.accounts], dtype=np.int64)


def _part(all_of: Labelled, chosen: Flags) -> Labelled:
    accounts = [a for a, c in zip(all_of.accounts, chosen, strict=True) if c]
    return Labelled(all_of.rows[chosen], all_of.frauds[chosen], accounts)


def _both(a: Labelled, b: Labelled) -> Labelled:
    return Labelled(
        np.concatenate([a.rows, b.rows]),
        np.concatenate([a.frauds, b.frauds]),
        [*a.accounts, *b.accounts],
    )


def _added(model: Model, data: Labelled, few: Few) -> Trees:
    """Newton boosting from the model's margin: trees fitted to g/h with weights h (Friedman 2001;
    Chen and Guestrin 2016). Values are clipped to [0, ``highest``]: a clip keeps them in order, so
    monotone constraints hold."""
    from sklearn.tree import DecisionTreeRegressor

    margins = model.trees.margins(data.rows)
    parts: Trees | None = None
    for i in range(few.trees):
        p = np.clip(1 / (1 + np.exp(-margins)), 1e-6, 1 - 1e-6)
        weight = p * (1 - p)
        learner = DecisionTreeRegressor(
            max_depth=few.depth,
            min_samples_leaf=few.fewest_in_leaf,
            monotonic_cst=[f.push for f in FEATURES],
            random_state=few.seed + i,
        ).fit(data.rows, (data.frauds - p) / weight, sample_weight=weight)
        tree = _one(learner.tree_, few)
        margins = margins + tree.margins(data.rows)
        parts = tree if parts is None else parts.joined(tree)
    if parts is None:
        raise CallerError("risk_adaptation", "至少要一棵树", "at least one tree is needed")
    return parts


def _one(tree: object, few: Few) -> Trees:
    """A tree by scikit-learn's public attributes."""
    left, right, feature, threshold, value = (
        np.asarray(getattr(tree, name)).reshape(-1).tolist()
        for name in ("children_left", "children_right", "feature", "threshold", "value")
    )
    leaf = [child < 0 for child in left]
    return Trees(
        tuple(LEAF if end else f for f, end in zip(feature, leaf, strict=True)),
        tuple(0.0 if end else t for t, end in zip(threshold, leaf, strict=True)),
        tuple(i if end else c for i, (c, end) in enumerate(zip(left, leaf, strict=True))),
        tuple(i if end else c for i, (c, end) in enumerate(zip(right, leaf, strict=True))),
        tuple(
            round(few.rate * min(few.highest, max(0.0, v)) / UNIT) if end else 0
            for v, end in zip(value, leaf, strict=True)
        ),
        (0,),
        0,
    )
