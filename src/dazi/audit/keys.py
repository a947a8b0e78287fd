"""Each person's data key, wrapped by a master key, in a file beside the database.

A key that is destroyed takes with it whatever was sealed with it, in the database and in every
backup of the database, for neither holds a key. The row stays, without the key, to tell what was
erased from what is lost.
"""

from __future__ import annotations

import hmac
import os
import secrets
import sqlite3
import time
from base64 import b64decode
from binascii import b2a_base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dazi.audit.files import keys_at, read_or_make
from dazi.core.errors import OperatorError

KEY_BYTES = 32
NONCE_BYTES = 12
BUSY_SECONDS = 10.0
FRESH_S = 1.0
"""So long a key may be used on before the file is asked whether another process destroyed it."""
CACHED = 10_000
SUBJECTS = "subjects.sqlite"
MASTER = "master.key"

TABLE = """
CREATE TABLE IF NOT EXISTS data_keys (
    id TEXT PRIMARY KEY, subject TEXT NOT NULL, made_at REAL NOT NULL, wrapped BLOB, erased_at REAL
)
"""
ONE_EACH = """
CREATE UNIQUE INDEX IF NOT EXISTS data_keys_live ON data_keys (subject) WHERE wrapped IS NOT NULL
"""

Absent = Literal["erased", "missing"]


@dataclass(frozen=True, slots=True)
class DataKey:
    """``commitments`` is for keyed digests: it is gone when the key is."""

    id: str
    cipher: AESGCM
    commitments: bytes = field(repr=False)

    @classmethod
    def of(cls, number: str, key: bytes) -> DataKey:
        return cls(number, AESGCM(key), hmac.digest(key, b"commitments", "sha256"))

    def seal(self, data: bytes, bound: bytes) -> str:
        """AES-256-GCM with a random nonce, as text: the key's number, a dot, base64. It opens only
        with the same ``bound``."""
        nonce = os.urandom(NONCE_BYTES)
        sealed = nonce + self.cipher.encrypt(nonce, data, bound)
        return f"{self.id}.{b2a_base64(sealed, newline=False).decode()}"


class SubjectKeys:
    """The keys in ``folder``; nothing is made there before the first one is needed."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / SUBJECTS
        self._master_path = folder / MASTER
        self._connection: sqlite3.Connection | None = None
        self._master: AESGCM | None = None
        self._live: dict[str, DataKey] = {}
        self._by_id: dict[str, DataKey | Absent] = {}
        self._asked = 0.0
        self._version = 0

    def of(self, subject: str) -> DataKey:
        """The subject's key, made durable before it is handed out. Raises ``OperatorError``."""
        if time.monotonic() - self._asked > FRESH_S:
            self._forget_if_changed()
        key = self._live.get(subject)
        if key is None:
            with self._file() as connection:
                key = self._found(connection, subject) or self._made(connection, subject)
            self._live[subject] = key
        return key

    def by_id(self, number: str) -> DataKey | Absent:
        """The key that something was sealed with, or why there is none."""
        if time.monotonic() - self._asked > FRESH_S:
            self._forget_if_changed()
        known = self._by_id.get(number)
        if known is None:
            known = self._by_id[number] = self._read(number)
        return known

    def open(self, text: str, bound: bytes) -> bytes | Absent | Literal["damaged"]:
        """What ``DataKey.seal`` made ``text`` of, or why that cannot be read."""
        number, _, sealed = text.partition(".")
        key = self.by_id(number)
        if isinstance(key, str):
            return key
        try:
            data = b64decode(sealed)
            return key.cipher.decrypt(data[:NONCE_BYTES], data[NONCE_BYTES:], bound)
        except (InvalidTag, ValueError):
            return "damaged"

    def has(self, subject: str) -> bool:
        """Whether anything may be sealed with a key of the subject's."""
        if not self._path.exists():
            return False
        with self._file() as connection:
            return self._found(connection, subject) is not None

    def erased_at(self, subject: str) -> float | None:
        """When the subject was erased last, in seconds since the epoch; ``None`` where never."""
        if not self._path.exists():
            return None
        with self._file() as connection:
            found = connection.execute(
                "SELECT MAX(erased_at) FROM data_keys WHERE subject = ?", (subject,)
            ).fetchone()
        return None if found[0] is None else float(found[0])

    def destroy(self, subject: str) -> int:
        """How many keys are gone. What was sealed with them cannot be read by anybody again."""
        if not self._path.exists():
            return 0
        with self._file() as connection:
            done = connection.execute(
                "UPDATE data_keys SET wrapped = NULL, erased_at = ? "
                "WHERE subject = ? AND wrapped IS NOT NULL",
                (time.time(), subject),
            )
        self._forget()
        return done.rowcount

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _read(self, number: str) -> DataKey | Absent:
        if not self._path.exists():
            return "missing"
        with self._file() as connection:
            row = connection.execute(
                "SELECT id, subject, wrapped FROM data_keys WHERE id = ?", (number,)
            ).fetchone()
        if row is None:
            return "missing"
        return self._unwrapped(*row) if row[2] is not None else "erased"

    def _found(self, connection: sqlite3.Connection, subject: str) -> DataKey | None:
        row = connection.execute(
            "SELECT id, subject, wrapped FROM data_keys WHERE subject = ? AND wrapped IS NOT NULL",
            (subject,),
        ).fetchone()
        return self._unwrapped(*row) if row is not None else None

    def _made(self, connection: sqlite3.Connection, subject: str) -> DataKey:
        number, key, nonce = secrets.token_hex(8), os.urandom(KEY_BYTES), os.urandom(NONCE_BYTES)
        wrapped = nonce + self._wrapping().encrypt(nonce, key, _named(number, subject))
        connection.execute(
            "INSERT INTO data_keys (id, subject, made_at, wrapped) VALUES (?, ?, ?, ?)",
            (number, subject, time.time(), wrapped),
        )
        return DataKey.of(number, key)

    def _unwrapped(self, number: str, subject: str, wrapped: bytes) -> DataKey:
        nonce, rest = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            key = self._wrapping().decrypt(nonce, rest, _named(number, subject))
        except InvalidTag:
            raise OperatorError(
                "audit_keys",
                f"{self._master_path} 不是包裹 {self._path} 的那把主密钥;请恢复配套的两个文件",
                f"{self._master_path} is not the master key of {self._path}; restore both together",
            ) from None
        return DataKey.of(number, key)

    def _wrapping(self) -> AESGCM:
        if self._master is None:
            self._master = AESGCM(read_or_make(self._master_path, lambda: os.urandom(KEY_BYTES)))
        return self._master

    def _forget_if_changed(self) -> None:
        self._asked = time.monotonic()
        if self._connection is None or len(self._live) + len(self._by_id) > CACHED:
            return self._forget()
        with self._errors():
            version = self._connection.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._version = version
            self._forget()
        return None

    def _forget(self) -> None:
        self._live.clear()
        self._by_id.clear()

    @contextmanager
    def _file(self) -> Iterator[sqlite3.Connection]:
        """A transaction that has the write lock."""
        with self._errors():
            connection = self._connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
            except BaseException:
                connection.execute("ROLLBACK")
                raise
            connection.execute("COMMIT")

    def _connect(self) -> sqlite3.Connection:
        read_or_make(self._path, lambda: b"")  # an empty file is an empty database
        connection = sqlite3.connect(
            self._path, BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        # A rollback journal and not a WAL, in which a destroyed key would live on for a while;
        # what is deleted is overwritten.
        for pragma in ("journal_mode=DELETE", "synchronous=FULL", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute(TABLE)
        connection.execute(ONE_EACH)
        self._version = connection.execute("PRAGMA data_version").fetchone()[0]
        self._connection = connection
        return connection

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            with keys_at(self._path):
                yield
        except sqlite3.Error as e:
            raise unusable(self._path, e) from e


def unusable(path: Path, e: sqlite3.Error) -> OperatorError:
    return OperatorError(
        "audit_keys",
        f"审计密钥 {path} 用不了:{e}。检查磁盘,或从密钥的备份恢复",
        f"the audit keys at {path} cannot be used: {e}. Check the disk, "
        "or restore them from the keys' backup",
    )


def _named(number: str, subject: str) -> bytes:
    return f"{number}\0{subject}".encode()
