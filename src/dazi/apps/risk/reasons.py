"""Reason codes: what raised a score, each with its values and a proof.

What a group of features has in the score is its Shapley value against the account's usual values
(``trees.contributions``). A group is stated only if the score falls when its features, alone, are
put back to what is usual; what cannot be shown so is not said. Nothing here is drawn at random, and
numbers are rounded before they are ordered: the same input has the same reasons, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dazi.apps.risk.features import CODES, CONTEXT, FEATURES, GROUP_OF, GROUPS, NAMES, Floats
from dazi.apps.risk.history import Seen
from dazi.apps.risk.model import PLACES, Model
from dazi.apps.risk.trees import contributions

MOST = 5
LEAST = 0.1
"""Log-odds: below, a group's part is not worth a sentence."""
_OF_ALL = GROUPS["short_history"]
"""An account's own past is always shorter than it is now: these are compared with everybody's."""


@dataclass(frozen=True, slots=True)
class Value:
    """Of one feature, in this transaction and usually."""

    feature: str
    value: float
    usual: float


@dataclass(frozen=True, slots=True)
class Reason:
    """``contribution``: in log-odds. ``score_without``: with the reason's features as usual.

    ``codes`` is one code, or several that lower the score only together.
    """

    codes: tuple[str, ...]
    contribution: float
    score_without: float
    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """``score_usual``: with every feature as usual. ``own_usual``: whether the account's own past
    is what was compared with. ``parts``: of every code, stated or not, in log-odds; they add up
    to the margin less the usual one."""

    score: float
    score_usual: float
    own_usual: bool
    reasons: tuple[Reason, ...]
    parts: tuple[tuple[str, float], ...]


def usual_of(model: Model, seen: Seen) -> Floats:
    """The account's own medians, or those of genuine transactions where it has too few."""
    usual = np.array(model.typical if seen.usual is None else seen.usual)
    usual[list(_OF_ALL)] = np.array(model.typical)[list(_OF_ALL)]
    return usual


def explain(model: Model, seen: Seen) -> Explanation:
    """Raises ``ValueError`` for features that were made by other rules than the model's."""
    if seen.rules != model.rules:
        raise ValueError("the features are of other rules; look with Histories(model.rules)")
    row, usual = np.array(seen.values), usual_of(model, seen)
    parts = [
        (code, round(part, PLACES) + 0.0)
        for code, part in zip(CODES, contributions(model.trees, row, usual, GROUP_OF), strict=True)
    ]
    ranked = sorted(
        ((code, part) for code, part in parts if code != CONTEXT and part >= LEAST),
        key=lambda p: (-p[1], p[0]),
    )
    rows = np.stack([row, usual, *(_without(row, usual, (code,)) for code, _ in ranked)])
    score, score_usual, *withouts = (float(s) for s in model.scores(rows))
    reasons = [
        _reason((code,), part, without, row, usual)
        for (code, part), without in zip(ranked, withouts, strict=True)
        if without < score
    ]
    if not reasons:
        reasons = _together(model, ranked, score, row, usual)
    return Explanation(
        score, score_usual, seen.usual is not None, tuple(reasons[:MOST]), tuple(parts)
    )


def _together(
    model: Model, ranked: list[tuple[str, float]], score: float, row: Floats, usual: Floats
) -> list[Reason]:
    """The fewest of the first that lower the score together, where none does alone."""
    for n in range(2, len(ranked) + 1):
        codes = tuple(code for code, _ in ranked[:n])
        without = float(model.scores(_without(row, usual, codes)[None])[0])
        if without < score:
            part = round(sum(p for _, p in ranked[:n]), PLACES)
            return [_reason(codes, part, without, row, usual)]
    return []


def _without(row: Floats, usual: Floats, codes: tuple[str, ...]) -> Floats:
    changed = row.copy()
    places = [i for code in codes for i in GROUPS[code]]
    changed[places] = usual[places]
    return changed


def _reason(
    codes: tuple[str, ...], part: float, without: float, row: Floats, usual: Floats
) -> Reason:
    values = tuple(
        Value(NAMES[i], round(float(row[i]), PLACES), round(float(usual[i]), PLACES))
        for code in codes
        for i in GROUPS[code]
        if row[i] != usual[i]
    )
    return Reason(codes, part, without, values)


def riskier(value: Value) -> bool:
    """Whether the feature is away from the usual on the side that raises scores."""
    push = FEATURES[NAMES.index(value.feature)].push
    return (value.value - value.usual) * (push or 1) > 0
