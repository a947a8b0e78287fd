"""More wait for the database than it has places: they are served in turn, and nobody calls it dead."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, text

from dazi.core.errors import OperatorError
from dazi.store import database as module
from dazi.store.database import PLACES, Database


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database.at(tmp_path / "d.sqlite")
    yield made
    await made.close()


async def read(database: Database, hold_s: float = 0.0) -> int:
    async with database.read() as connection:
        found = (await connection.execute(text("SELECT 1"))).scalar_one()
        await asyncio.sleep(hold_s)
        return int(found)


async def test_a_long_queue_is_no_database_that_is_gone(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*(read(database) for _ in range(PLACES)))  # all connections are there
    monkeypatch.setattr(module, "ANSWER_S", 0.3)
    found = await asyncio.gather(*(read(database, 0.1) for _ in range(6 * PLACES)))
    assert sum(found) == 6 * PLACES


async def test_connections_to_a_file_are_made_once(database: Database) -> None:
    made: list[object] = []
    event.listen(database._engine.sync_engine, "connect", lambda c, _: made.append(c))
    for _ in range(3):
        await asyncio.gather(*(read(database, 0.01) for _ in range(3 * PLACES)))
    assert len(made) <= PLACES


async def test_who_waits_too_long_is_told_of_the_crowd(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    holding = [asyncio.create_task(read(database, 60)) for _ in range(PLACES)]
    await asyncio.sleep(0.3)
    with pytest.raises(OperatorError, match="too much is wanted of it at once"):
        await read(database)
    await database.ping()  # it is there all the same
    for task in holding:
        task.cancel()
    await asyncio.gather(*holding, return_exceptions=True)
    assert await read(database) == 1


async def test_who_leaves_the_queue_takes_no_place_along(database: Database) -> None:
    holding = [asyncio.create_task(read(database, 0.2)) for _ in range(PLACES)]
    waiting = [asyncio.create_task(read(database)) for _ in range(PLACES)]
    await asyncio.sleep(0.1)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await asyncio.gather(*holding)
    async with asyncio.timeout(20):
        assert sum(await asyncio.gather(*(read(database, 0.05) for _ in range(PLACES)))) == PLACES


async def test_whoever_starts_waits_for_who_brings_the_tables_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However long that takes: longer than a statement waits for a lock."""
    monkeypatch.setattr("dazi.store.database.BUSY_SECONDS", 0.1)
    path = tmp_path / "d.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    database = Database.at(path)
    starting = asyncio.create_task(database.create())
    await asyncio.sleep(0.5)
    assert not starting.done()
    other.execute("COMMIT")
    other.close()
    await starting
    await database.close()


async def test_whoever_starts_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.store.database.BUSY_SECONDS", 0.05)
    monkeypatch.setattr("dazi.store.database.OTHERS_S", 0.2)
    path = tmp_path / "d.sqlite"
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("PRAGMA journal_mode=WAL")
    other.execute("BEGIN IMMEDIATE")
    database = Database.at(path)
    with pytest.raises(OperatorError, match="is locked"):
        await database.create()
    other.close()
    await database.close()
