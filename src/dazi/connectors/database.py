"""A database as two engines: one that can only read, one that writes in short transactions.

What differs between SQLite and PostgreSQL is here and nowhere else.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

from sqlalchemy import URL, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from dazi.connectors.context import ConnectorContext
from dazi.core.errors import ConfigError

T = TypeVar("T")
LOCK_WAIT_S = 5.0


def absolute(name: str, url: str, context: ConnectorContext) -> URL:
    """``url`` without a driver, a relative SQLite path taken from the data directory.

    Raises ``ConfigError`` for what cannot be opened.
    """
    try:
        return _absolute(url, context.data_dir)
    except ValueError as error:
        zh = f"数据库 {name} 的地址不能用;请写成 sqlite:///文件 或 postgresql://主机/库"
        en = f"database {name}: {error}; write sqlite:///FILE or postgresql://HOST/DATABASE"
        raise ConfigError(context.folder / "dazi.toml", None, zh, en) from error


def _absolute(url: str, data_dir: Path) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ValueError("not a database URL") from error
    kind = parsed.get_backend_name()
    if kind == "sqlite":
        if not parsed.database or parsed.database.startswith((":", "file:")):
            raise ValueError("a SQLite URL must name a file")
        return URL.create("sqlite", database=str((data_dir / parsed.database).resolve()))
    if kind == "postgresql":
        return parsed.set(drivername="postgresql")
    raise ValueError(f"{kind} is neither sqlite nor postgresql")


@dataclass(frozen=True, slots=True)
class Database:
    """``reader`` cannot change anything, whatever statement it is given."""

    reader: AsyncEngine
    writer: AsyncEngine

    async def close(self) -> None:
        await self.reader.dispose()
        await self.writer.dispose()


def open_database(name: str, url: str, context: ConnectorContext) -> Database:
    """Engines for ``url``; nothing connects yet. Raises ``ConfigError`` for an unusable URL."""
    parsed = absolute(name, url, context)
    if parsed.drivername == "sqlite":
        return Database(_sqlite(parsed, writes=False), _sqlite(parsed, writes=True))
    return _postgresql(parsed)


class _Reading(sqlite3.Connection):
    """Read-only twice over: by how the file is opened and by ``query_only``."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self.execute("PRAGMA query_only = 1")


class _Writing(sqlite3.Connection):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
        self.execute("PRAGMA journal_mode = WAL")
        self.execute("PRAGMA foreign_keys = 1")


def _sqlite(url: URL, *, writes: bool) -> AsyncEngine:
    mode = "rw" if writes else "ro"
    engine = create_async_engine(
        URL.create(
            "sqlite+aiosqlite",
            database=f"file:{quote(str(url.database))}",
            query={"mode": mode, "uri": "true"},
        ),
        pool_size=1 if writes else 4,
        max_overflow=0,
        connect_args={
            "isolation_level": None,
            "timeout": LOCK_WAIT_S,
            "factory": _Writing if writes else _Reading,
        },
    )
    event.listen(engine.sync_engine, "begin", _begin_writing if writes else _begin_reading)
    return engine


def _begin_reading(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _begin_writing(connection: Connection) -> None:
    """Take the write lock at once, waiting for it no longer than the work may take: waiting is
    the one thing that an interrupt does not end."""
    seconds = connection.get_execution_options().get("lock_wait_s", LOCK_WAIT_S)
    connection.exec_driver_sql(f"PRAGMA busy_timeout = {int(seconds * 1000)}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(url: URL) -> Database:
    engine = create_async_engine(
        url.set(drivername="postgresql+psycopg"), pool_size=4, max_overflow=0, pool_pre_ping=True
    )
    reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Database(reader, engine.execution_options(isolation_level="SERIALIZABLE"))


async def within(
    engine: AsyncEngine, seconds: float, work: Callable[[AsyncConnection], Awaitable[T]]
) -> T:
    """``work`` in one transaction that is rolled back unless ``work`` commits it.

    After ``seconds`` the running statement is interrupted, everything is undone and
    ``TimeoutError`` raised; the same happens when the caller is cancelled.
    """
    connections: list[AsyncConnection] = []

    async def job() -> T:
        async with engine.connect() as connection:
            connections.append(connection)
            await connection.execution_options(lock_wait_s=min(seconds, LOCK_WAIT_S))
            if connection.dialect.name == "postgresql":
                # The server ends a statement itself, also where its client has gone.
                limit = max(int(seconds * 1000), 1)
                await connection.exec_driver_sql(f"SET LOCAL statement_timeout = {limit}")
            return await work(connection)

    task = asyncio.create_task(job())
    try:
        done, _ = await asyncio.wait({task}, timeout=seconds)
        if not done:
            raise TimeoutError
    finally:
        if not task.done():
            for connection in connections:
                await _interrupt(connection)
            task.cancel()
            await asyncio.wait({task})
    return await task


async def _interrupt(connection: AsyncConnection) -> None:
    """SQLite works in a thread, which a cancelled task does not stop; an interrupt does."""
    with suppress(Exception):
        driver = (await connection.get_raw_connection()).driver_connection
        interrupt = getattr(driver, "interrupt", None)
        if interrupt is not None:
            await interrupt()
