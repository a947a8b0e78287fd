"""Who writes to SQLite: in turn within a process, and nobody is passed by until it fails."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from dazi.core.errors import OperatorError
from dazi.router.intents import intents
from dazi.store.database import PLACES, Database, Statement
from dazi.store.fair_lock import FairLock

ROW = {"at": 1.0, "user": "li", "turn": "t", "tool": "x", "arguments": "{}", "state": "begun"}
BEGIN = Statement(insert(intents), "key", *ROW)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database.at(tmp_path / "d.sqlite")
    await made.create()
    yield made
    await made.close()


async def write(database: Database, key: str, hold_s: float = 0.0) -> None:
    async with database.write() as connection:
        await connection.execute(insert(intents).values(key=key, **ROW))
        await asyncio.sleep(hold_s)


async def order(database: Database) -> list[str]:
    async with database.read() as connection:
        rowid = select(intents.c.key).order_by(intents.c.at, intents.c.key)
        return list(await connection.scalars(rowid))


async def test_writers_of_one_process_do_not_run_into_sqlite_s_patience(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Together they hold the lock for far longer than SQLite would let one of them wait."""
    async with database.read() as connection:  # a new one takes what is set now
        await connection.invalidate()
    monkeypatch.setattr("dazi.store.database.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("dazi.store.writer.BUSY_SECONDS", 0.05)
    ended: list[str] = []

    async def one(i: int) -> None:
        key = f"k{i:02}"
        if i % 5 == 4:
            await database.run(BEGIN, {"key": key, **ROW})
        else:
            await write(database, key, 0.04)
        ended.append(key)

    await asyncio.gather(*(one(i) for i in range(2 * PLACES)))
    assert await order(database) == sorted(ended)
    served = [key for key in ended if int(key[1:]) % 5 != 4]  # a thread writes the others together
    assert served == sorted(served)  # first come, first served


async def test_who_waits_to_write_keeps_nobody_from_reading(database: Database) -> None:
    async with database.write() as connection:
        await connection.execute(insert(intents).values(key="first", **ROW))
        waiting = [asyncio.create_task(write(database, f"w{i}")) for i in range(2 * PLACES)]
        await asyncio.sleep(0.1)
        assert await order(database) == []
    await asyncio.gather(*waiting)
    assert len(await order(database)) == 2 * PLACES + 1


async def test_another_process_that_writes_for_long_is_told_of_soon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those behind do not wait for as long again, one after the other."""
    monkeypatch.setattr("dazi.store.database.BUSY_SECONDS", 0.5)
    monkeypatch.setattr("dazi.store.writer.BUSY_SECONDS", 0.5)
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    other = sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked_sqlite: list[float] = []
    fail = FairLock.fail

    def counted(lock: FairLock, why: Exception, patience: float) -> None:
        asked_sqlite.append(patience)
        fail(lock, why, patience)

    monkeypatch.setattr(FairLock, "fail", counted)
    asked = [
        database.run(BEGIN, {"key": f"r{i}", **ROW}) if i % 2 else write(database, f"w{i}")
        for i in range(40)
    ]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert {type(f) for f in found} == {OperatorError}
    assert {"is locked" in str(f) for f in found} == {True}
    assert len(asked_sqlite) <= 4  # 21 turns were asked for
    other.execute("ROLLBACK")
    other.close()
    await write(database, "after")
    await database.run(BEGIN, {"key": "and", **ROW})
    assert await order(database) == ["after", "and"]
    await database.close()


async def test_who_waits_too_long_for_a_turn_is_told_of_the_crowd(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.store.database.PATIENCE_S", 0.05)
    monkeypatch.setattr("dazi.store.writer.PATIENCE_S", 0.05)
    holding = asyncio.create_task(write(database, "first", 60))
    await asyncio.sleep(0.2)
    for asked in (write(database, "second"), database.run(BEGIN, {"key": "third", **ROW})):
        with pytest.raises(OperatorError, match="too much is wanted of it at once"):
            await asked
    holding.cancel()
    await asyncio.gather(holding, return_exceptions=True)
    await write(database, "fourth")
    assert await order(database) == ["fourth"]


async def test_who_leaves_hands_the_turn_on() -> None:
    """Also where it was given at the moment of leaving."""
    lock = FairLock()
    await lock.acquire(1)
    tasks = [asyncio.create_task(lock.acquire(5)) for _ in range(3)]
    await asyncio.sleep(0)
    lock.release()  # given to the first, which has not run since
    tasks[0].cancel()
    tasks[1].cancel()
    await tasks[2]
    assert [task.cancelled() for task in tasks] == [True, True, False]
    lock.release()
    await lock.acquire(0.1)


def waiting(lock: FairLock, number: int) -> None:
    while len(lock._waiting) < number:
        threading.Event().wait(0.001)


async def test_threads_and_coroutines_stand_in_one_queue() -> None:
    lock, came = FairLock(), []

    def waits(name: str) -> None:
        lock.wait(20)
        came.append(name)
        lock.release()

    async def asks(name: str) -> None:
        await lock.acquire(20)
        came.append(name)
        lock.release()

    await lock.acquire(1)
    threads, tasks = [], []
    for i in range(3):
        tasks.append(asyncio.create_task(asks(f"task {i}")))
        await asyncio.sleep(0)
        threads.append(threading.Thread(target=waits, args=(f"thread {i}",)))
        threads[-1].start()
        await asyncio.to_thread(waiting, lock, 2 * i + 2)
    lock.release()
    await asyncio.gather(*tasks)
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert came == [f"{kind} {i}" for i in range(3) for kind in ("task", "thread")]
