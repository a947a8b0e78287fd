"""Data keys as they leave the folder and come back: for backups, and for nothing else."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec

from dazi.audit.files import keys_at, read_or_make
from dazi.audit.keys import MASTER, ONE_EACH, SUBJECTS, TABLE, unusable


class CopiedKey(msgspec.Struct, frozen=True, array_like=True):
    """A row of ``subjects.sqlite``; ``wrapped`` is ``None`` where the key was destroyed."""

    id: str
    subject: str
    made_at: float
    wrapped: bytes | None
    erased_at: float | None

    @property
    def destroyed(self) -> bool:
        return self.wrapped is None


class KeyCopy(msgspec.Struct, frozen=True):
    """Everything that opens what was sealed in an installation."""

    master: bytes
    keys: tuple[CopiedKey, ...]

    @property
    def installation(self) -> str:
        return installation_of(self.master)


def installation_of(master: bytes) -> str:
    """What tells an installation's keys apart from another's, and nothing about them."""
    return hashlib.sha256(b"dazi installation" + master).hexdigest()[:16]


def copied(folder: Path) -> KeyCopy | None:
    """The keys as they are now; ``None`` where nothing was ever sealed. Raises ``OperatorError``."""
    path = folder / SUBJECTS
    with keys_at(path):
        if not path.exists() or not (folder / MASTER).exists():
            return None
        master = (folder / MASTER).read_bytes()
    try:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(TABLE)
            rows = connection.execute(
                "SELECT id, subject, made_at, wrapped, erased_at FROM data_keys ORDER BY made_at, id"
            ).fetchall()
    except sqlite3.Error as e:
        raise unusable(path, e) from e
    return KeyCopy(master, tuple(CopiedKey(*row) for row in rows))


def bring_back(
    folder: Path, copy: KeyCopy, gone: Callable[[CopiedKey], bool], now: float
) -> tuple[int, int]:
    """Make a folder's keys from ``copy``, without those that are ``gone``; how many can be used,
    and how many were left out. The folder has none yet."""
    read_or_make(folder / MASTER, lambda: copy.master)
    path = folder / SUBJECTS
    read_or_make(path, lambda: b"")
    usable = left_out = 0
    try:
        with closing(sqlite3.connect(path)) as connection, connection:
            connection.execute(TABLE)
            connection.execute(ONE_EACH)
            for key in copy.keys:
                leave = not key.destroyed and gone(key)
                left_out += leave
                usable += not key.destroyed and not leave
                row = (None, now) if leave else (key.wrapped, key.erased_at)
                connection.execute(
                    "INSERT INTO data_keys VALUES (?, ?, ?, ?, ?)",
                    (key.id, key.subject, key.made_at, *row),
                )
    except sqlite3.Error as e:
        raise unusable(path, e) from e
    return usable, left_out
