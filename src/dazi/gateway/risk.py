"""``/v1/dazi/risk``: what waits for a person, one transaction with its reasons, decisions, the model."""

from __future__ import annotations

from typing import Literal, NoReturn

from msgspec import Struct

from dazi.apps.risk.card import card, drift_text, thresholds_text
from dazi.apps.risk.cases import Decision, Waiting
from dazi.apps.risk.events import Transaction
from dazi.apps.risk.papers import CONTENT_TYPES, ENDINGS, Form, as_paper
from dazi.apps.risk.service import Case, RiskService
from dazi.apps.risk.shelf import version_of
from dazi.apps.risk.wording import TITLES
from dazi.core.errors import NotFound
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader

MOST = 500
FORMS: dict[str, Form] = {"": "markdown", "markdown": "markdown", "html": "html", "pdf": "pdf"}


class WaitingView(Struct, frozen=True):
    """``score``: 0 to 1. ``action``: a proposal and no act. ``at``: when it was scored."""

    transaction: str
    day: str
    score: float
    action: str
    reasons: list[str]
    model: str
    at: int


class WaitingList(Struct, frozen=True):
    data: list[WaitingView]
    object: str = "list"


class ReasonView(Struct, frozen=True):
    """``codes`` lower the score together to ``score_without`` where all is as usual with them."""

    codes: list[str]
    title: str
    contribution: float
    score_without: float


class DecisionView(Struct, frozen=True):
    transaction: str
    outcome: str
    user: str
    note: str
    score: float
    model: str
    at: int


class PaymentView(Struct, frozen=True):
    id: str
    account: str
    at: str
    amount_cents: int
    currency: str
    direction: str
    counterparty: str | None
    city: str | None
    outcome: str | None


class CaseView(Struct, frozen=True):
    """``account``: the case in words. ``past``: of the same account, the latest first."""

    transaction: PaymentView
    score: float
    score_usual: float
    action: str
    threshold: float
    reasons: list[ReasonView]
    account: str
    model: str
    decisions: list[DecisionView]
    past: list[PaymentView]


class RiskDecision(Struct, forbid_unknown_fields=True):
    outcome: Literal["fraud", "genuine"]
    note: str = ""


class BudgetView(Struct, frozen=True):
    budget: float
    threshold: float
    alerts_a_day: float
    precision: float
    recall: float


class ModelView(Struct, frozen=True):
    """``review`` and ``hold``: scores from which somebody looks and a payment waits. ``versions``:
    those that are kept, the latest first."""

    version: str
    versions: list[str]
    trained_from: str
    trained_to: str
    auc: float
    average_precision: float
    review: float
    hold: float
    budgets: list[BudgetView]


RISK_DECISION = Reader(RiskDecision)


async def risk_queue(x: Exchange) -> None:
    limit = x.number("limit", 100, least=1, most=MOST)
    found = await _service(x).queue(x.principal, limit, day=x.text("day")[:10])
    await x.reply(encode(WaitingList([_waiting(w) for w in found])))


async def risk_case(x: Exchange) -> None:
    limit = x.number("past", 20, most=200)
    found = await _service(x).case(x.principal, x.path["transaction"])
    await x.reply(encode(_case(found, limit, x)))


async def risk_decide(x: Exchange) -> None:
    given = RISK_DECISION.read(x.body)
    kept = await _service(x).decide(x.principal, x.path["transaction"], given.outcome, given.note)
    await x.reply(encode(_decision(kept)))


async def risk_model(x: Exchange) -> None:
    service = _service(x)
    made, versions = await service.model(x.principal), await service.versions(x.principal)
    told = made.quality
    view = ModelView(
        version_of(made), list(versions), made.model.trained.begin, made.model.trained.end,
        told.auc, told.average_precision, made.thresholds.review, made.thresholds.hold,
        [BudgetView(r.budget, r.threshold, r.alerts_a_day, r.precision, r.recall)
         for r in told.thresholds.rows],
    )  # fmt: skip
    await x.reply(encode(view))


async def risk_report(x: Exchange) -> None:
    """The card, the threshold report or the drift report, as a file."""
    form = FORMS.get(x.text("format"))
    if form is None:
        raise BadField("format", "应为 markdown、html 或 pdf", "must be markdown, html or pdf")
    service, which = _service(x), x.path["paper"]
    made = await service.model(x.principal)
    match which:
        case "card":
            said = card(made.model, made.quality, await service.drift(x.principal), x.spoken)
        case "thresholds":
            said = thresholds_text(made.quality, made.thresholds, x.spoken)
        case "drift":
            said = drift_text(await service.drift(x.principal), x.spoken)
        case _:
            _no_report(which)
    await x.file(as_paper(said, form), CONTENT_TYPES[form], f"risk-{which}.{ENDINGS[form]}")


def _no_report(which: str) -> NoReturn:
    raise NotFound(
        "risk_report",
        f"没有报告 {which[:20]};有 card、thresholds、drift",
        f"there is no report {which[:20]}; there are card, thresholds and drift",
    )


def _service(x: Exchange) -> RiskService:
    """Raises ``NotFound`` where the company declares no transactions."""
    if x.state.risk is None:
        raise NotFound(
            "risk", "没有声明要评估的交易", "no transactions are declared to be assessed"
        )
    return x.state.risk


def _waiting(w: Waiting) -> WaitingView:
    return WaitingView(w.transaction, w.day, w.score, w.action, list(w.codes), w.model, int(w.at))


def _decision(d: Decision) -> DecisionView:
    return DecisionView(d.transaction, d.outcome, d.user, d.note, d.score, d.model, int(d.at))


def _payment(t: Transaction) -> PaymentView:
    return PaymentView(
        t.id, t.account, t.at.isoformat(), t.amount_cents, t.currency, t.direction,
        t.counterparty, t.city, t.outcome,
    )  # fmt: skip


def _case(found: Case, limit: int, x: Exchange) -> CaseView:
    told = found.assessment
    e, language = told.explanation, x.spoken
    return CaseView(
        _payment(told.seen.transaction), e.score, e.score_usual, told.proposal.action,
        told.proposal.threshold,
        [ReasonView(list(r.codes), " + ".join(TITLES[c](language) for c in r.codes),
                    r.contribution, r.score_without) for r in e.reasons],
        told.account(language).text, found.version, [_decision(d) for d in found.decisions],
        [_payment(t) for t in reversed(found.past[-limit:] if limit else ())],
    )  # fmt: skip
