"""Legal holds: records that nobody may remove, and people whom nobody may erase, for now."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    String,
    Table,
    Text,
    and_,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.ledger import Ledger
from dazi.audit.records import records
from dazi.audit.sealing import fields_of
from dazi.core.errors import CallerError, NotFound, OperatorError
from dazi.store.database import Database, metadata

holds = Table(
    "audit_holds",
    metadata,
    Column("id", String(20), primary_key=True),
    Column("at", Float, nullable=False),
    Column("by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("user", String(200)),
    Column("turn", String(40)),
    Column("since", Float),
    Column("until", Float),
    Column("released_at", Float),
    Column("released_by", String(200)),
)


@dataclass(frozen=True, slots=True)
class Scope:
    """What is held: records that match everything that is given; times in seconds since the
    epoch, ``until`` not included."""

    user: str | None = None
    turn: str | None = None
    since: float | None = None
    until: float | None = None

    def covers(self, at: float, user: str, turn: str) -> bool:
        return (
            self.user in (None, user)
            and self.turn in (None, turn)
            and (self.since is None or at >= self.since)
            and (self.until is None or at < self.until)
        )

    def where(self) -> ColumnElement[bool]:
        """The same for the database."""
        c = records.c
        parts: list[ColumnElement[bool]] = [c.seq.is_not(None)]
        if self.user is not None:
            parts.append(c.user == self.user)
        if self.turn is not None:
            parts.append(c.turn == self.turn)
        if self.since is not None:
            parts.append(c.at >= self.since)
        if self.until is not None:
            parts.append(c.at < self.until)
        return and_(*parts)


@dataclass(frozen=True, slots=True)
class Hold:
    id: str
    at: float
    by: str
    reason: str
    scope: Scope


class Holds:
    """Every change is on record before it is made."""

    def __init__(self, database: Database, ledger: Ledger) -> None:
        self._database = database
        self._ledger = ledger

    async def add(self, scope: Scope, by: str, reason: str) -> Hold:
        """Raises ``CallerError`` for a hold on everything or without a reason."""
        if scope == Scope() or not reason.strip():
            raise CallerError(
                "hold",
                "保全要写明理由,以及用户、轮次或时间范围中的至少一样",
                "a hold needs a reason, and a user, a turn or a range of time",
            )
        hold = Hold(f"hold_{secrets.token_hex(6)}", time.time(), by, reason, scope)
        body = {"act": "hold", "hold": hold.id, "reason": reason, "of": scope.user or "",
                "since": scope.since, "until": scope.until, "turn": scope.turn}  # fmt: skip
        await self._ledger.append("admin", by, "", body)
        row = {"id": hold.id, "at": hold.at, "by": by, "reason": reason, "user": scope.user,
               "turn": scope.turn, "since": scope.since, "until": scope.until}  # fmt: skip
        async with self._database.write() as connection:
            await connection.execute(insert(holds), [row])
        return hold

    async def active(self) -> list[Hold]:
        async with self._database.read() as connection:
            return await _in_table(connection)

    async def release(self, number: str, by: str, reason: str) -> None:
        """Also one that the table has lost. Raises ``NotFound`` where no such hold is active."""
        async with self._database.read() as connection:
            known = {h.id for h in await _in_table(connection)} | await _on_record(connection)
        if number not in known:
            raise NotFound("hold", f"没有生效的保全 {number}", f"there is no active hold {number}")
        body = {"act": "release", "hold": number, "reason": reason}
        await self._ledger.append("admin", by, "", body)
        async with self._database.write() as connection:
            await connection.execute(
                update(holds)
                .where(holds.c.id == number)
                .values(released_at=time.time(), released_by=by)
            )

    async def of_subject(self, user: str) -> Hold | None:
        """A hold that covers something of this user."""
        async with self._database.read() as connection:
            for hold in await active_holds(connection):
                if hold.scope.user == user:
                    return hold
                query = select(records.c.seq).where(records.c.user == user, hold.scope.where())
                if (await connection.execute(query.limit(1))).first() is not None:
                    return hold
        return None


async def active_holds(connection: AsyncConnection) -> list[Hold]:
    """Raises ``OperatorError`` where the ledger knows of one that the table has lost."""
    active = await _in_table(connection)
    lost = await _on_record(connection) - {h.id for h in active}
    if lost:
        told = ", ".join(sorted(lost))
        raise OperatorError(
            "holds",
            f"账本里有没解除的保全 {told},表 audit_holds 里却没有;请从备份恢复,或另加一个保全再解除它",
            f"the ledger knows of the hold {told}, and the table audit_holds does not; restore it "
            "from a backup, or add another hold and release this one",
        )
    return active


async def _on_record(connection: AsyncConnection) -> set[str]:
    """Holds that were made and not released, by what administrators' records say."""
    query = select(records.c.body).where(records.c.kind == "admin").order_by(records.c.seq)
    open_ones: set[str] = set()
    for (body,) in await connection.execute(query):
        fields = fields_of(body)
        if fields.get("act") == "hold":
            open_ones.add(str(fields.get("hold")))
        elif fields.get("act") == "release":
            open_ones.discard(str(fields.get("hold")))
    return open_ones


async def _in_table(connection: AsyncConnection) -> list[Hold]:
    query = select(holds).where(holds.c.released_at.is_(None)).order_by(holds.c.at)
    found = (await connection.execute(query)).mappings()
    return [
        Hold(h["id"], h["at"], h["by"], h["reason"],
             Scope(h["user"], h["turn"], h["since"], h["until"]))
        for h in found
    ]  # fmt: skip


def held(active: Sequence[Hold] | Iterable[Hold], at: float, user: str, turn: str) -> bool:
    return any(h.scope.covers(at, user, turn) for h in active)
