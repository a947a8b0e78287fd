"""A call that waits for a person: a ticket for these very arguments.

A ticket is bound to the requester, the tool, the canonical arguments and the policies under which
they were looked at. It is decided once, by somebody who may, before it expires. What was decided
is carried out even if the process stops in between: whoever carries it out takes a lease, and a
ticket whose lease ran out is taken up again.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import msgspec
from sqlalchemy import Column, Float, String, Table, Text, and_, insert, or_, select, update

from dazi.core.errors import AccessError, CallerError, NotFound
from dazi.core.principal import Principal
from dazi.store.database import Database, metadata

TicketState = Literal["pending", "approved", "rejected"]
MAX_REASON = 500

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
    Column("sources", Text),
    Column("approver", String(100)),
    Column("channel", String(40)),
    Column("decided_by", String(200)),
    Column("approved_by", Text),
    Column("reason", Text),
    Column("lease", Float),
    Column("finished_at", Float),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person is to agree to. ``sources``: where each argument's value came from.
    ``approver``: the role of the second person who must agree, empty for the requester."""

    user: str
    tenant: str
    channel: str
    thread: str
    turn: str
    call: str
    tool: str
    arguments: Mapping[str, Any]
    sources: Mapping[str, tuple[str, ...]]
    policy: str
    approver: str = ""

    @property
    def untrusted(self) -> dict[str, tuple[str, ...]]:
        """Arguments that are not the person's own words, with their sources."""
        return {n: labels for n, labels in self.sources.items() if labels != ("person",)}

    def digest(self) -> str:
        """SHA-256 of everything that a decision is about."""
        parts = [
            self.user,
            self.tenant,
            self.tool,
            self.arguments,
            self.sources,
            self.policy,
            self.approver,
        ]
        return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()


@dataclass(frozen=True, slots=True)
class Ticket:
    """``at`` and ``expires`` in seconds since the epoch. ``approved_by``: the roles of whoever
    decided, where that was not the requester. ``reason``: why it was rejected."""

    id: str
    at: float
    expires: float
    asked: Asked
    digest: str
    state: TicketState = "pending"
    decided_by: str = ""
    approved_by: frozenset[str] = field(default_factory=frozenset)
    reason: str = ""

    @property
    def user(self) -> str:
        return self.asked.user

    @property
    def thread(self) -> str:
        return self.asked.thread

    @property
    def turn(self) -> str:
        return self.asked.turn

    @property
    def call(self) -> str:
        return self.asked.call

    @property
    def tool(self) -> str:
        return self.asked.tool

    @property
    def arguments(self) -> Mapping[str, Any]:
        return self.asked.arguments

    @property
    def approver(self) -> str:
        return self.asked.approver

    @property
    def genuine(self) -> bool:
        """Is it still about what was decided?"""
        return secrets.compare_digest(self.digest, self.asked.digest())


class TicketStore:
    """``lifetime_s``: how long a requester has, ``approval_s`` a second person. ``lease_s``: how
    long carrying out may take before it counts as broken off."""

    def __init__(
        self,
        database: Database,
        lifetime_s: float,
        lease_s: float = 90.0,
        approval_s: float = 259_200.0,
    ) -> None:
        self._database = database
        self.lifetime_s = lifetime_s
        self.approval_s = approval_s
        self.lease_s = lease_s

    async def issue(self, asked: Asked) -> Ticket:
        now = time.time()
        expires = now + (self.approval_s if asked.approver else self.lifetime_s)
        ticket = Ticket(secrets.token_urlsafe(18), now, expires, asked, asked.digest())
        row = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
        row |= {
            "id": ticket.id,
            "at": now,
            "expires": ticket.expires,
            "digest": ticket.digest,
            "state": "pending",
            "arguments": msgspec.json.encode(asked.arguments).decode(),
            "sources": msgspec.json.encode(asked.sources).decode(),
        }
        async with self._database.write() as connection:
            await connection.execute(insert(tickets).values(row))
        return ticket

    async def get(self, ticket: str) -> Ticket:
        async with self._database.read() as connection:
            found = await connection.execute(select(tickets).where(tickets.c.id == ticket))
            row = found.mappings().one_or_none()
        if row is None:
            raise _unknown()
        return _ticket(row)

    async def pending(
        self, principal: Principal, thread: str | None = None, *, own: bool = True
    ) -> list[Ticket]:
        """What waits, oldest first: the principal's own requests, or with ``own=False`` those of
        others that they may decide."""
        c = tickets.c
        mine = c.user == principal.user
        theirs = and_(c.user != principal.user, c.approver.in_(sorted(principal.roles)))
        query = select(tickets).where(
            mine if own else theirs,
            c.tenant == principal.tenant,
            c.state == "pending",
            c.expires > time.time(),
        )
        if thread is not None:
            query = query.where(c.thread == thread)
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(c.at))
            return [_ticket(row) for row in found.mappings()]

    async def decide(
        self, ticket: str, principal: Principal, approve: bool, reason: str = ""
    ) -> Ticket:
        """Use the ticket up, and take the lease of carrying the decision out.

        Raises ``NotFound`` for one that is not the principal's to know of, ``AccessError`` for a
        requester who needs somebody else, and ``CallerError`` for one that was decided before,
        has expired, or comes with a reason that is too long.
        """
        if len(reason) > MAX_REASON:
            raise CallerError(
                "reason_too_long",
                f"理由最多 {MAX_REASON} 个字符,现在有 {len(reason)} 个",
                f"a reason may have {MAX_REASON} characters; this one has {len(reason)}",
            )
        now = time.time()
        async with self._database.write() as connection:
            found = await connection.execute(select(tickets).where(tickets.c.id == ticket))
            row = found.mappings().one_or_none()
            if row is None:
                raise _unknown()
            waiting = _ticket(row)
            second = _may_decide(waiting, principal, approve)
            if waiting.state != "pending":
                raise _decided_already()
            if waiting.expires <= now:
                raise CallerError(
                    "expired", "确认已过期,请重新提出", "the confirmation has expired; ask again"
                )
            changed = await connection.execute(
                update(tickets)
                .where(tickets.c.id == ticket, tickets.c.state == "pending")
                .values(
                    state="approved" if approve else "rejected",
                    decided_at=now,
                    decided_by=principal.user,
                    approved_by=msgspec.json.encode(sorted(second)).decode(),
                    reason=reason.strip(),
                    lease=now + self.lease_s,
                )
            )
            if changed.rowcount != 1:
                raise _decided_already()
        return await self.get(ticket)

    async def finish(self, ticket: str) -> None:
        """What was decided has been carried out, and said."""
        async with self._database.write() as connection:
            await connection.execute(
                update(tickets).where(tickets.c.id == ticket).values(finished_at=time.time())
            )

    async def is_finished(self, ticket: str) -> bool:
        """Has a decision been carried out, or has the time for one run out?"""
        c = tickets.c
        async with self._database.read() as connection:
            found = await connection.execute(
                select(c.finished_at, c.state, c.expires).where(c.id == ticket)
            )
            row = found.one_or_none()
        expired = row is not None and row.state == "pending" and row.expires <= time.time()
        return row is None or row.finished_at is not None or expired

    async def take_up(self) -> list[Ticket]:
        """Decided tickets that nobody is carrying out any more; the caller now has their leases."""
        now = time.time()
        c = tickets.c
        left = and_(
            c.state.in_(("approved", "rejected")),
            c.finished_at.is_(None),
            or_(c.lease.is_(None), c.lease <= now),
            c.decided_at.is_not(None),
        )
        out: list[Ticket] = []
        async with self._database.write() as connection:
            found = await connection.execute(select(tickets).where(left).order_by(c.at))
            for row in found.mappings().all():
                changed = await connection.execute(
                    update(tickets).where(c.id == row["id"], left).values(lease=now + self.lease_s)
                )
                if changed.rowcount == 1:
                    out.append(_ticket(row))
        return out


def _may_decide(ticket: Ticket, principal: Principal, approve: bool) -> frozenset[str]:
    """The roles that count as a second person's; raises unless ``principal`` may decide this."""
    own = ticket.user == principal.user and ticket.asked.tenant == principal.tenant
    if own and (not ticket.approver or not approve):
        return frozenset()  # one's own request may always be taken back
    if own:
        raise AccessError(
            "second_person",
            "这个操作要由另一个人批准,不能自己批准",
            "this needs somebody else's approval; you cannot approve it yourself",
        )
    foreign = ticket.asked.tenant != principal.tenant
    if foreign or not ticket.approver or not principal.has_role(ticket.approver):
        raise _unknown()
    return principal.roles


def _unknown() -> NotFound:
    return NotFound("ticket", "没有这个待确认的操作", "no such confirmation")


def _decided_already() -> CallerError:
    return CallerError("already_decided", "这个操作已经处理过了", "this has been decided already")


def _ticket(row: Any) -> Ticket:
    sources = msgspec.json.decode(row["sources"]) if row["sources"] else {}
    asked = Asked(
        row["user"],
        row["tenant"],
        row["channel"] or "",
        row["thread"],
        row["turn"],
        row["call"],
        row["tool"],
        msgspec.json.decode(row["arguments"]),
        {name: tuple(labels) for name, labels in sources.items()},
        row["policy"],
        row["approver"] or "",
    )
    return Ticket(
        row["id"],
        row["at"],
        row["expires"],
        asked,
        row["digest"],
        row["state"],
        row["decided_by"] or "",
        frozenset(msgspec.json.decode(row["approved_by"]) if row["approved_by"] else ()),
        row["reason"] or "",
    )
