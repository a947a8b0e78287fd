"""Messages in the database, from their arrival until every part of the answer has gone out.

A row goes from ``received`` over ``answering`` to ``ready`` (there is an answer) and ``done``. Its key
is the vendor's id, inserted before anything else, so a message that comes again is none. Whoever works
on it holds a lease; a row whose lease ran out is taken up by somebody else. Each part is marked before
it is handed to the vendor and after: one whose fate is not known is never handed over again.
"""

from __future__ import annotations

import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
from sqlalchemy import (
    and_,
    bindparam,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    tuple_,
    update,
)

from dazi.audit.private import Private
from dazi.audit.sealing import State
from dazi.gateway.channels.protocol import Incoming, Part
from dazi.gateway.channels.tables import messages
from dazi.store.database import Conflict, Database, Statement

log = logging.getLogger("dazi.channels")
OPEN = ("received", "answering", "ready")
_CLAIMING = 0x6368616E
"""PostgreSQL's advisory lock under which one process at a time takes rows: then none of a person's
messages overtakes another."""
_c = messages.c
_PUT = Statement(insert(messages))
_held = (
    _c.channel == bindparam("of_channel"),
    _c.id == bindparam("of_id"),
    _c.worker == bindparam("of_worker"),
)
_READY = Statement(update(messages).where(*_held), "state", "parts", "sent", "sending")
_MARK = Statement(update(messages).where(*_held), "sent", "sending")
_DONE = Statement(
    update(messages).where(*_held), "state", "sent", "sending", "worker", "lease", "ended", "content",
    "parts",
)  # fmt: skip
_LATER = Statement(update(messages).where(*_held), "state", "worker", "lease", "due", "attempts")


class Lost(Exception):
    """Somebody else has the row now: nothing more may be done with it."""


@dataclass(frozen=True, slots=True)
class Held:
    """A row that is being worked on. ``began``: when somebody first did, in seconds since the
    epoch. ``parts``: the answer, ``None`` while there is none; ``sent``: how many of them have gone
    out. ``doubtful``: it is not known whether the last of those did."""

    channel: str
    id: str
    person: str
    user: str
    message: Incoming
    worker: str
    attempts: int
    began: float
    parts: tuple[Part, ...] | None = None
    sent: int = 0
    doubtful: bool = False

    @property
    def turn(self) -> str:
        """The name of the turn that answers it: the same at each try."""
        return "turn_" + hashlib.sha256(f"{self.channel}/{self.id}".encode()).hexdigest()[:20]


def person_of(channel: str, sender: str) -> str:
    """What stands in tables for a vendor's name of a person."""
    return hashlib.sha256(f"{channel}\0{sender}".encode()).hexdigest()


class Inbox:
    """``clock``: seconds since the epoch."""

    def __init__(
        self, database: Database, private: Private, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._private = private
        self._clock = clock

    async def put(
        self,
        channel: str,
        message: Incoming,
        user: str,
        wait_s: float,
        parts: Sequence[Part] = (),
    ) -> bool:
        """False where it is there already. ``user``: whose it is, empty where that is not known;
        ``parts``: what is to be sent to the person without an answer being made."""
        now = self._clock()
        id = hashlib.sha256(message.id.encode()).hexdigest()
        person = person_of(channel, message.sender)
        subject = user or f"channel/{person}"
        row = {
            "channel": channel,
            "id": id,
            "person": person,
            "user": user,
            "created": message.created,
            "received": now,
            "due": now + wait_s,
            "began": None,
            "state": "ready" if parts else "received",
            "worker": "",
            "lease": 0.0,
            "attempts": 0,
            "content": self._private.seal(subject, _place("content", channel, id), _plain(message)),
            "parts": self._sealed(subject, channel, id, parts) if parts else "",
            "sent": 0,
            "sending": 0,
            "ended": None,
        }
        try:
            await self._database.run(_PUT, row)
        except Conflict:
            return False
        return True

    async def claim(self, channels: Sequence[str], most: int, lease_s: float) -> list[Held]:
        """Rows that are due, at most one of each person: their oldest that is not done, and none
        while another of theirs is being worked on."""
        now = self._clock()
        other = messages.alias()
        earlier = or_(
            other.c.created < _c.created,
            and_(other.c.created == _c.created, other.c.received < _c.received),
            and_(
                other.c.created == _c.created,
                other.c.received == _c.received,
                other.c.id < _c.id,
            ),
        )
        blocked = exists(
            select(literal(1))
            .select_from(other)
            .where(
                other.c.channel == _c.channel,
                other.c.person == _c.person,
                other.c.state.in_(OPEN),
                other.c.id != _c.id,
                or_(other.c.lease > now, earlier),
            )
        )
        query = (
            select(_c.channel, _c.id)
            .where(_c.channel.in_(channels), _c.state.in_(OPEN), _c.due <= now, _c.lease <= now)
            .where(~blocked)
            .order_by(_c.due)
            .limit(most)
        )
        worker = secrets.token_hex(8)
        async with self._database.write() as connection:
            if not self._database.sqlite:
                await connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _CLAIMING}
                )
            found = (await connection.execute(query)).all()
            if not found:
                return []
            mine = tuple_(_c.channel, _c.id).in_([tuple(row) for row in found])
            taken = await connection.execute(
                update(messages)
                .where(mine)
                .values(
                    worker=worker,
                    lease=now + lease_s,
                    attempts=_c.attempts + 1,
                    began=func.coalesce(_c.began, now),
                    state=case((_c.state == "received", "answering"), else_=_c.state),
                )
                .returning(messages)
            )
            rows = taken.mappings().all()
        out: list[Held] = []
        for row in rows:
            held = self._held(row)
            if isinstance(held, Held):
                out.append(held)
            elif held == "erased":
                await self._left(row)
            else:
                log.error("a message of %s cannot be read: %s", row["channel"], held)
        return out

    async def _left(self, row: Any) -> None:
        """Its person was erased: nobody will ever answer it, and it must not keep others waiting."""
        values = {
            "state": "failed", "sent": row["sent"], "sending": 0, "worker": "", "lease": 0.0,
            "ended": self._clock(), "content": "", "parts": "",
        }  # fmt: skip
        of = {"of_channel": row["channel"], "of_id": row["id"], "of_worker": row["worker"]}
        await self._database.run(_DONE, {**of, **values})

    async def beat(self, workers: Sequence[str], lease_s: float) -> None:
        """Keep what these hold."""
        async with self._database.write() as connection:
            await connection.execute(
                update(messages)
                .where(_c.worker.in_(workers), _c.state.in_(OPEN))
                .values(lease=self._clock() + lease_s)
            )

    async def ready(self, held: Held, parts: Sequence[Part], *, sending: bool) -> Held:
        """There is an answer; with ``sending`` its first part is about to go out. Raises ``Lost``."""
        subject = held.user or f"channel/{held.person}"
        values = {
            "state": "ready",
            "parts": self._sealed(subject, held.channel, held.id, parts),
            "sent": 0,
            "sending": 1 if sending else 0,
        }
        await self._run(_READY, held, values)
        return replace(held, parts=tuple(parts), sent=0, doubtful=False)

    async def mark(self, held: Held, sent: int, *, sending: bool) -> None:
        """So many parts have gone out; with ``sending`` the next is about to. Raises ``Lost``."""
        await self._run(_MARK, held, {"sent": sent, "sending": sent + 1 if sending else 0})

    async def done(self, held: Held, sent: int, *, failed: bool = False) -> None:
        """Nothing more is to be done; what was said is in the thread, and not kept here. Raises
        ``Lost``."""
        values = {
            "state": "failed" if failed else "done",
            "sent": sent,
            "sending": 0,
            "worker": "",
            "lease": 0.0,
            "ended": self._clock(),
            "content": "",
            "parts": "",
        }
        await self._run(_DONE, held, values)

    async def later(self, held: Held, seconds: float, *, counts: bool = False) -> None:
        """Give it back for then; a part that is marked as going out stays so. ``counts``: this was a
        try that failed. Raises ``Lost``."""
        values = {
            "state": "received" if held.parts is None else "ready",
            "worker": "",
            "lease": 0.0,
            "due": self._clock() + seconds,
            "attempts": held.attempts if counts else max(held.attempts - 1, 0),
        }
        await self._run(_LATER, held, values)

    async def waiting(self, channel: str) -> Mapping[str, int]:
        """How many rows are in each state."""
        query = select(_c.state, func.count()).where(_c.channel == channel).group_by(_c.state)
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        return {str(row[0]): int(row[1]) for row in found}

    async def open(self) -> Mapping[str, tuple[int, float]]:
        """Of each channel that has some: how many messages are not done, and how many seconds ago the
        first of them came."""
        query = (
            select(_c.channel, func.count(), func.min(_c.received))
            .where(_c.state.in_(OPEN))
            .group_by(_c.channel)
        )
        async with self._database.read() as connection:
            found = (await connection.execute(query)).all()
        now = self._clock()
        return {str(name): (int(n), max(now - first, 0.0)) for name, n, first in found}

    async def forget(self, user: str) -> int:
        async with self._database.write() as connection:
            done = await connection.execute(delete(messages).where(_c.user == user))
        return done.rowcount

    async def prune(self, before: float, channel: str | None = None) -> int:
        """Delete what was done before then; how many."""
        query = delete(messages).where(_c.ended < before)
        if channel is not None:
            query = query.where(_c.channel == channel)
        async with self._database.write() as connection:
            return (await connection.execute(query)).rowcount

    async def prune_gone(self, before: float, channels: Collection[str]) -> int:
        """Delete what came before then, answered or not, from others than these ``channels``, which are
        those that there are; how many."""
        query = delete(messages).where(_c.received < before, _c.channel.not_in(list(channels)))
        async with self._database.write() as connection:
            return (await connection.execute(query)).rowcount

    async def _run(self, statement: Statement, held: Held, values: Mapping[str, Any]) -> None:
        row = {"of_channel": held.channel, "of_id": held.id, "of_worker": held.worker, **values}
        if await self._database.run(statement, row) != 1:
            raise Lost

    def _sealed(self, subject: str, channel: str, id: str, parts: Sequence[Part]) -> str:
        return self._private.seal(subject, _place("parts", channel, id), list(parts))

    def _held(self, row: Any) -> Held | State:
        """Of what cannot be read, why."""
        channel, id = row["channel"], row["id"]
        content = self._private.open(_place("content", channel, id), row["content"])
        if content.state != "open":
            return content.state
        parts: tuple[Part, ...] | None = None
        if row["parts"]:
            opened = self._private.open(_place("parts", channel, id), row["parts"])
            if opened.state != "open":
                return opened.state
            parts = tuple(msgspec.convert(opened.content, list[Part]))
        # What was being handed over when its worker went away may have arrived.
        sent, doubtful = row["sent"], row["sending"] > row["sent"]
        return Held(
            channel,
            id,
            row["person"],
            row["user"],
            msgspec.convert(content.content, Incoming),
            row["worker"],
            row["attempts"],
            row["began"],
            parts,
            sent + 1 if doubtful else sent,
            doubtful,
        )


def _plain(message: Incoming) -> Any:
    return msgspec.to_builtins(message)


def _place(name: str, channel: str, id: str) -> str:
    return f"channel_messages.{name}:{channel}/{id}"
