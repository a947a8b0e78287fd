"""Looking for records: by the fields the database knows, then by what is inside."""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any, Protocol

import msgspec
from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.records import Record, records
from dazi.audit.sealing import Content, Sealing
from dazi.store.database import Database

BATCH = 500


@dataclass(frozen=True, slots=True)
class Query:
    """Everything that is given must match. ``text`` is looked for in the content, the user and the
    turn, whatever its case and width; times in seconds since the epoch, ``until`` not included."""

    text: str = ""
    user: str = ""
    kind: str = ""
    tool: str = ""
    turn: str = ""
    since: float | None = None
    until: float | None = None
    outcome: str = ""
    """Of a call, or of one of the calls that an answer lists."""
    thread: str = ""
    """Only the beginnings of turns tell theirs."""

    @property
    def inside(self) -> bool:
        """Whether records must be looked into, and the database alone cannot say."""
        return bool(self.text or self.tool or self.outcome or self.thread)

    def statement(self) -> Select[Any]:
        c = records.c
        chosen = select(records)
        for column, value in ((c.user, self.user), (c.kind, self.kind), (c.turn, self.turn)):
            if value:
                chosen = chosen.where(column == value)
        if self.since is not None:
            chosen = chosen.where(c.at >= self.since)
        if self.until is not None:
            chosen = chosen.where(c.at < self.until)
        # A first sieve; what stands in the clear stands there as JSON text.
        for name in filter(None, (self.tool, self.outcome)):
            chosen = chosen.where(c.body.contains(_quoted(name), autoescape=True))
        if self.thread:
            chosen = chosen.where(c.kind == "turn")
        return chosen

    def matches(self, record: Record, content: Content) -> bool:
        if self.tool and not _of_tool(content, self.tool):
            return False
        if self.outcome and not _came_to(content, self.outcome):
            return False
        if self.thread and content.fields.get("thread") != self.thread:
            return False
        if not self.text:
            return True
        wanted = _plain(self.text)
        said = "\n".join([record.user, record.turn, *_texts(content.fields)])
        return wanted in _plain(said)


@dataclass(frozen=True, slots=True)
class Found:
    """``content``: the record's body, opened where there is a key."""

    record: Record
    content: Content


async def search(database: Database, sealing: Sealing, query: Query, limit: int) -> list[Found]:
    """The latest ``limit`` that match, oldest first."""
    found: list[Found] = []
    async with database.read() as connection:
        async for r in _rows(connection, query, newest_first=True):
            content = sealing.opened(r)
            if query.matches(r, content):
                found.append(Found(r, content))
                if len(found) >= limit:
                    break
    return found[::-1]


async def matching(database: Database, sealing: Sealing, query: Query) -> AsyncIterator[Found]:
    """All that match, oldest first, a few in memory at a time, of one snapshot."""
    async with database.read() as connection:
        if not database.sqlite:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        async for r in _rows(connection, query):
            content = sealing.opened(r)
            if query.matches(r, content):
                yield Found(r, content)


async def _rows(
    connection: AsyncConnection, query: Query, *, newest_first: bool = False
) -> AsyncIterator[Record]:
    c = records.c.seq
    chosen = query.statement().order_by(c.desc() if newest_first else c).limit(BATCH)
    last: int | None = None
    while True:
        page = chosen
        if last is not None:
            page = chosen.where(c < last if newest_first else c > last)
        rows = (await connection.execute(page)).all()
        for row in rows:
            yield Record(*row)
        if len(rows) < BATCH:
            return
        last = rows[-1].seq


class Rows(Protocol):
    async def rows(self, turn: str | None = None, limit: int = 1000) -> list[Record]: ...


class Opened:
    """A sink's records as they were put, for whoever reads them in the same program."""

    def __init__(self, sink: Rows, sealing: Sealing) -> None:
        self._sink = sink
        self._sealing = sealing

    async def rows(self, turn: str | None = None, limit: int = 1000) -> list[Record]:
        return [replace(r, body=self._body(r)) for r in await self._sink.rows(turn, limit)]

    def _body(self, record: Record) -> str:
        return content_text(self._sealing.opened(record))


def content_text(content: Content) -> str:
    return msgspec.json.encode(content.fields, order="sorted").decode()


def _of_tool(content: Content, tool: str) -> bool:
    calls = content.fields.get("calls")
    named = [c.get("tool") if isinstance(c, dict) else c for c in calls or ()]
    return tool in (content.fields.get("tool"), *named)


def _came_to(content: Content, outcome: str) -> bool:
    calls = content.fields.get("calls")
    each = [c.get("outcome") for c in calls or () if isinstance(c, dict)]
    return outcome in (content.fields.get("outcome"), *each)


def _quoted(name: str) -> str:
    return msgspec.json.encode(name).decode()


def _texts(value: Any) -> list[str]:
    """Every text and number inside; keys too."""
    if isinstance(value, dict):
        return [t for k, v in value.items() for t in (str(k), *_texts(v))]
    if isinstance(value, list):
        return [t for v in value for t in _texts(v)]
    return [str(value)]


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).casefold()
