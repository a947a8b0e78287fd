"""A call that waits for a person: a ticket for these very arguments.

A ticket is bound to the requester, the tool, the canonical arguments and the policies under which
they were looked at. It is decided once, by somebody who may, before it expires. What was decided
is carried out even if the process stops in between: whoever carries it out takes a lease, and a
ticket whose lease ran out is taken up again. What is asked for is sealed with the key of whoever asks;
a ticket from before that can be looked at, and has to be asked for again.
"""

from __future__ import annotations

import os
import secrets
import time
from base64 import b64decode
from collections.abc import Mapping
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    Float,
    String,
    Table,
    Text,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from dazi.audit.private import Private, is_sealed
from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.router.approval import SALT_BYTES, Asked, Ticket, may_decide, unknown
from dazi.store.database import Database, metadata

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


class TicketStore:
    """``lifetime_s``: how long a requester has, ``approval_s`` a second person. ``lease_s``: how
    long carrying out may take before it counts as broken off."""

    def __init__(
        self,
        database: Database,
        private: Private,
        lifetime_s: float,
        lease_s: float = 90.0,
        approval_s: float = 259_200.0,
    ) -> None:
        self._database = database
        self._private = private
        self.lifetime_s = lifetime_s
        self.approval_s = approval_s
        self.lease_s = lease_s

    async def issue(self, asked: Asked) -> Ticket:
        now = time.time()
        expires = now + (self.approval_s if asked.approver else self.lifetime_s)
        number, salt = secrets.token_urlsafe(18), os.urandom(SALT_BYTES)
        ticket = Ticket(number, now, expires, asked, asked.digest(salt), salt)
        content = [salt, asked.arguments, asked.sources]
        row = {name: getattr(asked, name) for name in Asked.__dataclass_fields__}
        row |= {
            "id": number,
            "at": now,
            "expires": expires,
            "digest": ticket.digest,
            "state": "pending",
            "arguments": self._private.seal(asked.user, _place("arguments", number), content),
            "sources": None,
        }
        async with self._database.write() as connection:
            await connection.execute(insert(tickets).values(row))
        return ticket

    async def get(self, ticket: str) -> Ticket:
        async with self._database.read() as connection:
            found = await connection.execute(select(tickets).where(tickets.c.id == ticket))
            row = found.mappings().one_or_none()
        if row is None:
            raise unknown()
        return self._ticket(row)

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
            return [self._ticket(row) for row in found.mappings()]

    async def for_others(self, tenant: str) -> list[Ticket]:
        """Whatever in a tenant waits for somebody else than its requester, oldest first."""
        c = tickets.c
        query = select(tickets).where(
            c.tenant == tenant,
            c.state == "pending",
            c.expires > time.time(),
            c.approver.is_not(None),
            c.approver != "",
        )
        async with self._database.read() as connection:
            found = await connection.execute(query.order_by(c.at))
            return [self._ticket(row) for row in found.mappings()]

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
                raise unknown()
            waiting = self._ticket(row)
            second = may_decide(waiting, principal, approve)
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
                    reason=self._sealed_reason(waiting, reason.strip()),
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
        taken = update(tickets).where(left).values(lease=now + self.lease_s).returning(tickets)
        async with self._database.write() as connection:
            found = (await connection.execute(taken)).mappings().all()
        return [self._ticket(row) for row in sorted(found, key=lambda row: row["at"])]

    async def forget(self, user: str) -> int:
        """Delete those of somebody who is erased; how many. What was decided is in the ledger."""
        async with self._database.write() as connection:
            done = await connection.execute(delete(tickets).where(tickets.c.user == user))
        return done.rowcount

    async def prune(self, before: float) -> int:
        """Delete what was over before then, in seconds since the epoch; how many."""
        c = tickets.c
        over = or_(c.finished_at < before, and_(c.state == "pending", c.expires < before))
        async with self._database.write() as connection:
            done = await connection.execute(delete(tickets).where(over))
        return done.rowcount

    def _sealed_reason(self, ticket: Ticket, reason: str) -> str:
        return (
            self._private.seal(ticket.user, _place("reason", ticket.id), reason) if reason else ""
        )

    def _ticket(self, row: Any) -> Ticket:
        salt, arguments, sources = self._content(row)
        asked = Asked(
            row["user"],
            row["tenant"],
            row["channel"] or "",
            row["thread"],
            row["turn"],
            row["call"],
            row["tool"],
            arguments,
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
            salt,
            row["state"],
            row["decided_by"] or "",
            frozenset(msgspec.json.decode(row["approved_by"]) if row["approved_by"] else ()),
            self._reason(row),
        )

    def _content(self, row: Any) -> tuple[bytes, Mapping[str, Any], Mapping[str, Any]]:
        """Salt, arguments and sources. A ticket from before there was sealing can be looked at."""
        text = row["arguments"]
        if not is_sealed(text):
            sources = msgspec.json.decode(row["sources"]) if row["sources"] else {}
            return b"", msgspec.json.decode(text), sources
        opened = self._private.open(_place("arguments", row["id"]), text)
        if opened.state != "open":
            return b"", opened.content, {}
        salt, arguments, sources = opened.content
        return b64decode(salt), arguments, sources

    def _reason(self, row: Any) -> str:
        text = row["reason"] or ""
        if not is_sealed(text):
            return text
        opened = self._private.open(_place("reason", row["id"]), text)
        return opened.content if opened.state == "open" else ""


def _place(name: str, ticket: str) -> str:
    return f"tickets.{name}:{ticket}"


def _decided_already() -> CallerError:
    return CallerError("already_decided", "这个操作已经处理过了", "this has been decided already")
