"""What the ledger and the meters are told of a turn: before it begins, and what came of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from dazi.access.limits.rules import Price
from dazi.agent.context import TurnRequest
from dazi.agent.turn_state import Turn
from dazi.agent.window import Fitted
from dazi.core.company import Company
from dazi.core.engine import ModelProfile
from dazi.core.experiments import Figures
from dazi.core.learning import Ended
from dazi.observe import genai
from dazi.observe.observer import TurnTold
from dazi.observe.tracing import Span, Tracer

MOST_PASSED_OVER = 8
"""Tools that came near a message and were not offered."""


def begun(tracer: Tracer, request: TurnRequest) -> tuple[Span, TurnRequest]:
    """The span of a turn, and the request with the trace that it belongs to on record."""
    span = tracer.begin("invoke_agent dazi", request.origin.get("trace", ""))
    context = span.context
    if not context or context == request.origin.get("trace"):
        return span, request
    return span, replace(request, origin={**request.origin, "trace": context})


def yuan(turn: Turn, model: ModelProfile, prices: Mapping[str, Price]) -> float | None:
    """What it cost: each model's tokens at its own price, an adapter's at its model's where it has none
    of its own. ``None`` where one that answered has no price."""
    cost = 0.0
    for (name, base), usage in (turn.used or {(model.name, ""): turn.usage}).items():
        price = prices.get(name) or prices.get(base)
        if price is None:
            return None
        cost += price.yuan(usage)
    return cost


def told(turn: Turn, model: ModelProfile, ms: float, cost: float | None) -> TurnTold:
    """For the meters; the turn's span ends with it."""
    who, by, usage = turn.request.principal, turn.by, turn.usage
    reason, name = turn.reason or "answer", by.model if by is not None else model.name
    if span := turn.span:
        span.attributes |= {
            genai.OPERATION: "invoke_agent",
            genai.AGENT: genai.OURS,
            genai.REQUEST_MODEL: name,
            genai.INPUT_TOKENS: usage.prompt,
            genai.OUTPUT_TOKENS: usage.completion,
            "dazi.channel": who.channel,
            "dazi.turn": turn.request.turn,
            "dazi.reason": reason,
        }
        span.end(reason if reason == "error" else "")
    first = turn.first - turn.began if turn.first else None
    return TurnTold(who, name, reason, ms / 1000, first, usage, cost, turn.replaced)


def start_body(turn: Turn, model: ModelProfile) -> dict[str, Any]:
    r = turn.request
    body: dict[str, Any] = {
        "said": r.said,
        "thread": r.thread,
        "roles": sorted(r.principal.roles),
        "channel": r.principal.channel,
        "model": model.name,
        "version": model.version,
        "offered": sorted(turn.context.offered),
        "prompt": turn.variant.prompt if turn.variant else 0,
    }
    if turn.choice.allowed:
        over = turn.choice.passed_over(MOST_PASSED_OVER)
        body["considered"] = {"allowed": len(turn.choice.allowed), "passed_over": over}
    if turn.variant is not None and turn.variant.exposures:
        body["experiments"] = turn.variant.arms
    if r.origin:
        body["from"] = dict(r.origin)
    return body


def end_body(turn: Turn, answer: str, ms: float, cost: float | None) -> dict[str, Any]:
    """``ms``: what it took; ``cost``: in yuan, where it is known."""
    body: dict[str, Any] = {
        "answer": answer,
        "calls": [{"tool": r.name, "outcome": r.outcome} for r in turn.records],
        "tokens": [turn.usage.prompt, turn.usage.completion],
        "requests": turn.requests,
        "replaced": turn.replaced,
        "reason": turn.reason,
        "ms": round(ms, 1),
    }
    if turn.fitted is not None:
        body["context"] = context_body(turn, turn.fitted)
    if turn.request.approved:
        body["approved"] = turn.request.approved
    if turn.by is not None:
        body |= {"by": turn.by.backend, "model": turn.by.model}
    if cost is not None:
        body["cost"] = cost
    return body


def context_body(turn: Turn, fitted: Fitted) -> dict[str, Any]:
    """What the model was given in its last round, without a word of it. ``layers``: name, tokens,
    limit, parts taken and left out, and why; ``since`` and ``through``: numbers of the thread's
    messages, as in ``Recalled``; ``passages``: documents with the places of what was found in them."""
    recalled, report = turn.request.recalled, fitted.made.report
    body: dict[str, Any] = {
        "layers": [
            [u.layer, u.tokens, u.limit, u.taken, u.left_out, *u.why]
            for u in report.layers
            if u.taken or u.left_out
        ],
        "tokens": report.tokens,
        "limit": report.limit,
        "counted": fitted.counted,
    }
    if recalled.since:
        body["since"] = recalled.since
    reminder = turn.talk.reminder
    if recalled.through and (reminder.summary or reminder.events):
        body["through"] = recalled.through
    if fitted.made.facts:
        ids = dict(zip(recalled.facts, recalled.fact_ids, strict=False))
        body["facts"] = [ids[f] for f in fitted.made.facts if f in ids]
    if passages := list(dict.fromkeys(_passages(turn))):
        body["passages"] = passages
    return body


def _passages(turn: Turn) -> Iterator[str]:
    tools = turn.talk.company.tools
    for r in turn.records:
        tool = tools.get(r.name)
        if r.outcome == "ok" and tool is not None and tool.result.attach == "sources":
            for p in r.result.get("passages", ()):
                if p.get("document"):
                    yield f"{p['document']}#{p['ordinal']}"


def learned(turn: Turn, company: Company, answer: str) -> Ended:
    """For whoever learns from how turns end."""
    r = turn.request
    labels = {t.name: t.label for t in company.tools.values()}
    outcomes = tuple((labels.get(c.name, f"tool:{c.name}"), c.outcome) for c in turn.records)
    return Ended(r.principal, r.thread, r.turn, r.said, answer, r.language, outcomes)


ENDED_WELL = frozenset({"answer", "confirmation", "client_tools"})
CARRIED = frozenset({"ok", "not_found", "needs_confirmation", "client"})
"""Outcomes of calls that were as good as they could be."""


def figures(turn: Turn, ms: float, cost: float | None) -> Figures:
    """What came of it, in numbers and nothing of what was said."""
    outcomes = {r.outcome for r in turn.records}
    return Figures(
        (turn.reason or "answer") in ENDED_WELL and not outcomes & {"failed", "timeout"},
        ms,
        turn.usage.prompt + turn.usage.completion,
        cost,
        bool(outcomes - CARRIED),
        "needs_confirmation" in outcomes,
        turn.shown.answer.strip() != turn.answer.strip(),
        bool(turn.replaced),
    )
