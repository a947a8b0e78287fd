"""Every table's rows as they were at one moment, into a backup and out of it."""

from __future__ import annotations

from typing import Any

import msgspec
from sqlalchemy import Connection, MetaData, create_engine, insert, inspect, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.records import records
from dazi.core.errors import OperatorError
from dazi.core.language import Text
from dazi.ops.backup.entries import Packer, Rows, Table, Told
from dazi.ops.backup.sealed import damaged
from dazi.store import migrate, schema
from dazi.store.database import APPLICATION, Database, metadata

BATCH = 500
SHORT_LIVED = frozenset({"sessions", "oidc_states"})
"""Sign-ins under way: nobody's comes back with a backup."""


async def put_tables(packer: Packer, database: Database, told: Told) -> None:
    """All of them from one moment, whoever writes meanwhile."""
    async with database.snapshot() as connection:
        for table in metadata.sorted_tables:
            if table.name in SHORT_LIVED:
                continue
            before = packer.rows
            packer.put(Table(str(table.name), [str(c.name) for c in table.columns]))
            query = select(table).order_by(*table.primary_key.columns)
            result = await connection.stream(query.execution_options(yield_per=BATCH))
            async for rows in result.partitions():
                packer.put(Rows([list(row) for row in rows]))
            count = packer.rows - before
            if count:
                told(Text(f"{table.name}:{count} 行", f"{table.name}: {count} rows"))


class TableLoader:
    """Makes the tables of ``revision`` in a transaction, takes their rows, and brings them to
    what this version expects."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._there = MetaData()
        self._table = Table("", [])
        self._before = 0
        self.rows = 0

    @property
    def taken(self) -> tuple[str, int]:
        """The table that came last, and how many rows of it."""
        return self._table.name, self.rows - self._before

    async def open(self, revision: str) -> None:
        """Raises ``OperatorError`` for a revision of a newer version."""
        schema.refuse_newer(schema.State(revision, frozenset()))
        await self._connection.run_sync(migrate.upgrade, revision)
        await self._connection.run_sync(self._there.reflect)

    def table(self, table: Table) -> None:
        if table.name not in self._there.tables:
            raise damaged()
        self._table, self._before = table, self.rows

    async def take(self, entry: Rows) -> None:
        """Raises ``OperatorError`` where the database does not take a row."""
        rows = [dict(zip(self._table.columns, row, strict=True)) for row in entry.rows]
        try:
            await self._connection.execute(insert(self._there.tables[self._table.name]), rows)
        except (SQLAlchemyError, ValueError) as e:
            why = str(getattr(e, "orig", e)).partition("\n")[0]  # what follows may hold values
            raise OperatorError(
                "restore",
                f"数据库不收 {self._table.name} 的一行:{why}。什么也没有动",
                f"the database refuses a row of {self._table.name}: {why}. Nothing was touched",
            ) from None
        self.rows += len(rows)

    async def close(self) -> None:
        await self._connection.run_sync(migrate.upgrade)


async def erasures(connection: AsyncConnection) -> dict[str, float]:
    """Who was erased, and when last, by the ledger."""
    c = records.c
    out: dict[str, float] = {}
    found = await connection.execute(select(c.at, c.body).where(c.kind == "admin").order_by(c.seq))
    for at, body in found:
        act = msgspec.json.decode(body, type=dict[str, Any])
        if act.get("act") == "erase":
            out[str(act.get("of"))] = at
    return out


def in_use(connection: Connection) -> bool:
    """Whether another process of Dazi's is connected to this PostgreSQL database, at this moment."""
    connection.execute(text("SELECT pg_stat_clear_snapshot()"))  # not as of the first time asked
    query = """SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
        AND application_name = :name AND pid <> pg_backend_pid()"""
    return bool(connection.execute(text(query), {"name": APPLICATION}).scalar())


def occupied(connection: Connection) -> bool:
    """Whether any of our tables has a row."""
    return any(
        connection.execute(text(f'SELECT 1 FROM "{name}" LIMIT 1')).first() is not None
        for name in _ours(connection)
        if name != schema.VERSIONS
    )


def set_aside(connection: Connection, name: str) -> bool:
    """Move our tables in PostgreSQL into the schema ``name``, or drop them where they have no
    rows; whether they had."""
    keep = occupied(connection)
    if keep:
        connection.execute(text(f'CREATE SCHEMA "{name}"'))
    for table in _ours(connection):
        what = f'ALTER TABLE "{table}" SET SCHEMA "{name}"' if keep else f'DROP TABLE "{table}"'
        connection.execute(text(what))
    return keep


def mark(connection: Connection, token: str) -> None:
    """Note that a restore is committed, by the same commit."""
    connection.execute(text(f"COMMENT ON TABLE {schema.VERSIONS} IS 'restore {token}'"))


def committed(url: str, token: str) -> bool:
    """Whether the restore ``token`` was committed. Raises ``OperatorError``."""
    query = "SELECT obj_description(to_regclass(:table))"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1))
    try:
        with engine.connect() as connection:
            found = connection.execute(text(query), {"table": schema.VERSIONS}).scalar()
    except SQLAlchemyError as e:
        raise OperatorError(
            "database",
            "一次恢复中途停了,要连上数据库才能收尾;请检查 PostgreSQL",
            "a restore was cut off and needs the database to come to its end; check PostgreSQL",
        ) from e
    finally:
        engine.dispose()
    return found == f"restore {token}"


def _ours(connection: Connection) -> list[str]:
    known = {*metadata.tables, schema.VERSIONS}
    return [name for name in inspect(connection).get_table_names() if name in known]
