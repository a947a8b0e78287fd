"""A model learns a new pattern from some fifty labelled cases, or says that it cannot.

A few shallow trees are boosted onto the model's own margin, over the cases and a sample of what it
was trained on. What they add is never below zero: no score falls, and what the model knew it still
knows. Whether it helps is tried first, on cases of accounts that the trees have not seen; the model
that comes out is a model like any other, with its own digest, and the one before stays as it is.
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
MOST_LOST = 0.05
"""Of the known frauds' recall, at the same budget."""


@dataclass(frozen=True, slots=True)
class Few:
    """``highest``: what one leaf can add, in log-odds, before ``rate``. ``budget``: the share of
    transactions that can be looked at. ``gains``: the share of splits that have to find more, and
    ``least``: how much more in the median of them; labels dealt out at random stay below (0023)."""

    trees: int = 30
    depth: int = 3
    fewest_in_leaf: int = 5
    rate: float = 0.2
    highest: float = 4.0
    budget: float = 0.005
    splits: int = 10
    gains: float = 0.7
    least: float = 0.15
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Labelled:
    """n x features rows with what people found and whose they are."""

    rows: Floats
    frauds: Flags
    accounts: Sequence[str]


@dataclass(frozen=True, slots=True)
class Trial:
    """Recall at the budget, on the half that was held out: of the cases, and of known frauds."""

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
        """The median over the splits."""
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
    of_frauds = {a for a, fraud in zip(cases.accounts, cases.frauds, strict=True) if fraud}
    if cases.frauds.sum() < FEWEST or len(of_frauds) < FEWEST_ACCOUNTS:
        raise CallerError(
            "risk_adaptation",
            f"要至少 {FEWEST} 笔欺诈、来自 {FEWEST_ACCOUNTS} 个账户,"
            f"有 {cases.frauds.sum()} 笔、{len(of_frauds)} 个账户",
            f"at least {FEWEST} frauds of {FEWEST_ACCOUNTS} accounts are needed, there are "
            f"{cases.frauds.sum()} of {len(of_frauds)}",
        )
    rng = np.random.default_rng(few.seed)
    trials = tuple(_trial(model, cases, background, few, rng) for _ in range(few.splits))
    _helps(trials, few)
    added = _added(model, _both(cases, background), few)
    note = f"{name}: {few.trees} trees of {len(cases.rows)} cases"
    trained = replace(model.trained, notes=(*model.trained.notes, note))
    return Adaptation(replace(model, trees=model.trees.joined(added), trained=trained), trials)


def _helps(trials: Sequence[Trial], few: Few) -> None:
    gained = sum(t.new_after > t.new_before for t in trials)
    gain = median(t.new_after - t.new_before for t in trials)
    lost = median(t.known_before - t.known_after for t in trials)
    if gained < few.gains * len(trials) or gain < few.least:
        raise CallerError(
            "risk_adaptation",
            f"这些案例帮不上:{len(trials)} 次试验里 {gained} 次找到更多没见过的案例,"
            f"中位变化 {gain:+.2f};给出更多或更准的标注",
            f"these cases do not help: {gained} of {len(trials)} trials found more of the held-out "
            f"cases, the median change is {gain:+.2f}; give more of them, or better labelled ones",
        )
    if lost > MOST_LOST:
        raise CallerError(
            "risk_adaptation",
            f"会忘掉已知的欺诈:同样的预算下少找到 {lost:.2f};把这些案例并入下次训练",
            f"known frauds would be lost: {lost:.2f} of them at the same budget; train again with "
            "these cases among the others",
        )


def _trial(
    model: Model, cases: Labelled, background: Labelled, few: Few, rng: np.random.Generator
) -> Trial:
    """Learnt from one half of the accounts, tried on the other."""
    learnt_cases, held_cases = _halves(cases, rng)
    learnt, held = _halves(background, rng)
    added = _added(model, _both(learnt_cases, learnt), few)
    base, base_cases = (model.trees.margins(p.rows) for p in (held, held_cases))
    more, more_cases = (added.margins(p.rows) for p in (held, held_cases))

    def recalls(of_held: Floats, of_cases: Floats) -> tuple[float, float]:
        line = cut(of_held[~held.frauds], few.budget)
        new, known = of_cases[held_cases.frauds] >= line, of_held[held.frauds] >= line
        return float(new.mean()), float(known.mean()) if len(known) else 0.0

    new_before, known_before = recalls(base, base_cases)
    new_after, known_after = recalls(base + more, base_cases + more_cases)
    return Trial(new_before, new_after, known_before, known_after)


def _halves(all_of: Labelled, rng: np.random.Generator) -> tuple[Labelled, Labelled]:
    """By accounts, those with a fraud and those without shared out alike."""
    of = np.array(all_of.accounts)
    with_fraud = set(of[all_of.frauds].tolist())
    first: set[str] = set()
    for group in (sorted(with_fraud), sorted(set(of.tolist()) - with_fraud)):
        order = rng.permutation(len(group))
        first |= {group[i] for i in order[: (len(group) + 1) // 2]}
    inside = np.array([a in first for a in all_of.accounts], dtype=bool)
    return _part(all_of, inside), _part(all_of, ~inside)


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
