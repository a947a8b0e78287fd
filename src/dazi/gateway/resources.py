"""The small routes: models, the caller, confirmations, health."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from dazi.core.learning import Right
from dazi.gateway.chat import follow, known_model
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.reply import TurnLog, encode
from dazi.gateway.state import GOVERNED
from dazi.gateway.wire import DECISION
from dazi.router.approval import Ticket

READY_WITHIN_S = 5.0

log = logging.getLogger("dazi.gateway")


class Model(Struct, frozen=True):
    id: str
    object: str = "model"
    created: int = 0
    owned_by: str = "dazi"


class Models(Struct, frozen=True):
    data: list[Model]
    object: str = "list"


class RoleView(Struct, frozen=True):
    role: str
    name: str


class Me(Struct, frozen=True):
    """Who the key belongs to, and what they may use. Names are in the caller's language."""

    user: str
    name: str
    tenant: str
    roles: list[RoleView]
    attributes: dict[str, str]
    models: list[str]
    tools: list[str]


class Pending(Struct, frozen=True):
    """A call that waits for a person. ``user`` asked for it; ``approver`` is the role of whoever
    decides, empty for ``user``. ``sources``: of arguments that nobody said, where they came from.
    ``expires`` is an ISO 8601 instant."""

    ticket: str
    tool: str
    arguments: dict[str, Any]
    expires: str
    thread: str
    turn: str
    user: str
    approver: str = ""
    sources: dict[str, tuple[str, ...]] = {}


class Confirmations(Struct, frozen=True):
    data: list[Pending]
    object: str = "list"


class Health(Struct, frozen=True):
    status: str


class Readiness(Struct, frozen=True):
    """``parts``: what it takes to serve, and whether each can."""

    status: str
    parts: dict[str, bool]


async def models(x: Exchange) -> None:
    names = [*x.state.models_for(x.principal, x.grant)]
    embedder = x.state.embedder
    if embedder is not None and (x.grant is None or x.grant.allows_model(embedder.name)):
        names.append(embedder.name)
    await x.reply(encode(Models([Model(name) for name in names])))


async def model(x: Exchange) -> None:
    await x.reply(encode(Model(known_model(x, x.path["model"]))))


async def me(x: Exchange) -> None:
    state, principal, language = x.state, x.principal, x.language or "zh"
    people = state.access.people if state.access else None
    account = people.account(principal.tenant, principal.user) if people else None
    roles = [
        RoleView(r, state.company.role_names[r](language) if r in state.company.role_names else r)
        for r in sorted(principal.roles)
    ]
    tools = [t.name for t in state.service.tools_for(principal)]
    body = Me(
        principal.user,
        account.name(language) if account else principal.user,
        principal.tenant,
        roles,
        dict(principal.attributes),
        list(state.models_for(principal, x.grant)),
        tools,
    )
    await x.reply(encode(body))


async def confirmations(x: Exchange) -> None:
    service = x.state.service
    own = [*await service.pending(x.principal), *await service.submitted(x.principal)]
    await x.reply(encode(Confirmations([_pending(t) for t in own])))


async def approvals(x: Exchange) -> None:
    """Of others' requests, what they say to their assistant is not the approver's to read."""
    waiting = await x.state.service.approvals(x.principal)
    views = [replace(_pending(t), thread="") for t in waiting]
    await x.reply(encode(Confirmations(views)))


def _pending(t: Ticket) -> Pending:
    return Pending(
        t.id,
        t.tool,
        dict(t.arguments),
        _instant(t.expires),
        t.thread,
        t.turn,
        t.user,
        t.approver,
        t.asked.untrusted,
    )


async def decide(x: Exchange) -> None:
    """Runs to its end even if the caller leaves: what a person decided is carried out."""
    decision = DECISION.read(x.body)
    record = TurnLog(x.state.company, GOVERNED)
    service = x.state.service
    try:
        events = service.decide(
            x.principal,
            x.path["ticket"],
            decision.approve,
            x.language,
            reason=decision.reason,
            right=Right(decision.arguments, decision.consent),
        )
        await follow(events, record)
    finally:
        x.repeatable = not record.acted
    await x.reply(record.completion(), GENERATED, (b"x-dazi-thread", record.thread.encode()))


async def healthz(x: Exchange) -> None:
    await x.reply(encode(Health("ok")))


async def readyz(x: Exchange) -> None:
    try:
        parts = await asyncio.wait_for(x.state.ready(), READY_WITHIN_S)
    except Exception:
        log.exception("the readiness check failed")
        parts = {"check": False}
    ready = all(parts.values())
    body = Readiness("ready" if ready else "not ready", parts)
    await x.reply(encode(body), status=200 if ready else 503)


def _instant(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at))
