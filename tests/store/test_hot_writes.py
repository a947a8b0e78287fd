"""Writes of the hot path: whole or not at all, in order, durable when answered, on both databases."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, insert, select, update

from bench.postgres import create, driver
from dazi.core.errors import OperatorError
from dazi.router.intents import intents
from dazi.store.database import Conflict, Database, Statement

ROW = {"at": 1.0, "user": "li", "turn": "t", "tool": "x", "arguments": "{}", "state": "begun"}
BEGIN = Statement(insert(intents), "key", *ROW)
SETTLE = Statement(update(intents).where(intents.c.key == bindparam("of")), "state")


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Database]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'd.sqlite'}"
    if request.param == "postgresql":
        server, name = request.getfixturevalue("postgres_url"), f"hot_{uuid4().hex[:8]}"
        create(server, name)
        url = f"{driver(server)}/{name}"
    made = Database(url)
    await made.create()
    yield made
    await made.close()


async def keys(database: Database) -> list[str]:
    async with database.read() as connection:
        return list(await connection.scalars(select(intents.c.key).order_by(intents.c.key)))


async def test_many_at_once_all_arrive(database: Database) -> None:
    done = await asyncio.gather(
        *(database.run(BEGIN, {"key": f"k{i:03}", **ROW}) for i in range(200))
    )
    assert done == [1] * 200
    assert await keys(database) == [f"k{i:03}" for i in range(200)]


async def test_a_conflict_undoes_its_own_rows_and_no_others(database: Database) -> None:
    await database.run(BEGIN, {"key": "taken", **ROW})
    both = [{"key": "new", **ROW}, {"key": "taken", **ROW}]
    found = await asyncio.gather(
        database.run(BEGIN, {"key": "before", **ROW}),
        database.run(BEGIN, *both),
        database.run(BEGIN, {"key": "after", **ROW}),
        return_exceptions=True,
    )
    assert found[0] == found[2] == 1 and isinstance(found[1], Conflict)
    assert await keys(database) == ["after", "before", "taken"]


async def test_it_says_how_many_rows_changed(database: Database) -> None:
    await database.run(BEGIN, {"key": "a", **ROW})
    assert await database.run(SETTLE, {"of": "a", "state": "done"}) == 1
    assert await database.run(SETTLE, {"of": "b", "state": "done"}) == 0


async def test_who_leaves_takes_nothing_back(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    task = asyncio.create_task(database.run(BEGIN, {"key": "a", **ROW}))
    await asyncio.sleep(0)
    task.cancel()
    await database.close()  # waits for what was submitted
    again = Database.at(tmp_path / "d.sqlite")
    assert await keys(again) == ["a"]
    await again.close()


async def test_it_is_durable_when_it_is_answered(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    await database.run(BEGIN, {"key": "a", **ROW})
    beside = sqlite3.connect(tmp_path / "d.sqlite")
    assert beside.execute("SELECT count(*) FROM intents").fetchone() == (1,)
    beside.close()
    await database.close()


async def test_a_disk_that_fails_says_what_to_do_and_is_tried_again(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "d.sqlite")
    with pytest.raises(OperatorError, match="no such table"):
        await database.run(BEGIN, {"key": "a", **ROW})
    await database.create()
    assert await database.run(BEGIN, {"key": "a", **ROW}) == 1
    await database.close()


async def test_a_file_that_was_moved_takes_no_more_writes(tmp_path: Path) -> None:
    """They would be gone with the process; and no empty one takes its place."""
    file, aside = tmp_path / "d.sqlite", tmp_path / "aside"
    database = Database.at(file)
    await database.create()
    await database.run(BEGIN, {"key": "a", **ROW})
    assert await keys(database) == ["a"]
    file.rename(aside)
    for _ in range(2):
        with pytest.raises(OperatorError, match="not there"):
            await database.run(BEGIN, {"key": "b", **ROW})
        with pytest.raises(OperatorError, match="not there"):
            await keys(database)
    assert not file.exists()
    aside.rename(file)
    await database.run(BEGIN, {"key": "c", **ROW})
    assert await keys(database) == ["a", "c"]
    await database.close()


async def test_a_database_that_cannot_be_used_says_so_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.store.database.BUSY_SECONDS", 0.1)
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    other = sqlite3.connect(tmp_path / "d.sqlite", isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(OperatorError, match=r"cannot be used now: .*locked"):
        async with database.write():
            pass
    other.execute("ROLLBACK")
    other.close()
    async with database.write():
        pass
    await database.close()
