"""What the ledger is told of a turn: before it begins, and what came of it."""

from __future__ import annotations

from typing import Any

from dazi.access.limits.rules import Price
from dazi.agent.turn_state import Turn
from dazi.core.engine import ModelProfile


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
    }
    if r.origin:
        body["from"] = dict(r.origin)
    return body


def end_body(turn: Turn, answer: str, ms: float, price: Price | None) -> dict[str, Any]:
    """``ms``: what it took; ``price``: of the model's tokens, if they have one."""
    body: dict[str, Any] = {
        "answer": answer,
        "calls": [{"tool": r.name, "outcome": r.outcome} for r in turn.records],
        "tokens": [turn.usage.prompt, turn.usage.completion],
        "replaced": turn.replaced,
        "reason": turn.reason,
        "ms": round(ms, 1),
    }
    if turn.request.approved:
        body["approved"] = turn.request.approved
    if turn.by is not None:
        body["by"] = turn.by.backend
    if price is not None:
        body["cost"] = price.yuan(turn.usage)
    return body
