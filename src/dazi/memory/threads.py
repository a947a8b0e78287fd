"""Threads: what was said and found, word for word, per person, sealed with the person's key."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, and_, delete, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.private import Private, is_sealed
from dazi.core.errors import CallerError, NotFound, OperatorError
from dazi.core.messages import CallText, Message, Role
from dazi.core.principal import Principal
from dazi.memory.tables import thread_digests, thread_messages, threads
from dazi.store.database import Database

PAGE, TOGETHER = 200, 20
"""Messages and threads that are read at once where all are wanted."""
BREATH = 25
"""Messages that are opened before others get a turn."""
LONGEST_TITLE = 200
ALL_ROLES: tuple[Role, ...] = ("user", "assistant", "tool")


@dataclass(frozen=True, slots=True)
class Kept:
    """A message as it was kept; ``result`` is a tool's whole result."""

    message: Message
    tool: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Numbered:
    """A message with its number in the thread, from 1, and as it lies in the table. ``at``: when it
    was kept, in seconds since the epoch."""

    seq: int
    kept: Kept
    sealed: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Thread:
    """``at`` is when it was last written to, in seconds since the epoch; ``archived`` when it was put
    out of the list, ``None`` while it is in."""

    id: str
    title: str
    at: float
    archived: float | None = None


class ThreadStore:
    """Every access names the principal: another's thread looks like none at all."""

    def __init__(self, database: Database, private: Private) -> None:
        self.database = database
        self.private = private

    async def load(self, thread: str, principal: Principal, last: int = 24) -> list[Kept]:
        """The last messages, oldest first, beginning with a person's; ``[]`` for a new thread.

        Raises ``NotFound`` for a thread that is somebody else's.
        """
        kept = [n.kept for n in await self.latest(thread, principal, last)]
        first = next((i for i, k in enumerate(kept) if k.message.role == "user"), len(kept))
        return kept[first:]

    async def latest(self, thread: str, principal: Principal, last: int) -> list[Numbered]:
        """The last messages, whatever they begin with. Raises as ``load``."""
        async with self.database.read() as connection:
            if not await _exists(connection, thread, principal):
                return []
            return await self._read(connection, thread_messages.c.thread == thread, last)

    async def between(
        self, thread: str, principal: Principal, after: int, before: int, most: int
    ) -> list[Numbered]:
        """The messages numbered above ``after`` and below ``before``, of more than ``most`` the
        last. Raises as ``load``."""
        async with self.database.read() as connection:
            if not await _exists(connection, thread, principal):
                return []
            seq = thread_messages.c.seq
            which = and_(thread_messages.c.thread == thread, seq > after, seq < before)
            return await self._read(connection, which, most)

    async def _read(
        self, connection: AsyncConnection, which: ColumnElement[bool], last: int
    ) -> list[Numbered]:
        found = await connection.execute(
            select(thread_messages).where(which).order_by(thread_messages.c.seq.desc()).limit(last)
        )
        rows = list(found.mappings())[::-1]
        read = ((r, self._kept(r)) for r in rows)
        return [Numbered(r["seq"], k, r["content"], r["at"]) for r, k in read if k is not None]

    async def append(self, thread: str, principal: Principal, messages: Sequence[Kept]) -> None:
        """Raises ``NotFound`` for a thread that is somebody else's."""
        if messages:
            async with self.database.write() as connection:
                await self._append(connection, thread, principal, messages)

    async def replace(self, thread: str, principal: Principal, messages: Sequence[Kept]) -> None:
        """Make ``messages`` all that the thread holds. Raises as ``append``."""
        async with self.database.write() as connection:
            await _exists(connection, thread, principal)
            for table in (thread_messages, thread_digests):
                await connection.execute(delete(table).where(table.c.thread == thread))
            await self._append(connection, thread, principal, messages)

    async def list(
        self, principal: Principal, limit: int = 50, *, archived: bool = False, after: str = ""
    ) -> list[Thread]:
        """The principal's threads, last written to first: those in the list, or the archived ones.
        ``after``: the thread at which the page before ended."""
        query = select(threads).where(
            _of(principal),
            threads.c.archived.is_not(None) if archived else threads.c.archived.is_(None),
        )
        async with self.database.read() as connection:
            if after:
                query = query.where(_comes_after(await _place(connection, after, principal)))
            query = query.order_by(threads.c.at.desc(), threads.c.id.desc()).limit(limit)
            return [self._thread(t) for t in await connection.execute(query)]

    async def all(self, principal: Principal, after: str = "") -> AsyncGenerator[Sequence[Thread]]:
        """The principal's threads, archived or not, last written to first, some at a time.
        ``after``: as in ``list``. Raises ``NotFound`` where that is none."""
        place: tuple[float, str] | None = None
        while True:
            query = select(threads).where(_of(principal))
            async with self.database.read() as connection:
                if after and place is None:
                    place = await _place(connection, after, principal)
                if place is not None:
                    query = query.where(_comes_after(place))
                query = query.order_by(threads.c.at.desc(), threads.c.id.desc()).limit(TOGETHER)
                found = [self._thread(row) for row in await connection.execute(query)]
            if found:
                yield found
            if len(found) < TOGETHER:
                return
            # Where it stood: meanwhile it may be deleted, or written to.
            place = found[-1].at, found[-1].id

    async def get(self, thread: str, principal: Principal) -> Thread:
        """Raises ``NotFound``, for somebody else's as for none."""
        query = select(threads).where(threads.c.id == thread, _of(principal))
        async with self.database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        if row is None:
            raise _unknown()
        return self._thread(row)

    async def messages(self, thread: str, principal: Principal) -> AsyncGenerator[Numbered]:
        """Every message of a thread, oldest first. Raises as ``get``."""
        await self.get(thread, principal)
        async for _, message in self.said([thread], principal, ALL_ROLES):
            yield message

    async def said(
        self,
        among: Sequence[str],
        principal: Principal,
        roles: Sequence[Role] = ("user", "assistant"),
    ) -> AsyncGenerator[tuple[str, Numbered]]:
        """Messages of those of the threads ``among`` that are the principal's, each with its
        thread, one thread after the other."""
        own = select(threads.c.id).where(_of(principal), threads.c.id.in_(among))
        thread, seq = thread_messages.c.thread, thread_messages.c.seq
        query = (
            select(thread_messages)
            .where(thread.in_(own), thread_messages.c.role.in_(roles))
            .order_by(thread, seq)
            .limit(PAGE)
        )
        page = query
        while True:
            async with self.database.read() as connection:
                rows = list((await connection.execute(page)).mappings())
            for n, r in enumerate(rows, 1):
                if (kept := self._kept(r)) is not None:
                    yield r["thread"], Numbered(r["seq"], kept, r["content"], r["at"])
                if n % BREATH == 0:
                    await asyncio.sleep(0)
            if len(rows) < PAGE:
                return
            last = rows[-1]
            beyond = and_(thread == last["thread"], seq > last["seq"])
            page = query.where(or_(thread > last["thread"], beyond))

    async def rename(self, thread: str, principal: Principal, title: str) -> Thread:
        """Raises ``NotFound``, and ``CallerError`` for no title or one of over ``LONGEST_TITLE``."""
        title = " ".join(title.split())
        if not title:
            raise CallerError("empty", "标题是空的", "the title is empty")
        if len(title) > LONGEST_TITLE:
            raise CallerError(
                "title_too_long",
                f"标题有 {len(title)} 个字符,最多 {LONGEST_TITLE} 个;请缩短",
                f"the title has {len(title)} characters, {LONGEST_TITLE} at most; shorten it",
            )
        sealed = self.private.seal(principal.user, _title_of(thread), title)
        await self._set(thread, principal, title=sealed)
        return await self.get(thread, principal)

    async def archive(self, thread: str, principal: Principal, *, out: bool = True) -> Thread:
        """Put a thread out of the list, or back. Whoever writes to it puts it back as well. Raises
        ``NotFound``."""
        found = await self.get(thread, principal)
        if out != (found.archived is not None):
            await self._set(thread, principal, archived=time.time() if out else None)
        return await self.get(thread, principal)

    async def _set(self, thread: str, principal: Principal, **values: Any) -> None:
        change = update(threads).where(threads.c.id == thread, _of(principal)).values(**values)
        async with self.database.write() as connection:
            await connection.execute(change)

    async def delete(self, thread: str, principal: Principal) -> None:
        """Raises ``NotFound`` for a thread that is somebody else's, and for none."""
        async with self.database.write() as connection:
            if not await _exists(connection, thread, principal):
                raise _unknown()
            await _delete(connection, threads.c.id == thread)

    async def forget(self, user: str) -> int:
        """Delete all threads of somebody who is erased; how many."""
        async with self.database.write() as connection:
            return await _delete(connection, threads.c.user == user)

    async def prune(self, before: float) -> int:
        """Delete threads last written to before then, in seconds since the epoch; how many."""
        async with self.database.write() as connection:
            return await _delete(connection, threads.c.at < before)

    async def archive_idle(self, before: float) -> int:
        """Put out of their owners' lists what was last written to before then, in seconds since the
        epoch; how many."""
        change = update(threads).where(threads.c.at < before, threads.c.archived.is_(None))
        async with self.database.write() as connection:
            done = await connection.execute(change.values(archived=time.time()))
            return done.rowcount

    async def _append(
        self,
        connection: AsyncConnection,
        thread: str,
        principal: Principal,
        messages: Sequence[Kept],
    ) -> None:
        now = time.time()
        if await _exists(connection, thread, principal):
            again = update(threads).where(threads.c.id == thread)
            await connection.execute(again.values(at=now, archived=None))
        else:
            title = next((k.message.content for k in messages if k.message.role == "user"), "")[:60]
            sealed = self.private.seal(principal.user, _title_of(thread), title)
            await connection.execute(
                insert(threads).values(
                    id=thread, tenant=principal.tenant, user=principal.user, title=sealed, at=now
                )
            )
        highest = await connection.scalar(
            select(func.max(thread_messages.c.seq)).where(thread_messages.c.thread == thread)
        )
        rows = [
            self._row(thread, seq, kept, principal.user) | {"at": now}
            for seq, kept in enumerate(messages, (highest or 0) + 1)
        ]
        await connection.execute(insert(thread_messages), rows)

    def _row(self, thread: str, seq: int, kept: Kept, user: str) -> dict[str, Any]:
        m = kept.message
        content = [m.content, m.calls, kept.result]
        return {
            "thread": thread,
            "seq": seq,
            "role": m.role,
            "content": self.private.seal(user, _message_of(thread, seq), content),
            "calls": "",
            "call": m.call_id,
            "tool": kept.tool,
            "result": "",
        }

    def _kept(self, row: Any) -> Kept | None:
        """``None`` for a message of somebody who was erased, from a backup."""
        role: Role = row["role"]
        place = _message_of(row["thread"], row["seq"])
        if row["calls"]:  # from before there was sealing
            content, result = row["content"], msgspec.json.decode(row["result"])
            calls = msgspec.json.decode(row["calls"])
        else:
            opened = self.private.open(place, row["content"])
            if opened.state == "erased":
                return None
            if opened.state != "open":
                raise _unreadable(place, opened.state)
            content, calls, result = opened.content
        made = msgspec.convert(calls, tuple[CallText, ...])
        return Kept(Message(role, content, made, row["call"]), row["tool"], result)

    def _thread(self, row: Any) -> Thread:
        return Thread(row.id, self._title(row.id, row.title), row.at, row.archived)

    def _title(self, thread: str, text: str) -> str:
        if not is_sealed(text):
            return text
        opened = self.private.open(_title_of(thread), text)
        return opened.content if opened.state == "open" else ""


def _title_of(thread: str) -> str:
    return f"threads.title:{thread}"


def _message_of(thread: str, seq: int) -> str:
    return f"thread_messages.content:{thread}:{seq}"


def _of(principal: Principal) -> ColumnElement[bool]:
    return and_(threads.c.user == principal.user, threads.c.tenant == principal.tenant)


async def _place(
    connection: AsyncConnection, thread: str, principal: Principal
) -> tuple[float, str]:
    """Where a thread stands among its owner's. Raises ``NotFound``."""
    found = await connection.execute(
        select(threads.c.at, threads.c.id).where(threads.c.id == thread, _of(principal))
    )
    row = found.one_or_none()
    if row is None:
        raise _unknown()
    return row.at, row.id


def _comes_after(place: tuple[float, str]) -> ColumnElement[bool]:
    at, id = place
    return or_(threads.c.at < at, and_(threads.c.at == at, threads.c.id < id))


async def _delete(connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Delete threads with all that was said in them; how many."""
    of = select(threads.c.id).where(which)
    for table in (thread_messages, thread_digests):
        await connection.execute(delete(table).where(table.c.thread.in_(of)))
    done = await connection.execute(delete(threads).where(which))
    return done.rowcount


def _unknown() -> NotFound:
    return NotFound("thread", "没有这个会话", "no such thread")


def _unreadable(place: str, state: str) -> OperatorError:
    if state == "missing":
        zh, en = "的密钥不在审计文件夹里", "has no key in the audit folder"
    else:
        zh, en = "的内容被改动过", "was altered"
    return OperatorError(
        "unreadable", f"{place} {zh};请从备份恢复", f"{place} {en}; restore it from a backup"
    )


async def _exists(connection: AsyncConnection, thread: str, principal: Principal) -> bool:
    """Raises ``NotFound`` when the thread is somebody else's."""
    found = await connection.execute(
        select(threads.c.user, threads.c.tenant).where(threads.c.id == thread)
    )
    owner = found.one_or_none()
    if owner is not None and tuple(owner) != (principal.user, principal.tenant):
        raise _unknown()
    return owner is not None
