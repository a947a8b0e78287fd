"""A file that nobody can read or change without its passphrase.

scrypt (RFC 7914) makes the key; the content is AES-256-GCM in chunks, whose nonces count and mark
the last one (the STREAM construction: Hoang, Reyhanitabar, Rogaway, Vizár 2015). So a chunk that
was changed, moved, doubled or left out does not open, nor does a file that was cut off or went on.
"""

from __future__ import annotations

import hmac
import unicodedata
from collections.abc import Callable, Iterator
from typing import IO

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from dazi.core.errors import CallerError

MAGIC = b"DAZIBAK\n"
FORMAT = 1
CHUNK = 1 << 16
TAG = 16
SALT_BYTES = 16
KEY_BYTES = 32
LONGEST_HEADER = 1 << 16
SHORTEST_PASSPHRASE = 12

Derive = Callable[[str, bytes], bytes]
"""Passphrase and salt to 32 bytes."""


class Header(msgspec.Struct, frozen=True):
    """In plain, but authenticated. ``made``: seconds since the epoch; ``revision``: of the tables;
    ``installation``: whose keys open the ledger, empty where there are none."""

    made: float
    version: str
    revision: str
    installation: str
    salt: bytes
    format: int = FORMAT


def derive(passphrase: str, salt: bytes) -> bytes:
    """128 MiB and some 0.4 s a guess; the numbers belong to the format, so no file can ask for
    more."""
    text = unicodedata.normalize("NFKC", passphrase).encode()
    return Scrypt(salt=salt, length=KEY_BYTES, n=1 << 17, r=8, p=1).derive(text)


def subkey(root: bytes, purpose: str, context: bytes = b"") -> bytes:
    info = f"dazi backup {purpose}\0".encode() + context
    return HKDFExpand(SHA256(), KEY_BYTES, info).derive(root)


def check_passphrase(passphrase: str) -> str:
    """Raises ``CallerError`` for one that could be guessed by trying all."""
    if len(passphrase) < SHORTEST_PASSPHRASE:
        raise CallerError(
            "passphrase",
            f"备份的口令至少 {SHORTEST_PASSPHRASE} 个字符",
            f"a backup's passphrase has {SHORTEST_PASSPHRASE} characters at least",
        )
    return passphrase


def damaged() -> CallerError:
    return CallerError(
        "damaged",
        "备份文件不完整或被改过,什么也没有动;换一份备份",
        "the backup is incomplete or was changed, and nothing was touched; take another one",
    )


def frame(data: bytes) -> bytes:
    return len(data).to_bytes(4, "big") + data


def read_framed(file: IO[bytes], longest: int) -> bytes:
    """Raises ``CallerError`` where the file ends before that."""
    size = int.from_bytes(file.read(4), "big")
    data = file.read(size) if size <= longest else b""
    if len(data) != size or not size:
        raise damaged()
    return data


class SealedWriter:
    """Writes to ``file``; ``close`` writes the end, without which the file does not open."""

    def __init__(self, file: IO[bytes], header: Header, root: bytes) -> None:
        self._file = file
        head = MAGIC + frame(msgspec.json.encode(header))
        self._cipher = AESGCM(subkey(root, "content", head))
        self._waiting = bytearray()
        self._count = 0
        file.write(head + _proof(root, head))

    def write(self, data: bytes) -> None:
        self._waiting += data
        # The last chunk is marked, so one is kept back.
        while len(self._waiting) > CHUNK:
            self._seal(bytes(self._waiting[:CHUNK]), last=False)
            del self._waiting[:CHUNK]

    def close(self) -> None:
        self._seal(bytes(self._waiting), last=True)

    def _seal(self, data: bytes, *, last: bool) -> None:
        self._file.write(self._cipher.encrypt(_nonce(self._count, last), data, None))
        self._count += 1


class SealedReader:
    """Raises ``CallerError`` for a file that is no backup, for the wrong passphrase, and, as it is
    read, where something was changed. What was read counts once the end was reached."""

    def __init__(self, file: IO[bytes], passphrase: str, derive: Derive = derive) -> None:
        self._file = file
        self.header, head = read_header(file)
        root = derive(passphrase, self.header.salt)
        if not hmac.compare_digest(file.read(KEY_BYTES), _proof(root, head)):
            raise wrong_passphrase()
        self._cipher = AESGCM(subkey(root, "content", head))

    def chunks(self) -> Iterator[bytes]:
        count = 0
        sealed = self._file.read(CHUNK + TAG)
        while True:
            following = self._file.read(CHUNK + TAG)
            try:
                yield self._cipher.decrypt(_nonce(count, not following), sealed, None)
            except InvalidTag:
                raise damaged() from None
            if not following:
                return
            sealed, count = following, count + 1


def read_header(file: IO[bytes]) -> tuple[Header, bytes]:
    """And the bytes that it was read from."""
    if file.read(len(MAGIC)) != MAGIC:
        raise CallerError("no_backup", "这不是搭子的备份", "this is no backup of Dazi's")
    data = read_framed(file, LONGEST_HEADER)
    try:
        form = msgspec.json.decode(data, type=dict[str, object]).get("format")
        if isinstance(form, int) and form > FORMAT:
            raise CallerError(
                "newer_backup",
                "备份来自更新的版本;请用那个版本恢复",
                "the backup comes from a newer version; restore it with that one",
            )
        return msgspec.json.decode(data, type=Header), MAGIC + frame(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise damaged() from None


def wrong_passphrase() -> CallerError:
    return CallerError(
        "passphrase",
        "口令不对(或文件开头被改过);什么也没有动",
        "the passphrase is wrong (or the file's beginning was changed); nothing was touched",
    )


def _proof(root: bytes, head: bytes) -> bytes:
    """Tells the right passphrase from a wrong one, and authenticates the header."""
    return hmac.digest(subkey(root, "header"), head, "sha256")


def _nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + bytes([last])
