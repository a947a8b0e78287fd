"""Tickets in the database: a row that follows from its events, and the events, which are only added."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import RowMapping, and_, case, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.apps.desk.assignment import Load
from dazi.apps.desk.model import Act, Actor, Event, Holder, Priority, State, Ticket
from dazi.apps.desk.tables import desk_events, desk_tickets
from dazi.audit.private import Private
from dazi.core.errors import NotFound
from dazi.store.database import Database

ERASED = "-"
"""In the place of the name of somebody who is erased."""
ALIVE: tuple[State, ...] = ("new", "open", "waiting_customer", "waiting_inside")
_TOGETHER = 200


class Overtaken(Exception):
    """Somebody else added an event meanwhile."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a ticket's row says. ``user``: whose it is. ``due`` and ``warn``: of the clock that ends
    first, ``None`` where none does. Times are seconds since the epoch."""

    id: str
    tenant: str
    user: str
    thread: str
    channel: str
    title: str
    state: State
    category: str
    priority: Priority
    assignee: str
    holder: Holder
    created: float
    updated: float
    due: float | None = None
    warn: float | None = None


@dataclass(frozen=True, slots=True)
class Filed:
    card: Card
    events: tuple[Event, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """``key``: a second draft of the same person and key is the first one's ticket."""

    tenant: str
    user: str
    thread: str
    channel: str
    title: str
    key: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the row is to say after an event."""

    ticket: Ticket
    due: float | None = None
    warn: float | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which tickets of a list; empty means any. ``unassigned``: only those that nobody has."""

    user: str = ""
    states: tuple[State, ...] = ()
    assignee: str = ""
    category: str = ""
    thread: str = ""
    unassigned: bool = False
    since: float = 0.0
    before: float | None = None
    limit: int = 100


class DeskStore:
    """Knows no rights: ``service`` does."""

    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    async def create(self, draft: Draft, event: Event, standing: Standing) -> str:
        """The new ticket's id, or that of the one with the same key."""
        for _ in range(5):
            if draft.key and (found := await self._keyed(draft)):
                return found
            try:
                return await self._insert(draft, event, standing)
            except IntegrityError:  # somebody else took the number or the key
                continue
        raise AssertionError("unreachable: numbers are taken one at a time")

    async def get(self, id: str, tenant: str) -> Filed:
        """Raises ``NotFound``."""
        c = desk_tickets.c
        async with self._database.read() as connection:
            query = select(desk_tickets).where(c.id == id, c.tenant == tenant)
            row = (await connection.execute(query)).mappings().one_or_none()
            if row is None:
                raise unknown()
            events = (await self._events(connection, [id])).get(id, [])
        return Filed(self._card(row), tuple(events))

    async def add(self, filed: Filed, event: Event, standing: Standing) -> None:
        """Raises ``Overtaken``."""
        card, seq = filed.card, len(filed.events)
        async with self._database.write() as connection:
            c = desk_tickets.c
            changed = await connection.execute(
                update(desk_tickets)
                .where(c.id == card.id, c.events == seq)
                .values(events=seq + 1, **_columns(standing, event))
            )
            if changed.rowcount != 1:
                raise Overtaken
            await connection.execute(
                insert(desk_events).values(self._event_row(card.id, card.user, seq, event))
            )

    async def find(self, tenant: str, wanted: Wanted) -> list[Card]:
        """What is due first comes first, then the newest."""
        c = desk_tickets.c
        conditions = [c.tenant == tenant]
        for column, value in (
            (c.user, wanted.user),
            (c.assignee, wanted.assignee),
            (c.category, wanted.category),
            (c.thread, wanted.thread),
        ):
            if value:
                conditions.append(column == value)
        if wanted.states:
            conditions.append(c.state.in_(wanted.states))
        if wanted.unassigned:
            conditions.append(c.assignee == "")
        if wanted.since:
            conditions.append(c.updated >= wanted.since)
        if wanted.before is not None:
            conditions.append(c.resolved < wanted.before)
        query = select(desk_tickets).where(and_(*conditions))
        query = query.order_by(c.due.is_(None), c.due, c.updated.desc(), c.id).limit(wanted.limit)
        async with self._database.read() as connection:
            return [self._card(r) for r in (await connection.execute(query)).mappings()]

    async def due(self, at: float) -> list[tuple[str, str]]:
        """(id, tenant) of what is not resolved and near its limit or past it."""
        c = desk_tickets.c
        near = or_(c.warn <= at, c.due <= at)
        query = select(c.id, c.tenant).where(c.state.in_(ALIVE), near).order_by(c.id)
        async with self._database.read() as connection:
            return [(r.id, r.tenant) for r in await connection.execute(query)]

    async def resolved_before(self, at: float) -> list[tuple[str, str]]:
        """(id, tenant) of what is resolved since before then, and not closed."""
        c = desk_tickets.c
        query = select(c.id, c.tenant).where(c.state == "resolved", c.resolved <= at)
        async with self._database.read() as connection:
            return [(r.id, r.tenant) for r in await connection.execute(query.order_by(c.id))]

    async def threads_of(self, threads: Sequence[str]) -> set[str]:
        """Those of ``threads`` that have a ticket."""
        c = desk_tickets.c
        out: set[str] = set()
        async with self._database.read() as connection:
            for i in range(0, len(threads), _TOGETHER):
                query = select(c.thread).where(c.thread.in_(threads[i : i + _TOGETHER]))
                out |= set((await connection.execute(query)).scalars())
        return out

    async def loads(self, tenant: str) -> Mapping[str, Load]:
        """Of everybody who was ever given a ticket."""
        c = desk_tickets.c
        alive = func.sum(case((c.state.in_(ALIVE), 1), else_=0))
        query = select(c.assignee, alive, func.max(c.assigned))
        query = query.where(c.tenant == tenant, c.assignee != "").group_by(c.assignee)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {name: Load(int(count or 0), last) for name, count, last in rows}

    async def all(self, tenant: str, since: float) -> list[Filed]:
        """Every ticket that something was done to since then, oldest first: for statistics."""
        return [filed async for filed in self.each(tenant, since)]

    async def each(self, tenant: str, since: float) -> AsyncGenerator[Filed]:
        """As ``all``, some at a time."""
        c = desk_tickets.c
        query = select(desk_tickets).where(c.tenant == tenant, c.updated >= since)
        query = query.order_by(c.number).limit(_TOGETHER)
        after = -1
        while True:
            async with self._database.read() as connection:
                found = await connection.execute(query.where(c.number > after))
                rows = found.mappings().all()
                events = await self._events(connection, [r["id"] for r in rows])
            for r in rows:
                yield Filed(self._card(r), tuple(events.get(r["id"], ())))
            if len(rows) < _TOGETHER:
                return
            after = rows[-1]["number"]

    async def stars(self, threads: Sequence[str]) -> Mapping[str, int]:
        """Of those of ``threads`` whose ticket was rated, the stars, 1 to 5, that were given last."""
        c, e = desk_tickets.c, desk_events.c
        query = select(c.thread, desk_events).join(desk_events, e.ticket == c.id)
        query = query.where(e.act == "rate").order_by(e.at, e.ticket, e.seq)
        out: dict[str, int] = {}
        async with self._database.read() as connection:
            for i in range(0, len(threads), _TOGETHER):
                some = query.where(c.thread.in_(threads[i : i + _TOGETHER]))
                for row in (await connection.execute(some)).mappings():
                    place = _event_place(row["ticket"], row["seq"])
                    opened = self._private.open(place, row["content"])
                    if opened.state == "open":
                        out[row["thread"]] = int(opened.content["data"].get("stars", 0))
        return out

    async def forget(self, user: str) -> int:
        """Delete the tickets of somebody who is erased, and their name from others'; how many."""
        c, e = desk_tickets.c, desk_events.c
        async with self._database.write() as connection:
            own = select(c.id).where(c.user == user)
            await connection.execute(delete(desk_events).where(e.ticket.in_(own)))
            gone = await connection.execute(delete(desk_tickets).where(c.user == user))
            await connection.execute(update(desk_events).where(e.by == user).values(by=ERASED))
            about = update(desk_events).where(e.about == user).values(about=ERASED)
            await connection.execute(about)
            theirs = update(desk_tickets).where(c.assignee == user)
            await connection.execute(theirs.values(assignee=ERASED))
        return gone.rowcount

    async def prune(self, before: float) -> int:
        """Delete what was closed before then; how many."""
        c, e = desk_tickets.c, desk_events.c
        old = and_(c.state == "closed", c.updated < before)
        async with self._database.write() as connection:
            ids = select(c.id).where(old)
            await connection.execute(delete(desk_events).where(e.ticket.in_(ids)))
            return (await connection.execute(delete(desk_tickets).where(old))).rowcount

    async def _keyed(self, draft: Draft) -> str | None:
        c = desk_tickets.c
        query = select(c.id).where(
            c.tenant == draft.tenant, c.user == draft.user, c.key == draft.key
        )
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar_one_or_none()

    async def _insert(self, draft: Draft, event: Event, standing: Standing) -> str:
        async with self._database.write() as connection:
            top = await connection.execute(select(func.max(desk_tickets.c.number)))
            number = (top.scalar() or 0) + 1
            id = f"T{number:05d}"
            row = {
                "id": id,
                "number": number,
                "tenant": draft.tenant,
                "user": draft.user,
                "thread": draft.thread,
                "channel": draft.channel,
                "title": self._private.seal(draft.user, _place("title", id), draft.title),
                "key": draft.key or None,
                "events": 1,
                "assigned": 0.0,
                **_columns(standing, event),
            }
            await connection.execute(insert(desk_tickets).values(row))
            await connection.execute(
                insert(desk_events).values(self._event_row(id, draft.user, 0, event))
            )
        return id

    def _event_row(self, ticket: str, user: str, seq: int, event: Event) -> dict[str, Any]:
        data = {k: v for k, v in event.data.items() if k != "to"}
        content = {"text": event.text, "data": data}
        return {
            "about": event.data.get("to", ""),
            "ticket": ticket,
            "seq": seq,
            "at": event.at,
            "by": event.by,
            "actor": event.actor,
            "act": event.act,
            "content": self._private.seal(user, _event_place(ticket, seq), content),
        }

    async def _events(
        self, connection: AsyncConnection, ids: Iterable[str]
    ) -> dict[str, list[Event]]:
        e = desk_events.c
        query = select(desk_events).where(e.ticket.in_(list(ids))).order_by(e.ticket, e.seq)
        out: dict[str, list[Event]] = {}
        for row in (await connection.execute(query)).mappings():
            opened = self._private.open(_event_place(row["ticket"], row["seq"]), row["content"])
            if opened.state != "open":
                continue
            content = opened.content
            actor, act = cast(Actor, row["actor"]), cast(Act, row["act"])
            data = content["data"] | ({"to": row["about"]} if row["about"] else {})
            event = Event(row["at"], row["by"], actor, act, content["text"], data)
            out.setdefault(row["ticket"], []).append(event)
        return out

    def _card(self, row: RowMapping) -> Card:
        opened = self._private.open(_place("title", row["id"]), row["title"])
        title = opened.content if opened.state == "open" else ""
        names = [n for n in Card.__slots__ if n != "title"]
        return Card(title=title, **{n: row[n] for n in names})


def unknown() -> NotFound:
    return NotFound("ticket", "没有这张工单", "no such ticket")


def _columns(standing: Standing, event: Event) -> dict[str, Any]:
    t = standing.ticket
    out: dict[str, Any] = {
        "state": t.state,
        "category": t.category,
        "priority": t.priority,
        "assignee": t.assignee,
        "holder": t.holder,
        "created": t.created,
        "updated": t.updated,
        "resolved": t.resolved_at if t.state in ("resolved", "closed") else None,
        "due": standing.due,
        "warn": standing.warn,
    }
    return out | ({"assigned": event.at} if event.act == "assign" else {})


def _place(column: str, id: str) -> str:
    return f"desk_tickets.{column}/{id}"


def _event_place(ticket: str, seq: int) -> str:
    return f"desk_events.content/{ticket}/{seq}"
