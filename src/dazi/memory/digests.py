"""What a thread's older turns came to, sealed with the person's key: made after answers, kept beside
the messages, which stay as they are."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, insert, select

from dazi.audit.private import Private
from dazi.core.principal import Principal
from dazi.memory.events import Event
from dazi.memory.tables import thread_digests, thread_messages, threads
from dazi.memory.threads import Numbered
from dazi.store.database import Database


@dataclass(frozen=True, slots=True)
class Digest:
    """Of all messages numbered up to ``through``. ``summary`` is in a model's words."""

    through: int = 0
    summary: str = ""
    events: tuple[Event, ...] = ()


NOTHING = Digest()


class DigestStore:
    """One digest a thread. Whether the thread is the person's is for ``ThreadStore`` to say."""

    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    async def get(self, thread: str) -> Digest:
        """``NOTHING`` where there is none, or none that can be read: it can be made again."""
        async with self._database.read() as connection:
            row = (
                await connection.execute(
                    select(thread_digests.c.through, thread_digests.c.content).where(
                        thread_digests.c.thread == thread
                    )
                )
            ).one_or_none()
        if row is None:
            return NOTHING
        opened = self._private.open(_place(thread, row.through), row.content)
        if opened.state != "open":
            return NOTHING
        try:
            summary, events = msgspec.convert(opened.content, tuple[str, tuple[Event, ...]])
        except msgspec.ValidationError:  # of another version
            return NOTHING
        return Digest(row.through, summary, events)

    async def save(
        self, thread: str, principal: Principal, digest: Digest, was: int, last: Numbered
    ) -> bool:
        """Put ``digest`` in the place of that through ``was``.

        Not where the thread has been deleted, replaced or digested by somebody else meanwhile:
        ``last`` is its last message, and no two are sealed alike. Tells whether it was kept.
        """
        content: Any = [digest.summary, digest.events]
        sealed = self._private.seal(principal.user, _place(thread, digest.through), content)
        here = thread_digests.c.thread == thread
        async with self._database.write() as connection:
            owner = await connection.execute(
                select(threads.c.user, threads.c.tenant).where(threads.c.id == thread)
            )
            if tuple(owner.one_or_none() or ()) != (principal.user, principal.tenant):
                return False
            same = await connection.scalar(
                select(thread_messages.c.content).where(
                    thread_messages.c.thread == thread, thread_messages.c.seq == last.seq
                )
            )
            through = await connection.scalar(select(thread_digests.c.through).where(here))
            if same != last.sealed or through not in (None, was):
                return False
            await connection.execute(delete(thread_digests).where(here))
            await connection.execute(
                insert(thread_digests).values(
                    thread=thread, through=digest.through, content=sealed, at=time.time()
                )
            )
        return True


def _place(thread: str, through: int) -> str:
    return f"thread_digests.content:{thread}:{through}"
