"""One file of weights, encrypted in chunks that open only in their own order, file and model.

AES-256-GCM; the nonce counts the chunks and marks the last one (the STREAM construction: Hoang,
Reyhanitabar, Rogaway, Vizár 2015). The key is the file's own: derived (HKDF, RFC 5869) from the model's
data key, a random salt, the model's id and the file's name. So a chunk that was changed, moved, doubled
or left out does not open, nor a file that was cut off, went on, or took another one's place.

Layout: ``MAGIC``, the salt, then the chunks, each of ``CHUNK`` bytes and a tag; the last one may be
shorter.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import IO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"DAZIWGT\n"
SALT_BYTES = 16
KEY_BYTES = 32
CHUNK = 1 << 20
TAG = 16
HEAD = len(MAGIC) + SALT_BYTES

Count = Callable[[int], None]
"""Hears of so many more bytes of plain text."""


class Damaged(Exception):
    """What was read is not what was written."""


@dataclass(frozen=True, slots=True)
class FileKey:
    """What one file is bound to."""

    data_key: bytes = field(repr=False)
    model: str
    name: str
    salt: bytes

    @property
    def bound(self) -> bytes:
        """Unambiguous: the model's id has no end of line in it."""
        return MAGIC + self.salt + f"{self.model}\n{self.name}".encode()

    def cipher(self) -> AESGCM:
        info = b"dazi weights file\0" + self.bound
        return AESGCM(HKDF(SHA256(), KEY_BYTES, self.salt, info).derive(self.data_key))


def sealed_size(size: int) -> int:
    """Bytes of the encrypted form of a file of ``size`` bytes."""
    return HEAD + size + TAG * _chunks(size)


def fresh_salt() -> bytes:
    return os.urandom(SALT_BYTES)


def seal(plain: IO[bytes], size: int, sealed: IO[bytes], key: FileKey, count: Count) -> None:
    """Raises ``Damaged`` where ``plain`` does not have ``size`` bytes: somebody writes to it."""
    cipher, bound = key.cipher(), key.bound
    sealed.write(MAGIC + key.salt)
    read, made = memoryview(bytearray(CHUNK)), memoryview(bytearray(CHUNK + TAG))
    chunks = _chunks(size)
    for number in range(chunks):
        wanted = min(CHUNK, size - number * CHUNK)
        _fill(plain, read[:wanted])
        nonce = _nonce(number, number == chunks - 1)
        cipher.encrypt_into(nonce, read[:wanted], bound, made[: wanted + TAG])
        sealed.write(made[: wanted + TAG])
        count(wanted)
    if plain.read(1):
        raise Damaged


def unseal(
    sealed: IO[bytes], size: int, plain: IO[bytes] | None, key: FileKey, count: Count
) -> None:
    """Writes to ``plain``, or merely checks. What was written counts once this has returned.

    Raises ``Damaged``."""
    cipher, bound = key.cipher(), key.bound
    if sealed.read(HEAD) != MAGIC + key.salt:
        raise Damaged
    read, made = memoryview(bytearray(CHUNK + TAG)), memoryview(bytearray(CHUNK))
    chunks = _chunks(size)
    for number in range(chunks):
        wanted = min(CHUNK, size - number * CHUNK)
        _fill(sealed, read[: wanted + TAG])
        nonce = _nonce(number, number == chunks - 1)
        try:
            cipher.decrypt_into(nonce, read[: wanted + TAG], bound, made[:wanted])
        except InvalidTag:
            raise Damaged from None
        if plain is not None:
            plain.write(made[:wanted])
        count(wanted)
    if sealed.read(1):
        raise Damaged


def _chunks(size: int) -> int:
    """An empty file has one too, which says that it is empty."""
    return max(1, -(-size // CHUNK))


def _nonce(number: int, last: bool) -> bytes:
    return number.to_bytes(11, "big") + bytes([last])


def _fill(file: IO[bytes], into: memoryview) -> None:
    done = 0
    while done < len(into):
        got = file.readinto(into[done:])  # type: ignore[attr-defined]
        if not got:
            raise Damaged
        done += got
