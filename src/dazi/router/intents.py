"""What was about to happen, what needs a person, and what came of it: durable rows.

An intent is written before a side effect and settled after it. A ticket is a person's pending
confirmation of one exact call: user, tool, hash of the canonical arguments; single use; expiring.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Column, Float, String, Table, Text, insert, select, update
from sqlalchemy.exc import IntegrityError

from dazi.core.errors import CallerError, NotFound
from dazi.store.database import Database, metadata

intents = Table(
    "intents",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("at", Float, nullable=False),
    Column("user", String(200), nullable=False),
    Column("turn", String(40), nullable=False),
    Column("tool", String(100), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("state", String(20), nullable=False),
    Column("settled_at", Float),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", String(40), primary_key=True),
    Column("at", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("tenant", String(100), nullable=False),
    Column("thread", String(64), nullable=False),
    Column("turn", String(40), nullable=False),
    Column("call", String(40), nullable=False),
    Column("tool", String(100), nullable=False),
    Column("arguments", Text, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("policy", String(64), nullable=False),
    Column("state", String(20), nullable=False),
    Column("decided_at", Float),
)


@dataclass(frozen=True, slots=True)
class Ticket:
    """``expires`` in seconds since the epoch. ``state``: pending, approved, rejected."""

    id: str
    at: float
    expires: float
    user: str
    tenant: str
    thread: str
    turn: str
    call: str
    tool: str
    arguments: Mapping[str, Any]
    digest: str
    policy: str
    state: str


def digest_of(tool: str, arguments: Mapping[str, Any]) -> str:
    """SHA-256 of a call's canonical form; key order does not matter."""
    text = msgspec.json.encode([tool, arguments], order="sorted")
    return hashlib.sha256(text).hexdigest()


class IntentStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def begin(
        self, key: str, user: str, turn: str, tool: str, arguments: Mapping[str, Any]
    ) -> bool:
        """Write the intent before the effect. ``False`` when this very intent exists already."""
        row = {
            "key": key,
            "at": time.time(),
            "user": user,
            "turn": turn,
            "tool": tool,
            "arguments": msgspec.json.encode(arguments, order="sorted").decode(),
            "state": "begun",
        }
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(intents).values(row))
        except IntegrityError:
            return False
        return True

    async def settle(self, key: str, state: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(
                update(intents)
                .where(intents.c.key == key)
                .values(state=state, settled_at=time.time())
            )

    async def unsettled(self) -> list[dict[str, Any]]:
        """Intents whose outcome nobody knows: a person must look."""
        async with self._database.read() as connection:
            found = await connection.execute(
                select(intents).where(intents.c.state.in_(("begun", "unknown")))
            )
            return [dict(row) for row in found.mappings()]


class TicketStore:
    def __init__(self, database: Database, lifetime_s: float) -> None:
        self._database = database
        self.lifetime_s = lifetime_s

    async def issue(
        self,
        *,
        user: str,
        tenant: str,
        thread: str,
        turn: str,
        call: str,
        tool: str,
        arguments: Mapping[str, Any],
        policy: str,
    ) -> Ticket:
        now = time.time()
        ticket = Ticket(
            secrets.token_urlsafe(18),
            now,
            now + self.lifetime_s,
            user,
            tenant,
            thread,
            turn,
            call,
            tool,
            dict(arguments),
            digest_of(tool, arguments),
            policy,
            "pending",
        )
        row = {f: getattr(ticket, f) for f in Ticket.__dataclass_fields__}
        row["arguments"] = msgspec.json.encode(ticket.arguments).decode()
        async with self._database.write() as connection:
            await connection.execute(insert(tickets).values(row))
        return ticket

    async def pending(self, user: str, tenant: str, thread: str | None = None) -> list[Ticket]:
        query = select(tickets).where(
            tickets.c.user == user,
            tickets.c.tenant == tenant,
            tickets.c.state == "pending",
            tickets.c.expires > time.time(),
        )
        if thread is not None:
            query = query.where(tickets.c.thread == thread)
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(tickets.c.at))
            return [_ticket(row) for row in found.mappings()]

    async def decide(self, ticket: str, user: str, tenant: str, approve: bool) -> Ticket:
        """Use the ticket up. Raises ``NotFound`` for another's or an unknown ticket, and
        ``CallerError`` for one that was decided before or has expired."""
        async with self._database.write() as connection:
            found = await connection.execute(select(tickets).where(tickets.c.id == ticket))
            row = found.mappings().one_or_none()
            if row is None or row["user"] != user or row["tenant"] != tenant:
                raise NotFound("ticket", "没有这个待确认的操作", "no such confirmation")
            if row["state"] != "pending":
                raise CallerError(
                    "already_decided", "这个操作已经处理过了", "this has been decided already"
                )
            if row["expires"] <= time.time():
                raise CallerError(
                    "expired", "确认已过期,请重新提出", "the confirmation has expired; ask again"
                )
            state = "approved" if approve else "rejected"
            changed = await connection.execute(
                update(tickets)
                .where(tickets.c.id == ticket, tickets.c.state == "pending")
                .values(state=state, decided_at=time.time())
            )
            if changed.rowcount != 1:
                raise CallerError(
                    "already_decided", "这个操作已经处理过了", "this has been decided already"
                )
        return _ticket({**row, "state": state})


def _ticket(row: Any) -> Ticket:
    fields = {f: row[f] for f in Ticket.__dataclass_fields__}
    fields["arguments"] = msgspec.json.decode(fields["arguments"])
    return Ticket(**fields)
