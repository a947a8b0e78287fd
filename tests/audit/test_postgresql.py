"""One ledger's life on PostgreSQL: written, held, pruned, erased, verified, exported."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bench.postgres import create, driver
from dazi.audit.export import write_jsonl
from dazi.audit.holds import Scope
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.retention import DAY_S
from dazi.audit.sealing import Sealing
from dazi.audit.search import Query, matching, search
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import Bad, Fault
from dazi.store.database import Database
from tests.audit.conftest import House


@pytest.fixture
async def elsewhere(postgres_url: str, tmp_path: Path) -> AsyncIterator[House]:
    name = f"audit_{abs(hash(str(tmp_path)))}"
    create(postgres_url, name)
    database = Database(driver(f"{postgres_url}/{name}"))
    await database.create()
    sealing = Sealing(tmp_path / "audit")
    ledger = Ledger(SqlSink(database, sync=True), sealing)
    yield House(tmp_path, database, sealing, SigningKeys(tmp_path / "audit"), ledger)
    sealing.close()
    await database.close()


async def test_a_whole_life(elsewhere: House) -> None:
    house = elsewhere
    await house.fill(10, "lin")
    await house.fill(10, "wang")
    await house.checkpoints.make()
    await house.holds.add(Scope(user="lin", turn="turn_1"), "counsel", "a dispute")
    at = (await house.rows())[12].at
    done = await house.retention.prune(365, "root", at + 365 * DAY_S)
    assert (done.removed, done.held, done.anchors) == (8, 4, 2)
    await house.erasure.erase("wang", "root", "asked for")
    await house.checkpoints.make()
    found = await house.verified()
    assert (found.bad, found.removed) == (None, 8)
    states = {f.content.state for f in await search(house.database, house.sealing, Query(), 99)}
    assert states == {"open", "erased", "plain"}  # the pruning names nobody
    out = io.BytesIO()
    rows = matching(house.database, house.sealing, Query())
    assert await write_jsonl(rows, out, house.keys, whole=True, sealed=False) == found.records

    async with house.database.write() as connection:
        await connection.execute(text("DELETE FROM audit_records WHERE seq = 6"))
    assert (await house.verified()).bad == Bad(6, Fault.MISSING)


async def test_two_ledgers_take_turns(elsewhere: House) -> None:
    other = Ledger(elsewhere.sink, elsewhere.sealing)
    for n in range(5):
        await elsewhere.ledger.append("call", "a", "t", {"n": n})
        await other.append("call", "b", "t", {"n": n})
    assert [r.user for r in await elsewhere.rows()] == ["a", "b"] * 5
    assert (await elsewhere.verified()).bad is None


async def test_a_database_that_fails_is_not_taken_for_a_forged_one(elsewhere: House) -> None:
    await elsewhere.fill(1)
    async with elsewhere.database.write() as connection:
        await connection.execute(text("DROP TABLE audit_records"))
    with pytest.raises(SQLAlchemyError):
        await elsewhere.verified()
