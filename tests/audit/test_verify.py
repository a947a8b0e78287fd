"""Whatever somebody does to the database, verification finds it; and the harness would notice."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import OperationalError

from bench.security import ledger as attack
from dazi.audit import verify as verifying
from dazi.audit.anchors import Checkpoint, Gap
from dazi.audit.checkpoints import head_of
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.records import Record, chain, records
from dazi.audit.retention import DAY_S
from dazi.audit.signing import Trust
from dazi.audit.sinks import columns
from dazi.audit.verify import Bad, Fault, _batches, verify
from dazi.store.database import Database
from tests.audit.conftest import House


async def test_every_change_is_found_and_named() -> None:
    report = await attack.run(200, 2 * len(attack.CHANGES), seed=3)
    assert report.violations == {}
    assert set(report.tried.values()) == {2} and len(report.tried) == len(attack.CHANGES)


async def test_a_hash_that_is_not_checked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The guard broken on purpose: contents are believed."""
    monkeypatch.setattr(verifying, "fits", lambda r: True)
    report = await attack.run(120, len(attack.CHANGES))
    assert any(v.startswith("foreign value") for v in report.violations)


async def test_a_place_that_is_not_checked_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def crossed(self: verifying.Walk, anchors: object, to: int) -> None:
        self.seq = max(self.seq, to - 1)

    monkeypatch.setattr(verifying.Walk, "cross", crossed)
    report = await attack.run(120, len(attack.CHANGES))
    assert any(v.startswith("delete") for v in report.violations)


async def test_a_signature_that_is_not_checked_is_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Trust, "valid", lambda *_: True)
    report = await attack.run(120, len(attack.CHANGES))
    assert report.violations["gap forged: not found"]


async def test_checkpoints_that_are_not_compared_are_noticed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(verifying.Walk, "compare", lambda *_: None)
    report = await attack.run(120, len(attack.CHANGES))
    assert report.violations["fork: not found"]


async def test_a_cut_needs_the_head_outside_the_database(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(attack, "head_of", lambda keys: [])
    report = await attack.run(120, len(attack.CHANGES))
    assert report.violations["truncate and unsign: not found"]


OLD = [
    (
        1,
        1743638400.25,
        "turn",
        "lin",
        "t1",
        '{"said":"订单"}',
        "0" * 64,
        "e1d236d36ed0f0782009a523196c7deb012871a641c08c568ada565f5d64b048",
    ),
    (
        2,
        1743638401.1,
        "answer",
        "lin",
        "t1",
        '{"answer":"ok"}',
        "e1d236d36ed0f0782009a523196c7deb012871a641c08c568ada565f5d64b048",
        "0366a0cc006f7296f17d9d04847d8c92663ef62ca9cb4a738a3629520672517a",
    ),
]


async def test_a_chain_from_before_the_upgrade_verifies_and_goes_on(tmp_path: Path) -> None:
    """Rows as they were written before there were keys, checkpoints and gaps."""
    database = Database.at(tmp_path / "dazi.sqlite")
    await database.create()
    async with database.write() as connection:
        for row in OLD:
            await connection.execute(
                text("INSERT INTO audit_records VALUES (:a, :b, :c, :d, :e, :f, :g, :h)"),
                dict(zip("abcdefgh", row, strict=True)),
            )
    ledger = Ledger(SqlSink(database))
    await ledger.open()
    await ledger.append("turn", "lin", "t2", {"n": 3})
    found = await verify(database, Trust([]))
    assert (found.bad, found.records) == (None, 3)
    await database.close()


async def test_verification_reads_in_batches(house: House) -> None:
    await house.fill(25)
    await house.checkpoints.make()
    for batch in (1, 4, 25, 1000):
        found = await verify(house.database, house.keys.trust(), batch=batch)
        assert (found.bad, found.records, found.end) == (None, 25, 25)
        assert (found.checkpoints, found.through) == (1, 25)


async def test_a_value_that_is_no_text_is_named_among_many(house: House) -> None:
    await house.fill(12)
    async with house.database.write() as connection:
        await connection.execute(
            text("UPDATE audit_records SET body = CAST(X'ff' AS TEXT) WHERE seq = 7")
        )
    found = await house.verified()
    assert found.bad == Bad(7, Fault.CHANGED)
    async with house.database.read() as connection:
        *whole, bad = [rows async for rows in _batches(connection, None, 5)]
    assert bad == Bad(7, Fault.CHANGED) and sum(map(len, whole)) == 6  # type: ignore[arg-type]


async def test_an_empty_ledger_verifies_unless_it_was_not_empty(house: House) -> None:
    assert (await house.verified()).bad is None
    await house.fill(3)
    await house.checkpoints.make()
    async with house.database.write() as connection:
        await connection.execute(text("DELETE FROM audit_records"))
        await connection.execute(text("DELETE FROM audit_checkpoints"))
    assert (await house.verified()).bad is None
    found = await verify(house.database, house.keys.trust(), head_of(house.keys))
    assert found.bad == Bad(1, Fault.CUT)


def made(seq: int, previous: str) -> Record:
    rest = (seq, 1.5, "call", "u", "t", "{}")
    return Record(*rest, previous, chain(previous, *rest))


def test_the_first_record_begins_the_chain() -> None:
    assert verifying.Walk(Trust([])).step(made(1, "1" * 64)) == Bad(1, Fault.MISPLACED)
    assert verifying.Walk(Trust([])).step(made(1, "0" * 64)) is None


def test_an_anchor_that_reaches_over_a_record_stands_for_nothing() -> None:
    walk = verifying.Walk(Trust([]))
    gap = Gap(1, 9, "0" * 64, "1" * 64, 1.0)
    assert walk.cross([gap], 5) == Bad(1, Fault.MISSING)
    assert walk.cross([gap], 10) == Bad(1, Fault.SIGNATURE)


def test_a_checkpoint_by_a_stranger_counts_for_nothing() -> None:
    stranger = Checkpoint(1, "0" * 64, 1.0, "ab", "not even base64")
    assert verifying.Walk(Trust([])).compare(stranger, "0" * 64) == Bad(1, Fault.SIGNATURE)


async def pruned(house: House) -> None:
    await house.fill(4)
    await house.checkpoints.make()
    await house.fill(6)
    now = (await house.rows())[6].at + 365 * DAY_S
    await house.retention.prune(365, "root", now)


async def change(house: House, *statements: str) -> None:
    async with house.database.write() as connection:
        for statement in statements:
            await connection.execute(text(statement))


async def test_a_gap_with_nothing_behind_it_was_cut(house: House) -> None:
    await pruned(house)
    last = await house.checkpoints.make()
    assert last is not None and last.seq == 11
    await change(house, "DELETE FROM audit_records")
    assert (await house.verified()).bad == Bad(7, Fault.CUT)
    await change(house, "UPDATE audit_gaps SET signature = 'AAAA'")
    assert (await house.verified()).bad == Bad(1, Fault.SIGNATURE)
    await change(house, "UPDATE audit_gaps SET first = 3")
    assert (await house.verified()).bad == Bad(1, Fault.CUT)


async def test_a_forged_checkpoint_of_a_removed_record_is_found(house: House) -> None:
    await pruned(house)
    assert (await house.verified()).bad is None
    await change(house, "INSERT INTO audit_checkpoints VALUES (4, 'x', 1.0, 'key', 'AAAA')")
    assert (await house.verified()).bad == Bad(4, Fault.SIGNATURE)


async def test_the_middle_of_a_gap_put_back_is_found(house: House) -> None:
    await house.fill(8)
    kept = (await house.rows())[2]
    now = (await house.rows())[6].at + 365 * DAY_S
    await house.retention.prune(365, "root", now)
    async with house.database.write() as connection:
        await connection.execute(insert(records), [columns(kept)])
    assert (await house.verified()).bad == Bad(1, Fault.MISSING)


async def test_a_server_that_fails_is_no_forgery() -> None:
    """Only SQLite keeps values of any kind in any column; elsewhere a failure is one."""

    class Away:
        dialect = SimpleNamespace(name="postgresql")

        async def execute(self, *_: object) -> object:
            raise OperationalError("SELECT", {}, Exception("gone"))

    with pytest.raises(OperationalError):
        await anext(_batches(Away(), None, 10))  # type: ignore[arg-type]
