"""What is personal is sealed, and gone with its key; what is not stays readable."""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from dazi.audit import keys as subject_keys
from dazi.audit.files import read_or_make, sync_folder
from dazi.audit.ledger import Ledger, MemorySink, SqlSink, first_broken
from dazi.audit.sealing import Sealing, committed, fields_of
from dazi.audit.search import Opened
from dazi.core.errors import OperatorError
from dazi.store.database import Database
from tests.audit.conftest import House

SECRET = "身份证 11010519491231002X"
BODY = {"said": SECRET, "roles": ["customer"], "model": "qwen3"}


async def test_what_was_said_is_nowhere_in_the_database(house: House) -> None:
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    (record,) = await house.rows()
    stored = fields_of(record.body)
    assert stored["roles"] == ["customer"] and stored["model"] == "qwen3"
    assert "said" not in stored
    await house.database.close()
    for path in house.folder.glob("dazi.sqlite*"):
        assert SECRET.encode() not in path.read_bytes()
    content = house.sealing.opened(record)
    assert (content.state, content.fields) == ("open", BODY)


async def test_a_ledger_without_keys_stores_plain_rows_and_they_stay_readable(
    house: House,
) -> None:
    plain = Ledger(house.sink)
    await plain.append("turn", "lin", "turn_1", BODY)
    await house.ledger.open()
    await house.ledger.append("turn", "lin", "turn_2", BODY)
    old, new = await house.rows()
    assert json.loads(old.body) == BODY
    assert house.sealing.opened(old).state == "plain"
    assert house.sealing.opened(new).fields == house.sealing.opened(old).fields == BODY
    assert first_broken([old, new]) is None


async def test_a_reader_in_the_same_program_sees_what_was_put(house: House) -> None:
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    (row,) = await Opened(house.sink, house.sealing).rows("turn_1")
    assert json.loads(row.body) == BODY


async def test_nothing_personal_needs_no_key(house: House) -> None:
    """Somebody who tries many names at the sign-in page does not fill the file of keys."""
    await house.ledger.append("sign_in", "whoever", "", {"channel": "web", "ok": False})
    assert not (house.folder / "audit").exists()


@pytest.mark.parametrize("field", ["at", "kind", "user", "turn"])
async def test_a_sealed_body_opens_in_its_own_record_only(house: House, field: str) -> None:
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    (record,) = await house.rows()
    other = 1.0 if field == "at" else "elsewhere"
    assert house.sealing.opened(replace(record, seq=99)).state == "open"
    assert house.sealing.opened(replace(record, **{field: other})).state == "damaged"  # type: ignore[arg-type]


async def test_commitments_are_salted_and_hold(house: House) -> None:
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    one, two = await house.rows()
    assert fields_of(one.body)["commitment"] != fields_of(two.body)["commitment"]
    content = house.sealing.opened(one)
    assert committed(one.body, content.fields, content.salt)
    assert not committed(one.body, {**content.fields, "said": "else"}, content.salt)
    assert not committed(one.body, {**content.fields, "model": "else"}, content.salt)
    assert not committed(one.body, content.fields, bytes(16))


async def test_a_key_that_another_process_destroyed_is_not_used_again(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject_keys, "FRESH_S", 0.0)
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    elsewhere = Sealing(house.folder / "audit")
    assert elsewhere.keys.destroy("lin") == 1
    await house.ledger.append("turn", "lin", "turn_2", BODY)
    gone, new = await house.rows()
    assert house.sealing.opened(gone).state == "erased"
    assert house.sealing.opened(new).fields == BODY
    assert elsewhere.opened(new).fields == BODY
    elsewhere.close()


async def test_two_processes_agree_on_one_key(tmp_path: Path) -> None:
    one, two = Sealing(tmp_path), Sealing(tmp_path)
    assert one.keys.of("lin").id == two.keys.of("lin").id
    one.close()
    two.close()


def test_keys_are_for_their_owner_alone_and_wrapped(tmp_path: Path) -> None:
    sealing = Sealing(tmp_path / "audit")
    sealing.seal(1.0, "turn", "lin", "t", BODY)
    sealing.close()
    files = {p.name for p in (tmp_path / "audit").iterdir()}
    assert files == {"master.key", "subjects.sqlite"}
    if os.name == "posix":
        for path in (tmp_path / "audit").iterdir():
            assert path.stat().st_mode & 0o077 == 0
    with closing(sqlite3.connect(tmp_path / "audit" / "subjects.sqlite")) as connection:
        (wrapped,) = connection.execute("SELECT wrapped FROM data_keys").fetchone()
    assert len(wrapped) == 12 + 32 + 16


def test_a_destroyed_key_is_overwritten_in_its_file(tmp_path: Path) -> None:
    sealing = Sealing(tmp_path)
    sealing.keys.of("lin")
    path = tmp_path / "subjects.sqlite"
    with closing(sqlite3.connect(path)) as connection:
        (wrapped,) = connection.execute("SELECT wrapped FROM data_keys").fetchone()
    assert wrapped in path.read_bytes()
    sealing.keys.destroy("lin")
    sealing.close()
    assert not any(wrapped in p.read_bytes() for p in tmp_path.iterdir())


def test_another_master_key_is_an_error_that_says_so(tmp_path: Path) -> None:
    one = Sealing(tmp_path)
    one.keys.of("lin")
    one.close()
    (tmp_path / "master.key").write_bytes(bytes(32))
    two = Sealing(tmp_path)
    with pytest.raises(OperatorError, match=r"master\.key"):
        two.keys.of("lin")
    two.close()


async def test_lost_keys_are_not_taken_for_erased_ones(house: House, tmp_path: Path) -> None:
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    (record,) = await house.rows()
    assert Sealing(tmp_path / "empty").opened(record).state == "missing"
    assert not (tmp_path / "empty").exists()


async def test_without_keys_nothing_is_recorded_and_the_ledger_says_so(tmp_path: Path) -> None:
    (tmp_path / "audit").write_text("a file where the folder should be", "utf-8")
    sink = MemorySink()
    ledger = Ledger(sink, Sealing(tmp_path / "audit"))
    with pytest.raises(OperatorError) as refused:
        await ledger.append("call", "lin", "turn_1", {"arguments": {}})
    assert refused.value.code == "audit"
    assert not ledger.healthy and sink.records == []


async def test_a_backup_of_the_database_is_erased_with_it(house: House) -> None:
    await house.ledger.append("turn", "lin", "turn_1", BODY)
    backup = house.folder / "backup.sqlite"
    with closing(sqlite3.connect(house.folder / "dazi.sqlite")) as source:
        source.execute("VACUUM INTO ?", (str(backup),))
    await house.erasure.erase("lin", "root", "asked for")
    restored = Database.at(backup)
    (record,) = await SqlSink(restored).rows()
    assert house.sealing.opened(record).state == "erased"
    await restored.close()


async def test_many_subjects_are_cached_within_a_bound(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subject_keys, "CACHED", 5)
    monkeypatch.setattr(subject_keys, "FRESH_S", 0.0)
    sealing = Sealing(tmp_path)
    first = sealing.keys.of("user0").id
    for n in range(20):
        sealing.seal(time.time(), "turn", f"user{n}", "t", BODY)
    assert len(sealing.keys._live) <= 7
    assert sealing.keys.of("user0").id == first
    sealing.close()


def test_what_cannot_be_read_is_an_error_that_says_where(tmp_path: Path) -> None:
    (tmp_path / "subjects.sqlite").write_bytes(b"not a database, not at all" * 50)
    sealing = Sealing(tmp_path)
    with pytest.raises(OperatorError, match=r"subjects\.sqlite"):
        sealing.keys.of("lin")
    sealing.close()


def test_a_key_that_was_never_there(tmp_path: Path) -> None:
    sealing = Sealing(tmp_path)
    assert sealing.keys.destroy("lin") == 0
    assert not list(tmp_path.iterdir())
    sealing.keys.of("lin")
    assert sealing.keys.by_id("0123456789abcdef") == "missing"
    assert sealing.keys.destroy("wang") == 0
    sealing.close()


def test_whoever_makes_a_key_second_takes_the_first_one_s(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "x.key"

    def slow() -> bytes:
        path.write_bytes(b"first")
        return b"second"

    path.parent.mkdir()
    assert read_or_make(path, slow) == b"first" == path.read_bytes()
    assert [p.name for p in path.parent.iterdir()] == ["x.key"]


def test_a_folder_is_synced_where_the_system_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[object] = []
    with monkeypatch.context() as m:
        m.setattr(os, "open", lambda *a: opened.append(a))
        m.setattr(os, "name", "nt")
        sync_folder(tmp_path)
    assert opened == []
    sync_folder(tmp_path)


def test_whether_somebody_has_a_key(tmp_path: Path) -> None:
    keys = subject_keys.SubjectKeys(tmp_path)
    assert not keys.has("ann") and not [*tmp_path.iterdir()]
    keys.of("ann")
    assert keys.has("ann") and not keys.has("bob")
    keys.destroy("ann")
    assert not keys.has("ann")
    keys.close()
