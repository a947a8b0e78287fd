"""What was spent this month, in the database."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, String, Table, bindparam, insert, select, update

from dazi.store.database import Conflict, Database, Statement, metadata

spent = Table(
    "limit_totals",
    metadata,
    Column("key", String(300), primary_key=True),
    Column("used", BigInteger, nullable=False),
)
_UPDATE = Statement(update(spent).where(spent.c.key == bindparam("of")), "used")
_INSERT = Statement(insert(spent))


class DatabaseTotals:
    def __init__(self, database: Database) -> None:
        self._database = database

    async def load(self) -> dict[str, int]:
        async with self._database.read() as connection:
            return {row.key: row.used for row in await connection.execute(select(spent))}

    async def save(self, key: str, used: int) -> None:
        if await self._database.run(_UPDATE, {"of": key, "used": used}) == 0:
            try:
                await self._database.run(_INSERT, {"key": key, "used": used})
            except Conflict:
                await self._database.run(_UPDATE, {"of": key, "used": used})
