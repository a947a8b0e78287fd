"""Where records come to rest: a table, or a list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from sqlalchemy import insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.records import Record, records
from dazi.store.database import ANSWER_S, Conflict, Database, Statement

_NAMES = tuple(c.name for c in records.columns)
_APPEND = Statement(insert(records))

Chain = Callable[[Record | None], list[Record]]
"""The records that are to come after the one given, chained to it."""


class Sink(Protocol):
    shared: bool
    """Others are likely to write too, so that it is cheaper to take the lock at once."""

    async def last(self) -> Record | None: ...

    async def append(self, batch: list[Record]) -> None:
        """All or none. Raises ``Conflict`` where somebody else has taken a place in the chain."""
        ...

    async def append_after(self, make: Chain) -> None:
        """Append what ``make`` gives for the last record, while nobody else can write."""
        ...

    async def holds(self, record: Record) -> bool:
        """Whether this very record is there."""
        ...

    def keep(self, record: Record) -> bool:
        """Take it here and now, if there is nothing to wait for; else false."""
        ...


def columns(r: Record) -> dict[str, Any]:
    return {name: getattr(r, name) for name in _NAMES}


async def last_record(connection: AsyncConnection) -> Record | None:
    found = await connection.execute(select(records).order_by(records.c.seq.desc()).limit(1))
    row = found.one_or_none()
    return Record(*row) if row is not None else None


class SqlSink:
    """Records in the ``audit_records`` table."""

    def __init__(self, database: Database, *, sync: bool = False) -> None:
        """``sync``: records outlive a power cut, and not the end of the process alone."""
        self._database = database
        self._sync = sync
        self.shared = not database.sqlite

    async def last(self) -> Record | None:
        async with self._database.read() as connection:
            return await last_record(connection)

    async def holds(self, record: Record) -> bool:
        query = select(records.c.hash).where(records.c.seq == record.seq)
        async with self._database.read() as connection:
            return (await connection.execute(query)).scalar() == record.hash

    def keep(self, record: Record) -> bool:
        return False

    async def append(self, batch: list[Record]) -> None:
        await self._database.run(_APPEND, *(columns(r) for r in batch), sync=self._sync)

    async def append_after(self, make: Chain) -> None:
        # Whoever waits for the record must hear of a server that has fallen silent.
        async with self._database.write(within_s=ANSWER_S) as connection:
            if not self._database.sqlite:  # SQLite has the write lock from the beginning
                await connection.execute(
                    text("LOCK TABLE audit_records IN SHARE ROW EXCLUSIVE MODE")
                )
            batch = make(await last_record(connection))
            await connection.execute(insert(records), [columns(r) for r in batch])
        if self._sync and self._database.sqlite:
            # What was committed without a sync is synced before it moves to the main file.
            async with self._database.read() as connection:
                await connection.exec_driver_sql("PRAGMA wal_checkpoint(PASSIVE)")

    async def rows(self, turn: str | None = None, limit: int = 1000) -> list[Record]:
        query = select(records).order_by(records.c.seq).limit(limit)
        if turn is not None:
            query = query.where(records.c.turn == turn)
        async with self._database.read() as connection:
            return [Record(*row) for row in await connection.execute(query)]


class MemorySink:
    """Records in a list: for benchmarks and for programs that keep nothing."""

    shared = False

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def last(self) -> Record | None:
        return self.records[-1] if self.records else None

    async def holds(self, record: Record) -> bool:
        return record in self.records

    async def append(self, batch: list[Record]) -> None:
        if batch[0].seq != len(self.records) + 1:
            raise Conflict(f"record {batch[0].seq} is there already")
        self.records += batch

    async def append_after(self, make: Chain) -> None:
        self.records += make(await self.last())

    def keep(self, record: Record) -> bool:
        self.records.append(record)
        return True

    async def rows(self, turn: str | None = None, limit: int = 1000) -> list[Record]:
        return [r for r in self.records if turn is None or r.turn == turn][:limit]
