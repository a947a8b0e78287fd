"""What is restored is what was backed up; what cannot be restored whole changes nothing."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import sys
import threading
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import NullPool, create_engine, text

from bench.postgres import create, driver
from dazi.audit.copies import copied
from dazi.audit.ledger import SqlSink
from dazi.audit.sealing import Sealing
from dazi.core.errors import AccessError, CallerError, OperatorError
from dazi.main import auditing, backing, erasing
from dazi.main.database import FILE, database_of, database_url, declare_tables
from dazi.main.runtime import Runtime
from dazi.main.settings import Settings
from dazi.ops.backup import backup, keyfile, restore, switch
from dazi.ops.backup.entries import File, Packer, Piece, entries
from dazi.ops.backup.files import data_files
from dazi.ops.backup.sealed import CHUNK, Header, SealedReader, SealedWriter
from dazi.store.database import APPLICATION, Database
from dazi.store.presence import Presence
from tests.audit import writers
from tests.main.test_commands import dazi
from tests.ops.conftest import Make
from tests.ops.installed import (
    ORDER,
    PASSPHRASE,
    ask,
    back_up,
    bring_back,
    fill,
    look,
    running,
    settings,
    sign_in,
    sound,
    with_installation,
)
from tests.store.test_migrations import next_revision

KINDS = ("sqlite", "postgresql")


def without_admin(found: dict[str, Any]) -> dict[str, Any]:
    """Backups and restores go on record themselves."""
    content = [r for r in found["content"] if r[0] != "admin"]
    return {**found, "content": content}


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*"))


@pytest.mark.parametrize("there", KINDS)
@pytest.mark.parametrize("here", KINDS)
def test_everything_comes_back_on_either_database(
    here: str, there: str, place: Make, shelf: Path
) -> None:
    one, other = place("one", here), place("other", there)
    ticket = with_installation(one, fill)
    (one.data / "models.json").write_text('{"active": ""}', "utf-8")
    (one.data / "models").mkdir()
    (one.data / "models" / "compiled.blob").write_bytes(b"a cache")
    with closing(sqlite3.connect(one.data / "company.sqlite")) as company, company:
        company.execute("CREATE TABLE stock (item TEXT)")
        company.execute("INSERT INTO stock VALUES ('tea')")
    before = look(one, ticket)
    assert any(ORDER in body for _, body in before["content"])
    made = back_up(one, shelf / "b.dazi")
    done = bring_back(other, shelf / "b.dazi")

    assert (done.rows, done.files) == (made.rows, made.files) and done.aside is None
    assert (done.tickets.undecided, done.tickets.stopped, done.erased) == (1, 0, 0)
    assert without_admin(look(other, ticket)) == without_admin(before)
    ok, told = sound(other)
    assert ok, told
    assert (other.data / "models.json").read_bytes() == (one.data / "models.json").read_bytes()
    assert not (other.data / "models").exists()
    assert (other.data / FILE).exists() == (there == "sqlite")
    with closing(sqlite3.connect(other.data / "company.sqlite")) as company:
        assert company.execute("SELECT item FROM stock").fetchall() == [("tea",)]
    for private in ("access.key", "audit/master.key", "audit/subjects.sqlite"):
        assert (other.data / private).stat().st_mode & 0o077 == 0, private

    async def sign(runtime: Runtime) -> None:
        assert await sign_in(runtime) == "lihua"
        with pytest.raises(AccessError):
            await sign_in(runtime, "Not-the-one-2")

    with_installation(other, sign)


def test_the_commands(tmp_path: Path, shelf: Path) -> None:
    (tmp_path / "word").write_text(f"{PASSPHRASE}\n", "utf-8")
    word = ("--passphrase-file", str(tmp_path / "word"))
    one = {"DAZI_DATA": str(tmp_path / "one"), "DAZI_LANG": "en"}
    other = {**one, "DAZI_DATA": str(tmp_path / "other")}
    file = str(shelf / "b.dazi")
    assert dazi("user", "add", "wang", "--role", "sysadmin", **one).returncode == 0
    made = dazi("backup", file, *word, **one)
    assert made.returncode == 0, made.stderr
    assert "rows" in made.stdout and "dazi.keys" in made.stdout and "accounts: 1" in made.stderr
    done = dazi("restore", file, **{**other, "DAZI_BACKUP_PASSPHRASE": PASSPHRASE})
    assert done.returncode == 0, done.stderr
    assert "restored the backup of" in done.stdout and "the chain holds" in done.stdout
    assert "wang" in dazi("user", "list", "--as", "wang", **other).stdout
    again = dazi("restore", file, *word, **other)
    assert again.returncode == 2 and "--replace" in again.stderr
    assert dazi("restore", file, *word, "--replace", **other).returncode == 0
    for said in (made, done, again):
        assert PASSPHRASE not in said.stdout + said.stderr
    shown = dazi("audit", "show", **other).stdout
    assert '"act":"backup"' in shown and '"act":"restore"' in shown


def test_wrong_words(place: Make, shelf: Path) -> None:
    one = place("one", "sqlite")
    with_installation(one, fill)
    with pytest.raises(CallerError, match="12 characters"):
        back_up(one.model_copy(update={"backup_passphrase": "short"}), shelf / "b.dazi")
    with pytest.raises(CallerError, match="inside the data folder"):
        back_up(one, one.data / "b.dazi")
    with pytest.raises(CallerError, match="no folder"):
        back_up(one, shelf / "nowhere" / "b.dazi")
    assert names(shelf) == []
    back_up(one, shelf / "b.dazi")
    other = place("other", "sqlite").model_copy(update={"backup_passphrase": "not the passphrase"})
    with pytest.raises(CallerError, match="passphrase is wrong"):
        bring_back(other, shelf / "b.dazi")
    assert names(other.data) == ["dazi.lock"]


@pytest.mark.parametrize("there", KINDS)
def test_a_file_that_was_changed_or_cut_off_changes_nothing(
    there: str, place: Make, shelf: Path
) -> None:
    one, other = place("one", "sqlite"), place("other", there)
    ticket = with_installation(one, fill)
    (one.data / "much.bin").write_bytes(random.Random(3).randbytes(4 * CHUNK))
    back_up(one, shelf / "b.dazi")
    with_installation(other, fill)
    before, tables_before = names(other.data), rows_of(other)
    whole, keys = (shelf / "b.dazi").read_bytes(), (shelf / "dazi.keys").read_bytes()
    rng = random.Random(there)  # other places on either
    places = [3, 20, 200, *(rng.randrange(len(whole)) for _ in range(10)), len(whole) - 1]
    bent = [whole[:at] + bytes([whole[at] ^ 4]) + whole[at + 1 :] for at in places]
    bent += [whole[:at] for at in (0, 5, 100, 300 + CHUNK, len(whole) - 1)]
    bent += [whole + b"x", whole + whole]
    cases = [(b, keys) for b in bent]
    cases += [(whole, keys[:at] + bytes([keys[at] ^ 4]) + keys[at + 1 :])
              for at in (3, 20, 200, len(keys) - 1)]  # fmt: skip
    cases += [(whole, keys[:-1]), (whole, keys + b"x"), (whole, b"")]
    for number, (data, its_keys) in enumerate(cases):
        (shelf / "bent.dazi").write_bytes(data)
        (shelf / "bent.keys").write_bytes(its_keys)
        with pytest.raises(CallerError):
            bring_back(other, shelf / "bent.dazi", keys=shelf / "bent.keys", replace=True)
        assert names(other.data) == before, number
    assert rows_of(other) == tables_before
    bring_back(other, shelf / "b.dazi", replace=True)
    assert look(other, ticket)["tickets"] == [ticket]


def rows_of(chosen: Settings) -> dict[str, int]:
    declare_tables()
    from dazi.store.database import metadata

    engine = create_engine(driver(database_url(chosen, chosen.data)))
    with engine.connect() as connection:
        found = {t: connection.execute(text(f'SELECT count(*) FROM "{t}"')).scalar_one()
                 for t in metadata.tables}  # fmt: skip
    engine.dispose()
    return found


# --- while others are at work ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_while_writers_write(kind: str, place: Make, shelf: Path, tmp_path: Path) -> None:
    one, other = place("one", kind), place("other", "sqlite")
    with_installation(one, fill)
    url = database_url(one, one.data)
    counts = {"first": 1_000_000, "second": 1_000_000}
    started = writers.start(url, one.data, counts)
    while len(writers.acknowledged(one.data, list(counts))) < 40:
        time.sleep(0.002)
    first = set(writers.acknowledged(one.data, list(counts)))
    back_up(one, shelf / "b.dazi")
    after = set(writers.acknowledged(one.data, list(counts)))
    assert all(p.is_alive() for p in started.values())
    for process in started.values():
        process.kill()
        process.join(writers.PATIENCE_S)
    bring_back(other, shelf / "b.dazi")
    ok, told = sound(other)
    assert ok, told

    async def found() -> set[str]:
        database = Database(database_url(other, other.data))
        sealing = Sealing(other.data / "audit")
        opened = [sealing.opened(r) for r in await SqlSink(database).rows(None, 1_000_000)]
        await database.close()
        sealing.close()
        assert {o.state for o in opened} <= {"open", "plain"}, "a key is missing"
        return {str(o.fields.get("arguments")) for o in opened}

    there = asyncio.run(found())
    assert first <= there and len(first) < len(after)


@pytest.mark.parametrize("kind", KINDS)
def test_a_snapshot_does_not_see_what_comes_meanwhile(kind: str, place: Make) -> None:
    one = place("one", kind)
    with_installation(one, fill)

    async def main() -> None:
        database = database_of(one, one.data)
        count = text("SELECT count(*) FROM audit_records")
        async with database.snapshot() as connection:
            (await connection.execute(text("SELECT count(*) FROM tickets"))).scalar_one()
            async with database.write() as writing:
                await writing.execute(text("DELETE FROM audit_records"))
            assert (await connection.execute(count)).scalar_one() > 0
        async with database.read() as connection:
            assert (await connection.execute(count)).scalar_one() == 0
        await database.close()

    asyncio.run(main())


@pytest.mark.parametrize("kind", KINDS)
def test_while_it_runs_it_is_backed_up_and_not_restored(
    kind: str, place: Make, shelf: Path
) -> None:
    one = place("one", kind)

    async def main() -> str:
        async with running(one) as runtime:
            ticket = await fill(runtime)
            await asyncio.to_thread(back_up, one, shelf / "b.dazi")
            for data in (one.data, one.data.parent / "elsewhere"):  # another machine, same server
                if data != one.data and kind == "sqlite":
                    continue
                chosen = one.model_copy(update={"data": data})
                with pytest.raises(OperatorError, match="in use"):
                    await asyncio.to_thread(bring_back, chosen, shelf / "b.dazi", replace=True)
            assert await ask(runtime, "customer", ORDER, "thread-9") == ""
            return ticket

    ticket = asyncio.run(main())
    assert len(look(one, ticket)["threads"]) == 2
    with Presence(one.data, alone=True), pytest.raises(OperatorError, match="being restored"):
        database_of(one, one.data)


# --- what is there already ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_there_goes_aside_only_when_told(kind: str, place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", kind)
    ticket = with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    theirs = with_installation(other, fill)
    with pytest.raises(CallerError, match="--replace"):
        bring_back(other, shelf / "b.dazi")
    empty = other.model_copy(update={"data": other.data.parent / "new"})
    if kind == "postgresql":  # an empty folder, and a database that is not
        with pytest.raises(CallerError, match="--replace"):
            bring_back(empty, shelf / "b.dazi")
    assert look(other, theirs)["tickets"] == [theirs]
    done = bring_back(other, shelf / "b.dazi", replace=True)
    assert look(other, ticket)["tickets"] == [ticket] and done.aside is not None
    if kind == "sqlite":
        aside = other.model_copy(update={"data": done.aside})
        assert look(aside, theirs)["tickets"] == [theirs] and sound(aside)[0]
        return
    engine = create_engine(driver(other.database))
    with engine.connect() as connection:
        schema = connection.execute(
            text("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'dazi_before_restore_%'")
        ).scalar_one()
        assert connection.execute(text(f'SELECT id FROM "{schema}".tickets')).scalars().all()
    engine.dispose()


def test_a_database_that_somebody_works_with_is_left_alone(
    place: Make, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """But a connection that ends in a moment is waited for."""
    monkeypatch.setattr(restore, "LEAVING_S", 0.3)
    one, other = place("one", "sqlite"), place("other", "postgresql")
    ticket = with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    server = driver(other.database) + f"?application_name={APPLICATION}"
    engine = create_engine(server, poolclass=NullPool)
    connection = engine.connect()
    with pytest.raises(OperatorError, match="is in use"):
        bring_back(other, shelf / "b.dazi")
    monkeypatch.setattr(restore, "LEAVING_S", 60.0)
    timer = threading.Timer(1.0, connection.close)
    timer.start()
    bring_back(other, shelf / "b.dazi")
    timer.join()
    assert look(other, ticket)["tickets"] == [ticket]


def test_tables_without_rows_are_no_obstacle(place: Make, shelf: Path) -> None:
    """``dazi doctor`` makes them before anybody restores."""
    one = place("one", "sqlite")
    ticket = with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    for kind in KINDS:
        other = place(f"other-{kind}", kind)

        async def create(chosen: Settings = other) -> None:
            database = database_of(chosen, chosen.data)
            await database.create()
            await database.close()

        asyncio.run(create())
        bring_back(other, shelf / "b.dazi")
        assert look(other, ticket)["tickets"] == [ticket]


def test_a_decision_that_was_not_carried_out_is_not_taken_up(place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", "sqlite")
    ticket = with_installation(one, fill)
    with closing(sqlite3.connect(one.data / FILE)) as connection, connection:
        connection.execute(
            "UPDATE tickets SET state = 'approved', decided_at = 1, lease = 1 WHERE id = ?",
            (ticket,),
        )
    back_up(one, shelf / "b.dazi")
    done = bring_back(other, shelf / "b.dazi")
    assert (done.tickets.undecided, done.tickets.stopped) == (0, 1)
    assert "not carried out" in backing.restored_text(done).en

    async def taken_up(runtime: Runtime) -> int:
        return await runtime.service.take_up()

    assert with_installation(other, taken_up) == 0
    assert with_installation(one, taken_up) == 1, "this is what would have happened"


def test_sign_ins_do_not_come_back(place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", "sqlite")
    with_installation(one, fill)
    with_installation(one, sign_in)
    assert rows_of(one)["sessions"] == 1
    back_up(one, shelf / "b.dazi")
    bring_back(other, shelf / "b.dazi")
    assert rows_of(other)["sessions"] == 0


# --- people who were erased -----------------------------------------------------------------------


def said(chosen: Settings, user: str) -> list[tuple[str, str]]:
    """State and content of the person's questions."""
    from dazi.audit.search import Query, content_text

    found = asyncio.run(auditing.find(chosen, Query(user=user, kind="turn"), 100))
    return [(f.content.state, content_text(f.content)) for f in found]


def erase(chosen: Settings, user: str) -> str:
    return asyncio.run(erasing.erase(chosen, user, "root", "asked for")).en


def test_no_data_key_is_in_a_backup(place: Make, shelf: Path) -> None:
    one = place("one", "sqlite")
    with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    copy = copied(one.data / "audit")
    assert copy is not None and copy.keys
    secrets = [copy.master, *(k.wrapped for k in copy.keys if k.wrapped)]
    with (shelf / "b.dazi").open("rb") as file:
        content = b"".join(
            e.data if isinstance(e, Piece) else repr(e).encode()
            for e in entries(SealedReader(file, PASSPHRASE, backup.derive))
        )
    assert b"audit_records" in content and (one.data / "access.key").read_bytes() in content
    assert not any(secret in content for secret in secrets)


def test_erased_after_the_backup_stays_erased_when_it_comes_back(place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", "postgresql")
    with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    assert any(ORDER in text for _, text in said(one, "customer"))
    told = erase(one, "customer")
    assert "dazi.keys is overwritten too" in told
    done = bring_back(other, shelf / "b.dazi")
    found = said(other, "customer")
    assert {state for state, _ in found} == {"erased"}
    assert not any("ORD12345" in text for _, text in found)
    assert any("ORD12345" in text for _, text in said(other, "finance")), "others are there"
    assert sound(other)[0] and done.erased == 0


def test_without_the_file_of_keys_overwritten_they_would_come_back(
    place: Make, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The guard broken on purpose."""
    one, other = place("one", "sqlite"), place("other", "sqlite")
    with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    monkeypatch.setattr(erasing, "refresh", lambda folder: keyfile.Refreshed((), ()))
    erase(one, "customer")
    bring_back(other, shelf / "b.dazi")
    assert any(ORDER in text for _, text in said(other, "customer"))


def test_an_erasure_that_cannot_reach_the_file_of_keys_says_so(place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", "sqlite")
    with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    stale = (shelf / "dazi.keys").read_bytes()
    (shelf / "dazi.keys").unlink()
    told = erase(one, "customer")
    assert "cannot be reached" in told and "dazi backup again" in told
    # The keys that are here now know who was erased, ...
    (shelf / "stale.keys").write_bytes(stale)
    done = bring_back(one, shelf / "b.dazi", keys=shelf / "stale.keys", replace=True)
    assert done.erased == 1 and {state for state, _ in said(one, "customer")} == {"erased"}
    # ... and so does the ledger of a later backup, whatever its keys.
    erase(one, "finance")
    back_up(one, shelf / "later.dazi")
    done = bring_back(other, shelf / "later.dazi", keys=shelf / "stale.keys")
    assert done.erased >= 1 and {state for state, _ in said(other, "finance")} == {"erased"}


def test_an_erasure_reaches_what_a_restore_put_aside(place: Make, shelf: Path) -> None:
    one = place("one", "sqlite")
    with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    done = bring_back(one, shelf / "b.dazi", replace=True)
    assert done.aside is not None
    aside = one.model_copy(update={"data": done.aside})
    assert any(ORDER in text for _, text in said(aside, "customer"))
    erase(one, "customer")
    assert {state for state, _ in said(aside, "customer")} == {"erased"}


def test_somebody_who_came_back_after_an_erasure_keeps_the_new_key(
    place: Make, shelf: Path
) -> None:
    one, other = place("one", "sqlite"), place("other", "sqlite")
    with_installation(one, fill)
    erase(one, "customer")

    async def again(runtime: Runtime) -> None:
        await ask(runtime, "customer", ORDER, "thread-5")

    with_installation(one, again)
    back_up(one, shelf / "b.dazi")
    bring_back(other, shelf / "b.dazi")
    assert sorted(state for state, _ in said(other, "customer")) == ["erased", "open"]


def test_the_file_of_keys_of_another_installation_is_not_overwritten(
    place: Make, shelf: Path
) -> None:
    one, other = place("one", "sqlite"), place("other", "sqlite")
    for chosen in (one, other):
        with_installation(chosen, fill)
    back_up(one, shelf / "one.dazi")
    before = (shelf / "dazi.keys").read_bytes()
    with pytest.raises(CallerError, match="another installation"):
        back_up(other, shelf / "other.dazi")
    assert (shelf / "dazi.keys").read_bytes() == before
    assert names(shelf) == ["dazi.keys", "one.dazi"]
    back_up(other, shelf / "other.dazi", keys=shelf / "other.keys")
    third = place("third", "sqlite")
    with pytest.raises(CallerError, match="another installation"):
        bring_back(third, shelf / "one.dazi", keys=shelf / "other.keys")


def test_without_keys_and_with_another_passphrase(place: Make, shelf: Path, tmp_path: Path) -> None:
    one = place("one", "sqlite")
    with_installation(one, fill)
    back_up(one, shelf / "old.dazi")
    changed = "another passphrase"
    back_up(one.model_copy(update={"backup_passphrase": changed}), shelf / "new.dazi")
    other = place("other", "sqlite")
    with pytest.raises(CallerError, match="passphrase"):
        bring_back(other, shelf / "old.dazi")
    (tmp_path / "changed").write_text(changed, "utf-8")
    bring_back(other, shelf / "old.dazi", keys_passphrase_file=tmp_path / "changed")
    assert any(ORDER in text for _, text in said(other, "customer"))
    (shelf / "dazi.keys").unlink()
    bare = place("bare", "sqlite")
    with pytest.raises(CallerError, match="--without-keys"):
        bring_back(bare, shelf / "old.dazi")
    done = bring_back(bare, shelf / "old.dazi", without_keys=True)
    assert done.keys == 0 and sound(bare)[0]
    assert {state for state, _ in said(bare, "customer")} == {"missing"}


# --- the company folder, and names that lead elsewhere --------------------------------------------


def test_the_company_folder_comes_along(
    place: Make, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAZI_DATA", raising=False)  # data then lies in the company's own folder
    company = tmp_path / "acme"
    shutil.copytree(settings(tmp_path).company_folder(), company)
    (company / ".git").mkdir()
    (company / ".git" / "config").write_text("x", "utf-8")
    (company / "elsewhere").symlink_to(tmp_path)
    one = place("one", "sqlite").model_copy(update={"company": company, "data": company / ".dazi"})
    ticket = with_installation(one, fill)
    back_up(one, shelf / "b.dazi", company_folder=True)
    back_up(one, shelf / "without.dazi")
    there = tmp_path / "there"
    chosen = Settings(company=None, backup_passphrase=PASSPHRASE, today=one.today)
    for file in ("without.dazi", "b.dazi"):
        options = backing.RestoreOptions(shelf / file, None, False, None, None, there, False)
        work = backing.bring_back(chosen, options, lambda twice: "", lambda text: None)
        if file == "without.dazi":
            with pytest.raises(CallerError, match="no company folder"):
                asyncio.run(work)
            continue
        _, found = asyncio.run(work)
    assert found.company_folder() == there and found.data_folder(there) == there / ".dazi"
    mine = {n for n in names(company) if not n.startswith((".git", ".dazi", "elsewhere"))}
    theirs = {n for n in names(there) if not n.startswith(".dazi")}
    assert {n for n in mine if "__pycache__" not in n} == theirs
    assert look(found, ticket)["tickets"] == [ticket]
    with pytest.raises(CallerError, match="not empty"):
        bring_back(place("x", "sqlite"), shelf / "b.dazi", company_folder=there)


@pytest.mark.parametrize("name", ["../out", "/etc/out", "a/../../out", "", "..\\out", "C:out"])
def test_a_name_that_leads_elsewhere(name: str, place: Make, shelf: Path) -> None:
    """The passphrase makes nobody trustworthy."""
    root = backup.derive(PASSPHRASE, b"s" * 16)
    with (shelf / "b.dazi").open("wb") as out:
        packer = Packer(SealedWriter(out, Header(1.0, "", "0001", "", b"s" * 16), root))
        packer.put(File("data", name, 0o644))
        packer.put(Piece(b"x"))
        packer.close()
    other = place("other", "sqlite")
    with pytest.raises(CallerError):
        bring_back(other, shelf / "b.dazi")
    assert names(other.data) == ["dazi.lock"]


def test_a_backup_of_a_newer_version(place: Make, shelf: Path) -> None:
    root = backup.derive(PASSPHRASE, b"s" * 16)
    with (shelf / "b.dazi").open("wb") as out:
        Packer(SealedWriter(out, Header(1.0, "", "9999", "", b"s" * 16), root)).close()
    other = place("other", "sqlite")
    with pytest.raises(OperatorError, match="newer version"):
        bring_back(other, shelf / "b.dazi")
    assert names(other.data) == ["dazi.lock"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_of_an_earlier_version_is_migrated(
    kind: str, place: Make, shelf: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = place("one", "sqlite"), place("other", kind)
    ticket = with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    next_revision(tmp_path / "migrations", monkeypatch)
    bring_back(other, shelf / "b.dazi")
    engine = create_engine(driver(database_url(other, other.data)))
    with engine.connect() as connection:
        found = connection.execute(text("SELECT colour FROM tickets")).scalars().all()
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [
            ("9999",)
        ]
    engine.dispose()
    assert set(found) == {"red"} and look(other, ticket)["tickets"] == [ticket]


@pytest.mark.parametrize("value", ["x" * 300, "a\0b"])
def test_rows_that_postgresql_does_not_take(value: str, place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", "postgresql")
    with_installation(one, fill)
    with closing(sqlite3.connect(one.data / FILE)) as connection, connection:
        connection.execute("UPDATE threads SET tenant = ? WHERE id = 'thread-1'", (value,))
    back_up(one, shelf / "b.dazi")
    with pytest.raises(OperatorError, match="threads") as refused:
        bring_back(other, shelf / "b.dazi")
    assert value not in refused.value.text.en
    assert names(other.data) == ["dazi.lock"]
    engine = create_engine(driver(other.database))
    with engine.connect() as connection:
        assert (
            connection.execute(
                text("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")
            ).scalar()
            == 0
        )
    engine.dispose()


# --- broken off -----------------------------------------------------------------------------------


def test_an_interrupted_backup_leaves_the_one_before(
    place: Make, shelf: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = place("one", "sqlite")
    with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    before = {p.name: p.read_bytes() for p in shelf.iterdir()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(backup.files, "data_files", interrupted)
    with pytest.raises(KeyboardInterrupt):
        back_up(one, shelf / "b.dazi")
    assert {p.name: p.read_bytes() for p in shelf.iterdir()} == before


STEPS = ("rename", "replace", "rmdir", "unlink", "fsync", "mkdir")


def killed_at(chosen: Settings, file: Path, step: int) -> bool:
    """Restore in a child that is killed before its ``step``-th step on the disk; whether it was."""
    child = os.fork()
    if child == 0:
        left = step

        def counting(real: Any) -> Any:
            def counted(*arguments: Any, **named: Any) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments, **named)

            return counted

        for name in STEPS:
            setattr(os, name, counting(getattr(os, name)))
        restore.tables.mark = counting(restore.tables.mark)
        restore.finish = counting(restore.finish)
        try:
            bring_back(chosen, file, replace=True)
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


@dataclass
class Old:
    """An installation that can be had again and again as it was."""

    chosen: Settings
    kept: Path
    number: int = 0

    def again(self) -> Settings:
        self.number += 1
        data = self.kept.with_name(f"try-{self.number}")
        shutil.copytree(self.kept, data)
        url = self.chosen.database
        if url:
            server, _, name = url.rpartition("/")
            create(server, f"{name}_{self.number}", template=name)
            url = f"{url}_{self.number}"
        return self.chosen.model_copy(update={"data": data, "database": url})


async def what_is_there(chosen: Settings) -> tuple[list[str], bool, set[str]]:
    """For whoever starts next: tickets that wait, whether the chain holds, what is readable."""
    from dazi.audit.search import Query, search
    from dazi.audit.verify import verify

    async with auditing.opened(chosen) as room:
        async with room.database.read() as connection:
            query = text("SELECT id FROM tickets WHERE state = 'pending'")
            waiting = [row[0] for row in await connection.execute(query)]
        found = await verify(room.database, room.keys.trust())
        turns = await search(room.database, room.sealing, Query(kind="turn"), 100)
    return waiting, found.bad is None, {f.content.state for f in turns}


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGKILL")
@pytest.mark.parametrize("kind", KINDS)
def test_killed_at_every_step_it_is_the_old_or_the_new(kind: str, place: Make, shelf: Path) -> None:
    one, other = place("one", "sqlite"), place("other", kind)
    new = with_installation(one, fill)
    back_up(one, shelf / "b.dazi")
    old = with_installation(other, fill)
    bring_back(place("warm", "sqlite"), shelf / "b.dazi")  # what it imports is imported
    copies = Old(other, other.data)
    seen: list[str] = []
    killed = True
    while killed:
        chosen = copies.again()
        killed = killed_at(chosen, shelf / "b.dazi", copies.number)
        waiting, holds, states = asyncio.run(what_is_there(chosen))
        # Rows of one and keys of the other would be unreadable.
        assert holds and states == {"open"}, copies.number
        left = [n for n in os.listdir(chosen.data) if n.startswith((switch.STAGING, switch.MARKER))]
        assert not left, "keys would lie about"
        seen += waiting
    assert set(seen) == {old, new} and len(seen) == copies.number > 10
    assert seen == sorted(seen, key=[old, new].index), "from some step on it is the new one"


def test_uploads_come_along_and_the_index_does_not(tmp_path: Path) -> None:
    for name in ("knowledge-index/meta.json", "knowledge-files/d_1/a.md"):
        path = tmp_path / name
        path.parent.mkdir(parents=True)
        path.write_text("x")
    assert [name for name, _ in data_files(tmp_path)] == ["knowledge-files/d_1/a.md"]
