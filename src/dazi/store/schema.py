"""Brings a database's tables to what this version of the package expects.

Revisions are in ``migrations/versions``. Alembic is imported only where something is to be done,
so that an ordinary start costs two queries.
"""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import (
    Column,
    Connection,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    insert,
    inspect,
    select,
    text,
)

from dazi.core.errors import OperatorError

HEAD = "0016"
"""The newest revision in ``migrations/versions``."""
VERSIONS = "alembic_version"
_versions = Table(
    VERSIONS,
    MetaData(),
    Column("version_num", String(32), nullable=False),
    PrimaryKeyConstraint("version_num", name="alembic_version_pkc"),
)
"""As Alembic makes it: a new database needs no Alembic."""
_LOCK = 0x64617A69
"""PostgreSQL's advisory lock under which one process at a time changes tables."""


@dataclass(frozen=True, slots=True)
class State:
    """``revision``: ``None`` where none is noted, as in databases from before migrations."""

    revision: str | None
    tables: frozenset[str]

    def lacks(self, metadata: MetaData) -> bool:
        return self.revision != HEAD or not self.tables.issuperset(metadata.tables)


def state_of(connection: Connection) -> State:
    tables = frozenset(inspect(connection).get_table_names())
    if VERSIONS not in tables:
        return State(None, tables)
    return State(connection.execute(select(_versions)).scalar(), tables)


def lock(connection: Connection) -> None:
    """Let nobody else change tables until the transaction ends. SQLite's write lock does that."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL lock_timeout = 0"))  # however long another takes
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})


def bring_up(connection: Connection, metadata: MetaData) -> None:
    """Make what is missing, in the transaction that ``connection`` has begun and ``lock`` keeps
    to it. Raises ``OperatorError`` for a database from a newer version."""
    state = state_of(connection)
    if state.revision is None and not state.tables.intersection(metadata.tables):
        _versions.create(connection, checkfirst=True)
        connection.execute(insert(_versions), {"version_num": HEAD})
    elif state.revision != HEAD:
        from dazi.store import migrate

        refuse_newer(state)
        migrate.upgrade(connection)
        state = state_of(connection)
    # Tables that only now somebody has a use for: a program need not know every room. Which there are
    # is known, and asking for each of them and its indexes again takes as long as making them.
    lacking = [t for t in metadata.sorted_tables if t.name not in state.tables]
    metadata.create_all(connection, lacking, checkfirst=False)


def refuse_newer(state: State) -> None:
    """Raises ``OperatorError`` where this version does not know the database's revision."""
    from dazi.store import migrate

    if state.revision is not None and state.revision not in migrate.revisions():
        raise OperatorError(
            "newer_database",
            f"数据库来自更新的版本(修订 {state.revision},本版本只到 {HEAD})。"
            "请装回那个版本,或从备份恢复",
            f"the database comes from a newer version (revision {state.revision}; this one knows "
            f"them up to {HEAD}). Install that version again, or restore a backup",
        )


def keep_copy(path: Path) -> Path | None:
    """Copy an SQLite file that is about to be migrated, if it has any rows; where to."""
    if not has_rows(path):
        return None
    copy = _unused(path)
    made = copy.with_name(f".{copy.name}")
    made.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(made)) as target:
        source.backup(target)
    shutil.copymode(path, made)
    return made.replace(copy)


def has_rows(path: Path) -> bool:
    """Whether there is anything in an SQLite file, which need not be there."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path)) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        return any(
            connection.execute(f'SELECT 1 FROM "{name}" LIMIT 1').fetchone()
            for (name,) in tables.fetchall()
            if name != VERSIONS
        )


def _unused(path: Path) -> Path:
    """A name that says which revision came after; a later try does not overwrite an earlier."""
    first = path.with_name(f"{path.stem}.before-{HEAD}{path.suffix}")
    copy, number = first, 1
    while copy.exists():
        number += 1
        copy = first.with_name(f"{path.stem}.before-{HEAD}.{number}{path.suffix}")
    return copy
