"""How a model comes to be and to change: trained, tried on later days, adapted, watched.

Frauds are reported late. What is younger than ``settle_days`` is neither learnt from nor tested on:
there, a fraud that nobody has found yet would count as genuine.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from dazi.apps.risk.drift import Drift, bins_of, drift
from dazi.apps.risk.events import Outcome, Transaction
from dazi.apps.risk.features import Floats, Rules
from dazi.apps.risk.fewshot import Adaptation, Labelled, adapt, enough
from dazi.apps.risk.history import features_of, in_order
from dazi.apps.risk.model import Model
from dazi.apps.risk.past import DAY
from dazi.apps.risk.quality import Quality, quality_of
from dazi.apps.risk.thresholds import BUDGETS, Thresholds, choose
from dazi.apps.risk.training import Settings, train
from dazi.core.errors import CallerError

FEWEST = 200
BACKGROUND = 10_000
"""Genuine transactions that an adaptation is weighed against."""
RECENT_DAYS = 14
"""Of the data's end, that drift looks at."""


@dataclass(frozen=True, slots=True)
class Plan:
    """``review`` and ``hold``: shares of all transactions that people look at and that wait for
    them. ``tested``: the last share of what is settled, which is not learnt from."""

    settle_days: float = 14.0
    tested: float = 0.3
    review: float = 0.01
    hold: float = 0.002
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Made:
    """A model with what it can do on days it was not made of, and the thresholds that follow."""

    model: Model
    quality: Quality
    thresholds: Thresholds
    gain: float | None = None
    """Of an adaptation: how much more of held-out cases was found."""


@dataclass(frozen=True, slots=True)
class _Split:
    ordered: Sequence[Transaction]
    rows: Floats
    learnt: int
    settled: int


def make(transactions: Sequence[Transaction], plan: Plan) -> Made:
    """Raises ``CallerError`` for too little of anything; see ``train``."""
    s = _split(transactions, plan)
    model = train(s.ordered[: s.learnt], s.rows[: s.learnt], settings=plan.settings)
    return _tested(model, s, plan, frozenset())


def remake(
    base: Model,
    transactions: Sequence[Transaction],
    cases: Mapping[str, Outcome],
    name: str,
    plan: Plan,
) -> Made:
    """``base`` with what ``cases`` (by transaction) teach it, tested without them.

    Raises ``CallerError`` for a case that is no transaction, and as ``adapt``.
    """
    account_of = {t.id: t.account for t in transactions if t.id in cases}
    unknown = [id for id in cases if id not in account_of]
    if unknown:
        raise CallerError(
            "risk_cases",
            f"没有交易 {unknown[0][:40]}(共 {len(unknown)} 笔找不到)",
            f"there is no transaction {unknown[0][:40]} ({len(unknown)} cannot be found)",
        )
    enough([account_of[id] for id in cases], [o == "fraud" for o in cases.values()])
    s = _split(transactions, plan)
    place = {t.id: i for i, t in enumerate(s.ordered)}
    chosen = np.array([place[id] for id in cases], dtype=np.int64)
    given = Labelled(
        s.rows[chosen],
        np.array([outcome == "fraud" for outcome in cases.values()]),
        [s.ordered[i].account for i in chosen],
    )
    adapted: Adaptation = adapt(base, given, _background(s, frozenset(cases)), name)
    made = _tested(adapted.model, s, plan, frozenset(cases))
    return replace(made, gain=round(adapted.gain, 6))


def moved(model: Model, transactions: Sequence[Transaction]) -> tuple[Drift, ...]:
    """The last days beside those that the model is of. Raises ``CallerError`` for none."""
    ordered = in_order(transactions)
    if not ordered:
        raise _too_few(0)
    rows = features_of(ordered, model.rules)
    since = ordered[-1].seconds - RECENT_DAYS * DAY
    return drift(model, rows[[t.seconds >= since for t in ordered]])


def _split(transactions: Sequence[Transaction], plan: Plan) -> _Split:
    ordered = in_order(transactions)
    if len(ordered) < FEWEST:
        raise _too_few(len(ordered))
    until = ordered[-1].seconds - plan.settle_days * DAY
    settled = sum(t.seconds < until for t in ordered)
    learnt = int(settled * (1 - plan.tested))
    # What happened within one second is on one side.
    while 0 < learnt < settled and ordered[learnt].at <= ordered[learnt - 1].at:
        learnt += 1
    if not 0 < learnt < settled:
        raise _too_few(settled)
    return _Split(ordered, features_of(ordered, Rules()), learnt, settled)


def _tested(model: Model, s: _Split, plan: Plan, apart: frozenset[str]) -> Made:
    kept = [i for i in range(s.learnt, s.settled) if s.ordered[i].id not in apart]
    # Scores of days that this very model has not seen are what later ones are compared with.
    bins = {**model.bins, "score": bins_of(model.scores(s.rows[kept]))}
    model = replace(model, bins=bins)
    budgets = sorted({*BUDGETS, plan.review, plan.hold})
    quality = quality_of(model, [s.ordered[i] for i in kept], s.rows[kept], budgets=budgets)
    return Made(model, quality, choose(quality.thresholds, plan.review, plan.hold))


def _background(s: _Split, apart: frozenset[str]) -> Labelled:
    """Every known fraud of the training days, and some of the rest."""
    frauds = np.array([t.outcome == "fraud" for t in s.ordered[: s.learnt]])
    usable = np.array([t.id not in apart for t in s.ordered[: s.learnt]])
    genuine = np.flatnonzero(~frauds & usable)
    rng = np.random.default_rng(7)
    some = rng.choice(genuine, min(BACKGROUND, len(genuine)), replace=False)
    chosen = np.sort(np.concatenate([some, np.flatnonzero(frauds & usable)]))
    return Labelled(s.rows[chosen], frauds[chosen], [s.ordered[i].account for i in chosen])


def _too_few(found: int) -> CallerError:
    return CallerError(
        "risk_training",
        f"只有 {found} 笔可用的交易,至少要 {FEWEST} 笔,前后要有先后",
        f"there are only {found} transactions to use; at least {FEWEST} of several days are needed",
    )
