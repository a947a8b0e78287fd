"""One version for everything that rights hang on, so that every process learns of a change.

Whoever changes accounts, keys or sessions raises the version in the same transaction. This process
learns of it at once, others when they look next. The row of the version is locked until the commit,
so versions become visible in their order and nothing in between can be missed.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import Column, Integer, Table, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.core.errors import OperatorError
from dazi.store.database import Database, metadata

POLL_S = 2.0
"""How often other processes' changes are looked for."""
STALE_S = 10.0
"""What was read longer ago than this, because the database does not answer, lets nobody in."""

version_row = Table(
    "access_version",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
)

Learn = Callable[[], Awaitable[None]]
log = logging.getLogger("dazi.access")


@dataclass(frozen=True, slots=True)
class Change:
    """A transaction, and the version that its rows belong to."""

    connection: AsyncConnection
    version: int


class Changes:
    """``clock``: monotonic seconds."""

    def __init__(
        self,
        database: Database,
        poll_s: float = POLL_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database = database
        self.poll_s = poll_s
        self._clock = clock
        self._known = -1
        self._looked = float("-inf")
        self._followers: list[Learn] = []
        self._one = asyncio.Lock()

    def follow(self, learn: Learn) -> None:
        """``learn`` is awaited after each change, in the order in which followers came."""
        self._followers.append(learn)

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Change]:
        """As ``Database.write``; on leaving, this process has learned of the change."""
        async with self.database.write() as connection:
            yield Change(connection, await _next(connection))
        await self.look()

    async def look(self) -> None:
        """Learn of what has changed since the last look, by any process."""
        async with self._one:
            began = self._clock()
            async with self.database.read() as connection:
                found = await connection.scalar(select(version_row.c.version))
            version = found or 0
            if version != self._known:
                for learn in self._followers:
                    await learn()
                self._known = version
            self._looked = began

    @property
    def fresh(self) -> bool:
        return self._clock() - self._looked <= STALE_S

    def require_fresh(self) -> None:
        """Raises ``OperatorError`` where nobody can say any more who may do what."""
        if not self.fresh:
            raise OperatorError(
                "access_stale",
                "无法确认账号和密钥的最新状态;请检查数据库",
                "accounts and keys cannot be checked; look at the database",
            )

    async def run(self) -> None:
        """Look every ``poll_s`` seconds, until cancelled."""
        while True:
            await asyncio.sleep(self.poll_s)
            try:
                await self.look()
            except Exception:  # the database may come back; until then nothing counts as fresh
                log.exception("accounts and keys could not be read")


async def _next(connection: AsyncConnection) -> int:
    await connection.execute(
        text("INSERT INTO access_version (id, version) VALUES (1, 0) ON CONFLICT DO NOTHING")
    )
    await connection.execute(update(version_row).values(version=version_row.c.version + 1))
    return int(await connection.scalar(select(version_row.c.version)) or 0)
