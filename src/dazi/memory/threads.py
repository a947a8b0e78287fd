"""Threads: what was said and found, word for word, per person."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import Column, Float, Integer, String, Table, Text, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.core.errors import NotFound
from dazi.core.messages import CallText, Message, Role
from dazi.core.principal import Principal
from dazi.store.database import Database, metadata

threads = Table(
    "threads",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("title", String(200), nullable=False),
    Column("at", Float, nullable=False),
)

thread_messages = Table(
    "thread_messages",
    metadata,
    Column("thread", String(64), primary_key=True),
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("role", String(16), nullable=False),
    Column("content", Text, nullable=False),
    Column("calls", Text, nullable=False),
    Column("call", String(100), nullable=False),
    Column("tool", String(100), nullable=False),
    Column("result", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it was kept; ``result`` is a tool's whole result."""

    message: Message
    tool: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Thread:
    """``at`` is when it was last written to, in seconds since the epoch."""

    id: str
    title: str
    at: float


class ThreadStore:
    """Every access names the principal: another's thread looks like none at all."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self, thread: str, principal: Principal, last: int = 24) -> list[Kept]:
        """The last messages, oldest first, beginning with a person's; ``[]`` for a new thread.

        Raises ``NotFound`` for a thread that is somebody else's.
        """
        async with self._database.read() as connection:
            owner = (
                (await connection.execute(select(threads).where(threads.c.id == thread)))
                .mappings()
                .one_or_none()
            )
            if owner is None:
                return []
            if owner["user"] != principal.user or owner["tenant"] != principal.tenant:
                raise NotFound("thread", "没有这个会话", "no such thread")
            found = await connection.execute(
                select(thread_messages)
                .where(thread_messages.c.thread == thread)
                .order_by(thread_messages.c.seq.desc())
                .limit(last)
            )
            rows = list(found.mappings())[::-1]
        kept = [_kept(row) for row in rows]
        first = next((i for i, k in enumerate(kept) if k.message.role == "user"), len(kept))
        return kept[first:]

    async def append(self, thread: str, principal: Principal, messages: Sequence[Kept]) -> None:
        """Raises ``NotFound`` for a thread that is somebody else's."""
        if messages:
            async with self._database.write() as connection:
                await _append(connection, thread, principal, messages)

    async def replace(self, thread: str, principal: Principal, messages: Sequence[Kept]) -> None:
        """Make ``messages`` all that the thread holds. Raises as ``append``."""
        async with self._database.write() as connection:
            await _exists(connection, thread, principal)
            await connection.execute(
                delete(thread_messages).where(thread_messages.c.thread == thread)
            )
            await _append(connection, thread, principal, messages)

    async def list(self, principal: Principal, limit: int = 50) -> list[Thread]:
        query = (
            select(threads.c.id, threads.c.title, threads.c.at)
            .where(threads.c.user == principal.user, threads.c.tenant == principal.tenant)
            .order_by(threads.c.at.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return [Thread(*row) for row in await connection.execute(query)]


async def _exists(connection: AsyncConnection, thread: str, principal: Principal) -> bool:
    """Raises ``NotFound`` when the thread is somebody else's."""
    found = await connection.execute(
        select(threads.c.user, threads.c.tenant).where(threads.c.id == thread)
    )
    owner = found.one_or_none()
    if owner is not None and tuple(owner) != (principal.user, principal.tenant):
        raise NotFound("thread", "没有这个会话", "no such thread")
    return owner is not None


async def _append(
    connection: AsyncConnection, thread: str, principal: Principal, messages: Sequence[Kept]
) -> None:
    now = time.time()
    if await _exists(connection, thread, principal):
        await connection.execute(threads.update().where(threads.c.id == thread).values(at=now))
    else:
        title = next((k.message.content for k in messages if k.message.role == "user"), "")[:60]
        await connection.execute(
            insert(threads).values(
                id=thread, tenant=principal.tenant, user=principal.user, title=title, at=now
            )
        )
    highest = await connection.scalar(
        select(func.max(thread_messages.c.seq)).where(thread_messages.c.thread == thread)
    )
    first = (highest or 0) + 1
    await connection.execute(
        insert(thread_messages),
        [_row(thread, first + i, now, k) for i, k in enumerate(messages)],
    )


def _row(thread: str, seq: int, at: float, kept: Kept) -> dict[str, Any]:
    m = kept.message
    return {
        "thread": thread,
        "seq": seq,
        "at": at,
        "role": m.role,
        "content": m.content,
        "calls": msgspec.json.encode(m.calls).decode(),
        "call": m.call_id,
        "tool": kept.tool,
        "result": msgspec.json.encode(kept.result, enc_hook=str).decode(),
    }


def _kept(row: Any) -> Kept:
    role: Role = row["role"]
    calls = tuple(msgspec.json.decode(row["calls"], type=list[CallText]))
    message = Message(role, row["content"], calls, row["call"])
    return Kept(message, row["tool"], msgspec.json.decode(row["result"]))
