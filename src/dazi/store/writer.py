"""Writes of the hot path on SQLite: one thread with one connection, and one commit for all that wait.

What was answered outlives the process; with ``sync`` it outlives a power cut too
(``synchronous=FULL``). Many waiting writers cost one commit, and one sync of the disk, together.
"""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from dazi.store.failures import NoneFree, locked
from dazi.store.fair_lock import FairLock
from dazi.store.whereabouts import Identity, identity

GROUP = 256
"""At most so many submissions a commit."""
BUSY_SECONDS = 5.0
"""How long to wait for another process's transaction."""
PATIENCE_S = 30.0
"""How long one may wait for others of this process: for a place, or for a turn to write."""

Row = Sequence[object]
connect = sqlite3.connect


@dataclass(frozen=True, slots=True)
class _Job:
    sql: str
    rows: Sequence[Row]
    sync: bool
    loop: asyncio.AbstractEventLoop
    done: asyncio.Future[int]


class SqliteWriter:
    """Runs submissions in the order in which they came; each is whole or not at all."""

    def __init__(self, path: str, turns: FairLock) -> None:
        """``turns``: by which those who write in this process keep out of each other's way."""
        self._path = path
        self._turns = turns
        self._queue: SimpleQueue[_Job | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._synced = False
        self._file: Identity | None = None

    async def run(self, sql: str, rows: Sequence[Row], *, sync: bool = False) -> int:
        """How many rows changed. Raises ``sqlite3.Error``."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._serve, name="sqlite-writer", daemon=True)
            self._thread.start()
        loop = asyncio.get_running_loop()
        job = _Job(sql, rows, sync, loop, loop.create_future())
        self._queue.put(job)
        # Whoever leaves does not take back what is already on its way to the disk.
        return await asyncio.shield(job.done)

    async def close(self) -> None:
        """After what was submitted is written."""
        thread, self._thread = self._thread, None
        if thread is not None:
            self._queue.put(None)
            await asyncio.to_thread(thread.join)

    def _connect(self) -> sqlite3.Connection:
        if self._file is not None:
            identity(self._path)  # rather than make an empty one in its place
        connection = connect(self._path, BUSY_SECONDS, isolation_level=None)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        self._synced = False
        self._file = identity(self._path)
        return connection

    def _serve(self) -> None:
        connection: sqlite3.Connection | None = None
        while (first := self._queue.get()) is not None:
            jobs = [first]
            going = self._gather(jobs)
            outcomes: list[int | sqlite3.Error]
            try:
                with self._turn():
                    if connection is not None and identity(self._path) != self._file:
                        connection.close()
                        connection = None
                    if connection is None:
                        connection = self._connect()
                    self._sync(connection, any(job.sync for job in jobs))
                    outcomes = _together(connection, jobs)
            except sqlite3.Error as e:
                outcomes = [e] * len(jobs)
                if connection is not None:
                    connection.close()  # whatever is wrong with it, the next try is a new one
                    connection = None
            _deliver(jobs, outcomes)
            if not going:
                break
        if connection is not None:
            connection.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        try:
            self._turns.wait(PATIENCE_S)
        except TimeoutError:
            raise sqlite3.OperationalError(str(NoneFree())) from None
        try:
            yield
        except sqlite3.OperationalError as e:
            if locked(e):
                self._turns.fail(e, BUSY_SECONDS)
            raise
        finally:
            self._turns.release()

    def _sync(self, connection: sqlite3.Connection, wanted: bool) -> None:
        if wanted != self._synced:
            connection.execute(f"PRAGMA synchronous={'FULL' if wanted else 'NORMAL'}")
            self._synced = wanted

    def _gather(self, jobs: list[_Job]) -> bool:
        """Add what else waits; false when the writer is to end."""
        while len(jobs) < GROUP:
            try:
                job = self._queue.get_nowait()
            except Empty:
                return True
            if job is None:
                return False
            jobs.append(job)
        return True


def _together(connection: sqlite3.Connection, jobs: Sequence[_Job]) -> list[int | sqlite3.Error]:
    connection.execute("BEGIN IMMEDIATE")
    outcomes = [_one(connection, job) for job in jobs]
    connection.execute("COMMIT")
    return outcomes


def _one(connection: sqlite3.Connection, job: _Job) -> int | sqlite3.Error:
    """A row that conflicts undoes its own submission and no other."""
    if len(job.rows) == 1:
        try:
            return connection.execute(job.sql, job.rows[0]).rowcount
        except sqlite3.IntegrityError as e:
            return e
    connection.execute("SAVEPOINT submission")
    try:
        changed = connection.executemany(job.sql, job.rows).rowcount
    except sqlite3.IntegrityError as e:
        connection.execute("ROLLBACK TO submission")
        return e
    finally:
        connection.execute("RELEASE submission")
    return changed


def _deliver(jobs: Sequence[_Job], outcomes: Sequence[int | sqlite3.Error]) -> None:
    loops: dict[asyncio.AbstractEventLoop, list[tuple[_Job, int | sqlite3.Error]]] = {}
    for job, outcome in zip(jobs, outcomes, strict=True):
        loops.setdefault(job.loop, []).append((job, outcome))
    for loop, done in loops.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, done)


def _settle(done: Sequence[tuple[_Job, int | sqlite3.Error]]) -> None:
    for job, outcome in done:
        if job.done.done():
            continue
        if isinstance(outcome, sqlite3.Error):
            job.done.set_exception(outcome)
            job.done.exception()  # seen, even where whoever asked has left
        else:
            job.done.set_result(outcome)
