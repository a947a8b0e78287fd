"""The ledger: an unbroken chain, and what breaks it."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from dazi.audit.ledger import Ledger, MemorySink, Record, SqlSink, first_broken
from dazi.core.errors import OperatorError
from dazi.store.database import Database


async def _filled(count: int = 20) -> MemorySink:
    sink = MemorySink()
    ledger = Ledger(sink)
    await ledger.open()
    for i in range(count):
        await ledger.append("call", "lin", "t1", {"n": i, "said": "订单"})
    return sink


async def test_a_chain_holds_and_any_change_is_found() -> None:
    records = (await _filled()).records
    assert first_broken(records) is None
    edited = [*records]
    edited[7] = replace(edited[7], body=edited[7].body.replace("7", "8"))
    assert first_broken(edited) == 8
    assert first_broken(records[:5] + records[6:]) == 7
    assert first_broken([*records[:3], records[4], records[3], *records[5:]]) == 5
    assert first_broken(records[1:]) == 2


async def test_many_at_once_are_written_in_groups_and_in_order() -> None:
    sink = MemorySink()
    ledger = Ledger(sink)
    await asyncio.gather(*(ledger.append("call", "u", "t", {"n": i}) for i in range(200)))
    assert len(sink.records) == 200
    assert first_broken(sink.records) is None


async def test_two_processes_share_one_ledger(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "audit.sqlite")
    await database.create()
    one, two = Ledger(SqlSink(database)), Ledger(SqlSink(database))
    await one.open()
    await two.open()
    for i in range(10):
        await asyncio.gather(
            one.append("call", "a", "t", {"n": i}), two.append("call", "b", "t", {"n": i})
        )
    rows = await SqlSink(database).rows()
    assert len(rows) == 20
    assert first_broken(rows) is None
    await database.close()


class SlowSink(MemorySink):
    """One that has to be waited for."""

    def keep(self, record: Record) -> bool:
        return False


async def test_a_sink_that_fails_refuses_and_leaves_no_gap() -> None:
    sink = SlowSink()
    ledger = Ledger(sink)
    await ledger.append("call", "u", "t", {"n": 0})
    whole = sink.append

    async def broken(batch: object) -> None:
        raise OSError("disk full")

    sink.append = broken  # type: ignore[method-assign,assignment]
    with pytest.raises(OperatorError):
        await ledger.append("call", "u", "t", {"n": 1})
    assert not ledger.healthy
    sink.append = whole  # type: ignore[method-assign]
    await ledger.append("call", "u", "t", {"n": 2})
    assert ledger.healthy
    assert len(sink.records) == 2 and first_broken(sink.records) is None


async def test_a_writer_that_lost_a_race_takes_along_what_has_come_since(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "audit.sqlite")
    await database.create()
    for sync in (False, True):
        one = Ledger(SqlSink(database, sync=sync))
        two = Ledger(SqlSink(database, sync=sync))
        await asyncio.gather(one.open(), two.open())
        await asyncio.gather(*(one.append("call", "a", "t", {"n": n}) for n in range(20)))
        waiting = []
        for n in range(20):
            waiting.append(two.put("call", "b", "t", {"n": n}))
            await asyncio.sleep(0)
        await asyncio.gather(*waiting)
    rows = await SqlSink(database).rows()
    assert [r.user for r in rows] == (["a"] * 20 + ["b"] * 20) * 2
    assert first_broken(rows) is None
    await database.close()


async def test_a_write_whose_answer_was_lost_is_there_once(tmp_path: Path) -> None:
    database = Database.at(tmp_path / "audit.sqlite")
    await database.create()
    sink = SqlSink(database)
    ledger = Ledger(sink)
    whole = sink.append

    async def written_and_silent(batch: list[Record]) -> None:
        await whole(batch)
        raise OSError("the connection is gone")

    sink.append = written_and_silent  # type: ignore[method-assign]
    await ledger.append("call", "u", "t", {"n": 0})
    sink.append = whole  # type: ignore[method-assign]
    await ledger.append("call", "u", "t", {"n": 1})
    rows = await sink.rows()
    assert len(rows) == 2 and first_broken(rows) is None
    await database.close()


async def test_in_memory_too_two_ledgers_make_one_chain() -> None:
    sink = SlowSink()
    one, two = Ledger(sink), Ledger(sink)
    for n in range(3):
        await one.append("call", "a", "t", {"n": n})
        await two.append("call", "b", "t", {"n": n})
    assert len(sink.records) == 6 and first_broken(sink.records) is None
    assert await sink.holds(sink.records[0])
    assert await sink.rows("t", 2) == sink.records[:2] and await sink.rows("else") == []


async def test_who_no_longer_waits_for_a_record_stops_nobody_else() -> None:
    sink = SlowSink()
    ledger = Ledger(sink)
    gone, waits = (ledger.put("call", "u", "t", {"n": n}) for n in range(2))
    gone.cancel()
    await waits
    assert len(sink.records) == 2 and first_broken(sink.records) is None

    async def broken(batch: object) -> None:
        raise OSError("disk full")

    sink.append = broken  # type: ignore[method-assign,assignment]
    gone, waits = (ledger.put("call", "u", "t", {"n": n}) for n in range(2))
    gone.cancel()
    with pytest.raises(OperatorError):
        await waits
