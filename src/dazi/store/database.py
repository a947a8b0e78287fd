"""One database, the same code on SQLite and PostgreSQL."""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, MetaData, NullPool, create_engine, event, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.sql.dml import UpdateBase

from dazi.core.errors import DaziError, OperatorError
from dazi.store import schema
from dazi.store.failures import NoneFree, locked, reason, told
from dazi.store.fair_lock import FairLock
from dazi.store.presence import Presence
from dazi.store.whereabouts import watch
from dazi.store.writer import BUSY_SECONDS, PATIENCE_S, SqliteWriter

APPLICATION = "dazi"
"""What PostgreSQL is told about who connects."""
CONNECT_S = 10
"""How long to wait for a PostgreSQL server."""
POOLED = 5
"""Connections that are kept open to one."""
ANSWER_S = 6.0
"""How long a write of the hot path may take there, and a connection to prove that it is alive."""
OTHERS_S = 60.0
"""How long another process may take to make the tables, or to bring those of an earlier version up to date."""
PLACES = 15
"""Statements at once. Others wait, first come first served: that a place is long in coming says nothing
of the database."""
_SPARE = 1
"""A connection beside the places, to see whether the database is there while all are taken."""

metadata = MetaData()
"""Every room's tables; each room declares its own."""


class Conflict(Exception):
    """A row with that key is there already."""


class Statement:
    """A write of ``columns`` (all of them if none are named) on the hot path, compiled once."""

    def __init__(self, statement: UpdateBase, *columns: str) -> None:
        self.statement = statement
        dialect = sqlite.dialect(paramstyle="qmark")
        compiled = statement.compile(dialect=dialect, column_keys=list(columns) or None)
        self.sqlite = str(compiled)
        self.names: tuple[str, ...] = tuple(compiled.positiontup or ())


class Database:
    """Connections for reading and writing.

    On SQLite a write takes the write lock at its start (``BEGIN IMMEDIATE``), so two writers wait
    for each other instead of failing half-way; the journal is WAL, so readers never wait. Writers of
    this process take turns in the order in which they came, and only one of them asks SQLite.
    """

    def __init__(
        self,
        url: str,
        *,
        presence: Presence | None = None,
        declare: Callable[[], None] = lambda: None,
    ) -> None:
        """``presence`` ends with ``close``. ``declare`` is called before tables are made, and puts
        all of them into ``metadata``."""
        self.url = url.replace("postgresql://", "postgresql+psycopg://", 1)
        self.sqlite = url.startswith("sqlite")
        path = make_url(self.url).database if self.sqlite else None
        self._path = Path(path) if path and path != ":memory:" else None
        more: dict[str, Any] = {}
        if self._path is not None:
            # Such a connection is a thread, and takes a while to make: those that there are stay.
            more = {"pool_size": PLACES + _SPARE, "max_overflow": 0}
        if not self.sqlite:
            arguments = {
                "connect_timeout": CONNECT_S,
                "application_name": APPLICATION,
                "options": f"-c lock_timeout={round(BUSY_SECONDS * 1000)}",
            }
            more = {
                "pool_pre_ping": True,
                "connect_args": arguments,
                "max_overflow": PLACES + _SPARE - POOLED,
                "pool_size": POOLED,
            }
        self._engine = create_async_engine(self.url, **more)
        self._places = asyncio.Semaphore(PLACES)
        self._turns = FairLock()
        self._writer = SqliteWriter(str(self._path), self._turns) if self._path else None
        self._presence = presence
        self._declare = declare
        if self.sqlite:
            event.listen(self._engine.sync_engine, "connect", _sqlite_connect)
            if path and self._writer is not None:
                watch(self._engine.sync_engine, path)
            event.listen(self._engine.sync_engine, "begin", _sqlite_begin)

    @classmethod
    def at(cls, path: Path, **more: Any) -> Database:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return cls(f"sqlite+aiosqlite:///{path}", **more)

    @property
    def place(self) -> str:
        """Where it is, without a password."""
        return self._engine.url.render_as_string(hide_password=True)

    async def create(self) -> None:
        """Make the tables, or bring those of an earlier version up to date; see ``schema``.

        Raises ``OperatorError``, also for a database from a newer version."""
        until = time.monotonic() + OTHERS_S
        while True:
            try:
                return await self._create()
            except DaziError:
                raise
            except (SQLAlchemyError, sqlite3.Error, OSError) as e:
                if locked(e) and time.monotonic() < until:
                    continue  # another process is at it, and each try has waited
                raise OperatorError(
                    "database",
                    f"打不开数据库 {self.place}:{reason(e)}。检查路径、权限和磁盘空间",
                    f"cannot open the database {self.place}: {reason(e)}. Check path, rights and disk",
                ) from e

    async def _create(self) -> None:
        async with self._place(), self._connected() as connection:
            state = await connection.run_sync(schema.state_of)
        if not state.lacks(metadata):
            return
        self._declare()
        async with self._turn(), self._place():
            if self._path is not None:
                await asyncio.to_thread(_bring_up_file, self._path)
                return
            async with self._writing() as connection:
                await connection.run_sync(schema.lock)
                await connection.run_sync(schema.bring_up, metadata)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        """Raises ``OperatorError`` where no connection is to be had, or none that is alive."""
        with told():
            async with self._place(), self._connected() as connection:
                yield connection

    @asynccontextmanager
    async def write(self, *, within_s: float | None = None) -> AsyncIterator[AsyncConnection]:
        """A transaction: committed on leaving, rolled back on an error. ``within_s``: how long it may
        take, once there is a place. Raises as ``read``."""
        with told():
            async with (
                self._turn(),
                self._place(),
                asyncio.timeout(within_s),
                self._writing() as connection,
            ):
                yield connection

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """To write, on SQLite. Raises ``NoneFree``."""
        if self._path is None:
            yield
            return
        try:
            await self._turns.acquire(PATIENCE_S)
        except TimeoutError:
            raise NoneFree from None
        try:
            yield
        except Exception as e:
            if locked(e):
                self._turns.fail(sqlite3.OperationalError(reason(e)), BUSY_SECONDS)
            raise
        finally:
            self._turns.release()

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[None]:
        """Raises ``NoneFree``."""
        if self._places.locked():
            try:
                async with asyncio.timeout(PATIENCE_S):
                    await self._places.acquire()
            except TimeoutError:
                raise NoneFree from None
        else:
            await self._places.acquire()
        try:
            yield
        finally:
            self._places.release()

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        async with asyncio.timeout(ANSWER_S) as limit, self._engine.connect() as connection:
            limit.reschedule(None)
            yield connection

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[AsyncConnection]:
        async with self._connected() as connection:
            await connection.execution_options(dazi_write=True)
            async with connection.begin():
                yield connection

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[AsyncConnection]:
        """All that is read in it was so at one moment, whoever writes meanwhile."""
        async with self._place(), self._engine.connect() as connection:
            if not self.sqlite:  # SQLite's transactions read so by themselves
                await connection.execution_options(
                    isolation_level="REPEATABLE READ", postgresql_readonly=True
                )
            yield connection

    async def run(self, statement: Statement, *rows: Mapping[str, Any], sync: bool = False) -> int:
        """Write ``rows``, all or none, and return once they are committed; how many changed, where
        it was one. ``sync``: they outlive a power cut as well (PostgreSQL sees to that itself).

        Raises ``Conflict`` where a key is taken and ``OperatorError`` where nothing can be
        written. On SQLite a tenth of the cost of ``write``.
        """
        try:
            if self._writer is not None:
                names = statement.names
                values = [[row[name] for name in names] for row in rows]
                return await self._writer.run(statement.sqlite, values, sync=sync)
            given: Any = rows[0] if len(rows) == 1 else list(rows)
            async with self.write(within_s=ANSWER_S) as connection:
                await connection.execution_options(preserve_rowcount=True)
                return (await connection.execute(statement.statement, given)).rowcount
        except (sqlite3.IntegrityError, IntegrityError) as e:
            raise Conflict(str(e)) from e
        except (sqlite3.Error, SQLAlchemyError, OSError) as e:
            raise OperatorError(
                "database",
                f"数据库写不进去:{reason(e)}。检查磁盘空间和数据库",
                f"the database cannot be written: {reason(e)}. Check the disk and the database",
            ) from e

    async def ping(self) -> None:
        """Is it there, however many wait for it? Raises as ``read``."""
        with told():
            async with self._connected() as connection:
                await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        if self._writer is not None:
            await self._writer.close()
        await self._engine.dispose()
        if self._presence is not None:
            self._presence.leave()


def _bring_up_file(path: Path) -> None:
    """In the thread that calls: of the many statements none waits for another thread."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=NullPool)
    event.listen(engine, "connect", _sqlite_connect)
    event.listen(engine, "begin", _sqlite_begin)
    with engine.connect() as connection:
        connection = connection.execution_options(dazi_write=True)
        with connection.begin():
            state = schema.state_of(connection)
            if state.tables and state.revision != schema.HEAD:
                schema.refuse_newer(state)
                schema.keep_copy(path)
            schema.bring_up(connection, metadata)


def _sqlite_connect(connection: Any, _: Any) -> None:
    # The driver must not begin transactions of its own: _sqlite_begin says when and how.
    connection.isolation_level = None
    cursor = connection.cursor()
    busy = f"busy_timeout={round(BUSY_SECONDS * 1000)}"
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", busy):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _sqlite_begin(connection: Connection) -> None:
    writing = connection.get_execution_options().get("dazi_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")
