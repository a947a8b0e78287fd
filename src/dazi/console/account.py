"""What the ledger holds of one turn, put together for the person whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from dazi.audit.records import Record
from dazi.console.given import Given, given_of
from dazi.console.system import System
from dazi.core.errors import NotFound
from dazi.core.principal import Principal
from dazi.memory.threads import ThreadStore


@dataclass(slots=True)
class CallAccount:
    """One call: what was decided of it by which policy, and what came of it. ``sources``: of values
    that the person did not say. ``by``: who agreed. ``steps``: kinds of record with their times."""

    call: str
    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    outcome: str = ""
    policy: str = ""
    approver: str = ""
    by: str = ""
    reason: str = ""
    ticket: str = ""
    sources: Mapping[str, Sequence[str]] = field(default_factory=dict)
    signals: tuple[str, ...] = ()
    score: float = 0.0
    steps: list[tuple[str, float]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RouteAccount:
    """Which server one request of the turn went to, by which rule, and what the guard found in it."""

    rule: str
    backend: str
    place: str
    tier: int
    leaving: str
    labels: tuple[str, ...]
    tried: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TurnAccount:
    """A turn, or a single call that a program or a page made; ``ended`` is false while there is no
    answer on record. Tokens read and written; ``cost`` in yuan where the model has a price."""

    turn: str
    at: float
    thread: str
    model: str
    version: str
    offered: tuple[str, ...]
    calls: tuple[CallAccount, ...]
    routes: tuple[RouteAccount, ...]
    ended: bool = False
    reason: str = ""
    tokens: tuple[int, int] = (0, 0)
    cost: float | None = None
    ms: float = 0.0
    replaced: int = 0
    backend: str = ""
    approved: str = ""
    given: Given | None = None
    considered: Mapping[str, Any] = field(default_factory=dict)
    """The record of its beginning, for ``given.considered``."""


async def own_account(
    system: System, threads: ThreadStore, principal: Principal, turn: str
) -> TurnAccount:
    """Of a turn of the principal's own, in a conversation that is theirs. Raises ``NotFound`` for
    somebody else's as for none."""
    records = await system.records(turn) if turn else ()
    begun = next((r for r in records if r.kind == "turn"), None)
    if begun is None or begun.user != principal.user:
        raise unknown()
    thread = str(_body(begun).get("thread", ""))
    if not thread:
        raise unknown()
    await threads.get(thread, principal)
    return account(records)


def unknown() -> NotFound:
    return NotFound("turn", "没有这一轮的记录", "there is no record of this turn")


def account(records: Iterable[Record]) -> TurnAccount:
    """``records`` of one turn, opened, oldest first."""
    calls: dict[str, CallAccount] = {}
    routes: list[RouteAccount] = []
    begun: dict[str, Any] = {}
    ended: dict[str, Any] = {}
    turn, at = "", 0.0
    for r in records:
        body = _body(r)
        turn, at = turn or r.turn, at or r.at
        match r.kind:
            case "turn":
                begun = begun or body
            case "answer":
                ended = body  # a turn that waited for somebody ends twice: the last counts
            case "route":
                routes.append(_route(body))
            case "decision" | "call" | "outcome":
                _note(calls, r, body)
    read, written = (ended.get("tokens") or (0, 0))[:2]
    return TurnAccount(
        turn,
        at,
        str(begun.get("thread", "")),
        str(begun.get("model", "")),
        str(begun.get("version", "")),
        tuple(begun.get("offered", ())),
        tuple(calls.values()),
        tuple(routes),
        bool(ended),
        str(ended.get("reason", "")),
        (int(read), int(written)),
        ended.get("cost"),
        float(ended.get("ms", 0.0)),
        int(ended.get("replaced", 0)),
        str(ended.get("by", "")),
        str(ended.get("approved", "")),
        given_of(ended),
        {"considered": begun["considered"]} if "considered" in begun else {},
    )


def _note(calls: dict[str, CallAccount], record: Record, body: Mapping[str, Any]) -> None:
    call = str(body.get("call", ""))
    known = calls.setdefault(call, CallAccount(call, str(body.get("tool", ""))))
    known.steps.append((record.kind, record.at))
    known.arguments = body.get("arguments") or known.arguments
    # That a call was begun says nothing of its outcome.
    known.outcome = str(body.get("outcome", "")) if record.kind != "call" else known.outcome
    for name in ("policy", "approver", "by", "reason", "ticket"):
        if body.get(name):
            setattr(known, name, str(body[name]))
    known.sources = body.get("sources") or known.sources
    known.signals = tuple(body.get("signals") or known.signals)
    known.score = float(body.get("score", known.score))


def _route(body: Mapping[str, Any]) -> RouteAccount:
    return RouteAccount(
        str(body.get("rule", "")),
        str(body.get("backend", "")),
        str(body.get("place", "")),
        int(body.get("tier", 0)),
        str(body.get("leaving", "")),
        tuple(body.get("labels", ())),
        tuple(body.get("tried", ())),
    )


def _body(record: Record) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(record.body)
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}
