"""Databases of earlier versions are brought up to date, whole, once, whoever starts at the time."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Column, Connection, Integer, MetaData, create_engine, inspect, text

from bench.postgres import driver
from dazi.core.errors import OperatorError
from dazi.main.database import declare_tables
from dazi.store import migrate, schema
from dazi.store.database import Database, metadata

SCHEMAS = Path(__file__).parent / "schemas"
EARLIER = sorted(p.stem for p in SCHEMAS.glob("*.sql"))
OLDEST, NEWEST = "before_approvals", "before_learning"
RECORD = {
    "seq": 1, "at": 1_760_000_000.123456, "kind": "turn", "user": "李华", "turn": "turn_1",
    "body": '{"said": "你好"}', "previous": "0" * 64, "hash": "a" * 64,
}  # fmt: skip
TICKET = {
    "id": "t-1", "at": 1.5, "expires": 2.5, "user": "li", "tenant": "default", "thread": "th",
    "turn": "turn_1", "call": "c", "tool": "request_refund", "arguments": '{"order": "ORD12345"}',
    "digest": "d" * 64, "policy": "p", "state": "pending",
}  # fmt: skip
INTENT = {
    "key": "k", "at": 1.5, "user": "li", "turn": "turn_1", "tool": "x", "arguments": "{}",
    "state": "begun",
}  # fmt: skip
THREAD = {"id": "th", "tenant": "default", "user": "li", "title": "发货了吗", "at": 1.5}
MESSAGE = {
    "thread": "th", "seq": 1, "at": 1.5, "role": "user", "content": "发货了吗", "calls": "[]",
    "call": "", "tool": "", "result": "null",
}  # fmt: skip
ROWS = {
    "audit_records": RECORD,
    "tickets": TICKET,
    "intents": INTENT,
    "threads": THREAD,
    "thread_messages": MESSAGE,
}


@pytest.fixture(autouse=True)
def all_tables() -> None:
    declare_tables()


@contextmanager
def plain(url: str) -> Iterator[Connection]:
    engine = create_engine(driver(url))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def make_earlier(url: str, name: str) -> None:
    with plain(url) as connection:
        for statement in (SCHEMAS / f"{name}.sql").read_text("utf-8").split(";"):
            if statement.strip():
                if url.startswith("postgresql"):
                    statement = statement.replace("BLOB", "BYTEA")
                connection.execute(text(statement))
        for table, row in ROWS.items():
            names = ", ".join(f'"{n}"' for n in row)
            values = ", ".join(f":{n}" for n in row)
            connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({values})"), row)


def create(url: str) -> None:
    async def work() -> None:
        database = Database(url)
        try:
            await database.create()
        finally:
            await database.close()

    asyncio.run(work())


def described(url: str) -> dict[str, Any]:
    """Everything about the tables but the order of columns."""
    out: dict[str, Any] = {}
    with plain(url) as connection:
        found = inspect(connection)
        for table in found.get_table_names():
            columns = {
                c["name"]: (str(c["type"]), c["nullable"], c.get("default"))
                for c in found.get_columns(table)
            }
            key = found.get_pk_constraint(table)
            indexes = sorted(
                (i["name"], i["column_names"], i["unique"]) for i in found.get_indexes(table)
            )
            unique = sorted(tuple(u["column_names"]) for u in found.get_unique_constraints(table))
            out[table] = (columns, key["constrained_columns"], key["name"], indexes, unique)
    return out


def difference(url: str, wanted: MetaData) -> list[Any]:
    with plain(url) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return compare_metadata(context, wanted)


@pytest.mark.parametrize("name", EARLIER)
def test_a_database_of_an_earlier_version_keeps_its_rows(
    url: str, name: str, tmp_path: Path
) -> None:
    make_earlier(url, name)
    create(url)
    with plain(url) as connection:
        for table, row in ROWS.items():
            found = connection.execute(metadata.tables[table].select()).mappings().one()
            assert {k: found[k] for k in row} == row
            assert all(v is None for k, v in found.items() if k not in row)
    upgraded = described(url)
    other = f"sqlite:///{tmp_path / 'new.sqlite'}"
    if url.startswith("postgresql"):
        with plain(url) as connection:
            connection.execute(text("DROP SCHEMA public CASCADE; CREATE SCHEMA public"))
        other = url
    create(other.replace("sqlite:", "sqlite+aiosqlite:"))
    assert upgraded == described(other)
    assert set(metadata.tables) < set(upgraded)


@pytest.mark.parametrize("name", EARLIER)
def test_the_file_as_it_was_stays_beside_it(tmp_path: Path, name: str) -> None:
    path = tmp_path / "d.sqlite"
    url = f"sqlite+aiosqlite:///{path}"
    make_earlier(url, name)
    path.chmod(0o600)
    (tmp_path / f"d.before-{schema.HEAD}.sqlite").write_bytes(b"of an earlier try")
    create(url)
    create(url)
    copy = tmp_path / f"d.before-{schema.HEAD}.2.sqlite"
    assert sorted(p.name for p in tmp_path.glob("*before*")) == [
        f"d.before-{schema.HEAD}.2.sqlite", f"d.before-{schema.HEAD}.sqlite",
    ]  # fmt: skip
    assert copy.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(copy)) as connection:
        tables = {n for (n,) in connection.execute("SELECT name FROM sqlite_master")}
        noted = schema.VERSIONS in tables
        assert (
            noted == (name not in ("before_accounts", "before_approvals")) and "tickets" in tables
        )
        assert connection.execute('SELECT "user" FROM audit_records').fetchall() == [("李华",)]


def test_the_revisions_make_what_the_rooms_declare(url: str) -> None:
    """Fails when somebody changes a table without a revision in store/migrations/versions."""
    with plain(url) as connection:
        migrate.upgrade(connection)
    assert difference(url, metadata) == []
    assert migrate.revisions()[0] == schema.HEAD


@pytest.mark.parametrize("change", ["table", "column", "index"])
def test_a_change_without_a_revision_is_noticed(url: str, change: str) -> None:
    changed = MetaData()
    for table in metadata.sorted_tables:
        table.to_metadata(changed)
    if change == "table":
        changed.remove(changed.tables["tickets"])
    elif change == "column":
        changed.tables["tickets"].append_column(Column("colour", Integer))
    else:
        changed.tables["tickets"].indexes.clear()
    with plain(url) as connection:
        migrate.upgrade(connection)
    assert len(difference(url, changed)) >= 1


def test_what_a_newer_version_made_is_left_alone(url: str, tmp_path: Path) -> None:
    create(url)
    with plain(url) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(text("DROP TABLE tickets"))
    before = described(url)
    with pytest.raises(OperatorError, match="newer version") as refused:
        create(url)
    assert "9999" in refused.value.text.zh
    assert described(url) == before and not list(tmp_path.glob("*before*"))


def test_tables_that_only_some_programs_know_are_made_when_they_come(url: str) -> None:
    """A program that knows few rooms makes their tables; the service makes the rest."""
    known = {"tickets", "intents"}
    with plain(url) as connection:
        some = MetaData()
        for name in known:
            metadata.tables[name].to_metadata(some)
        schema.bring_up(connection, some)
    assert set(described(url)) == known | {schema.VERSIONS}
    create(url)
    assert difference(url, metadata) == []


STARTER = """
import asyncio, sys
from dazi.main.database import declare_tables
from dazi.store.database import Database
async def main():
    database = Database(sys.argv[1], declare=declare_tables)
    await database.create()
    await database.close()
sys.stdin.readline()
asyncio.run(main())
"""


@pytest.mark.parametrize("name", [None, OLDEST, NEWEST])
def test_many_processes_that_start_at_once(url: str, name: str | None, tmp_path: Path) -> None:
    if name is not None:
        make_earlier(url, name)
    starting = [
        subprocess.Popen(
            [sys.executable, "-c", STARTER, url],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        for _ in range(6)
    ]  # fmt: skip
    for process in starting:
        assert process.stdin is not None
        process.stdin.write(b"\n")
        process.stdin.flush()
    for process in starting:
        said, _ = process.communicate()
        assert process.returncode == 0, said.decode()
    with plain(url) as connection:
        rows = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
        assert rows == [schema.HEAD]
    assert difference(url, metadata) == []
    copies = list(tmp_path.glob("d.before-*"))
    assert len(copies) == (1 if name and url.startswith("sqlite") else 0)


AT_HEAD = """
import asyncio, sys
from dazi.store.database import Database
async def main():
    database = Database(sys.argv[1])
    await database.create()
    await database.close()
asyncio.run(main())
print("alembic" in sys.modules)
"""


def test_a_database_that_is_up_to_date_and_a_new_one_need_no_alembic(url: str) -> None:
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", AT_HEAD, url], capture_output=True, check=True)
        assert done.stdout.split() == [b"False"]


def test_a_failed_revision_changes_nothing(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make_earlier(url, EARLIER[0])
    before = described(url)

    def breaks(connection: Connection, to: str = "head") -> None:
        connection.execute(text("ALTER TABLE tickets ADD COLUMN half FLOAT"))
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(migrate, "upgrade", breaks)
        with pytest.raises(OperatorError):
            create(url)
    assert described(url) == before
    create(url)
    assert difference(url, metadata) == []


def test_every_module_with_tables_is_named() -> None:
    source = Path(migrate.__file__).parents[1]
    declaring = {
        ".".join(("dazi", *p.relative_to(source).with_suffix("").parts))
        for p in source.rglob("*.py")
        if "\n    metadata,\n" in p.read_text("utf-8")
    }
    from dazi.main.database import TABLES

    assert declaring == set(TABLES)


def next_revision(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A version of the package that has one more."""
    shutil.copytree(migrate.FOLDER, folder)
    (folder / "versions" / "9999_colour.py").write_text(
        "import sqlalchemy as sa\n"
        "from alembic import op\n"
        f"revision, down_revision = '9999', '{schema.HEAD}'\n"
        "def upgrade():\n"
        "    op.add_column('tickets', sa.Column('colour', sa.String(10)))\n"
        "    op.execute(\"UPDATE tickets SET colour = 'red'\")\n",
        "utf-8",
    )
    monkeypatch.setattr(migrate, "FOLDER", folder)
    monkeypatch.setattr(schema, "HEAD", "9999")


@pytest.mark.parametrize("name", EARLIER)
def test_one_revision_after_the_other(
    url: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_earlier(url, name)
    create(url)
    earlier = schema.HEAD
    next_revision(tmp_path / "migrations", monkeypatch)
    create(url)
    with plain(url) as connection:
        assert connection.execute(text("SELECT id, colour FROM tickets")).all() == [("t-1", "red")]
        assert connection.execute(text("SELECT version_num FROM alembic_version")).all() == [
            ("9999",)
        ]
    copies = sorted(p.name for p in tmp_path.glob("d.before-*"))
    wanted = [f"d.before-{earlier}.sqlite", "d.before-9999.sqlite"]
    assert copies == (wanted if url.startswith("sqlite") else [])
