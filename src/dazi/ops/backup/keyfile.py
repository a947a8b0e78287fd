"""The ledger's data keys, kept apart from the backups, in one file that is always overwritten.

A backup holds no data keys: those of somebody who was erased would come back with it. All backups
of an installation share the file of keys. It is encrypted to a public key that the passphrase
leads to (RFC 9180), and the public key stays with the installation: so an erasure overwrites the
file at once, and asks for no passphrase.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from dazi.audit.copies import KeyCopy, copied
from dazi.audit.files import replace
from dazi.core.errors import CallerError, DaziError
from dazi.ops.backup.sealed import (
    FORMAT,
    LONGEST_HEADER,
    Derive,
    damaged,
    derive,
    frame,
    read_framed,
    subkey,
    wrong_passphrase,
)

NAME = "dazi.keys"
MAGIC = b"DAZIKEY\n"
KNOWN = "backups.json"
"""In the folder of the audit keys: where files of keys are, and whom they are encrypted to."""
_SUITE = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class KeyHeader(msgspec.Struct, frozen=True):
    installation: str
    salt: bytes
    public: bytes
    format: int = FORMAT


class Known(msgspec.Struct, frozen=True):
    path: str
    salt: bytes
    public: bytes


@dataclass(frozen=True, slots=True)
class Refreshed:
    """Which files of keys were overwritten, and which could not be reached."""

    done: tuple[Path, ...]
    failed: tuple[Path, ...]


def public_of(root: bytes) -> bytes:
    """``root``: what the passphrase and the salt lead to."""
    return _private(root).public_key().public_bytes_raw()


def write_keys(folder: Path, known: Known) -> int:
    """Write the keys in ``folder`` to the file, as one step; how many. None, and no file, where
    nothing was ever sealed. Raises ``CallerError`` where another installation's file is there."""
    copy = copied(folder)
    if copy is None:
        return 0
    path = Path(known.path)
    _check_owner(path, copy.installation)
    header = KeyHeader(copy.installation, known.salt, known.public)
    head = MAGIC + frame(msgspec.json.encode(header))
    whom = X25519PublicKey.from_public_bytes(known.public)
    sealed = _SUITE.encrypt(msgspec.msgpack.encode(copy), whom, head)
    replace(path, head + sealed)
    return sum(not key.destroyed for key in copy.keys)


def remember(folder: Path, known: Known) -> None:
    """So that an erasure finds the file."""
    others = [k for k in _known(folder) if k.path != known.path]
    replace(folder / KNOWN, msgspec.json.encode([*others, known]))


def refresh(folder: Path) -> Refreshed:
    """Overwrite every file of keys that is known, as after an erasure."""
    done: list[Path] = []
    failed: list[Path] = []
    for known in _known(folder):
        path = Path(known.path)
        try:
            if not path.exists():
                raise FileNotFoundError(path)
            write_keys(folder, known)
            done.append(path)
        except (DaziError, OSError):
            failed.append(path)
    return Refreshed(tuple(done), tuple(failed))


def remembered(folder: Path) -> list[Path]:
    """The files of keys that an erasure overwrites."""
    return [Path(known.path) for known in _known(folder)]


def read_keys(path: Path, passphrase: str, derive: Derive = derive) -> KeyCopy:
    """Raises ``CallerError`` for a wrong passphrase and for a file that was changed."""
    try:
        data = path.read_bytes()
    except OSError as e:
        raise CallerError(
            "keys",
            f"读不了密钥文件 {path}:{e.strerror}。用 --keys 指定,或用 --without-keys 不带密钥恢复"
            "(账本里的个人内容将不可读)",
            f"the file of keys {path} cannot be read: {e.strerror}. Name it with --keys, or go "
            "without (--without-keys): what is personal in the ledger stays unreadable then",
        ) from e
    header, head = _header(data)
    root = derive(passphrase, header.salt)
    if public_of(root) != header.public:
        raise wrong_passphrase()
    try:
        opened = _SUITE.decrypt(data[len(head) :], _private(root), head)
        copy = msgspec.msgpack.decode(opened, type=KeyCopy)
    except (InvalidTag, ValueError, msgspec.DecodeError):
        raise damaged() from None
    if copy.installation != header.installation:
        raise damaged()
    return copy


def _header(data: bytes) -> tuple[KeyHeader, bytes]:
    """And the bytes that it was read from."""
    file = BytesIO(data)
    if file.read(len(MAGIC)) != MAGIC:
        raise CallerError("no_keys", "这不是搭子的密钥文件", "this is no file of Dazi's keys")
    head = read_framed(file, LONGEST_HEADER)
    try:
        return msgspec.json.decode(head, type=KeyHeader), data[: file.tell()]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise damaged() from None


def _check_owner(path: Path, installation: str) -> None:
    try:
        there = path.read_bytes()
    except FileNotFoundError:
        return
    if _header(there)[0].installation != installation:
        raise CallerError(
            "keys",
            f"{path} 是另一套系统的密钥文件,不覆盖;用 --keys 另指定一个",
            f"{path} holds another installation's keys and is not overwritten; "
            "name another file with --keys",
        )


def _known(folder: Path) -> list[Known]:
    with suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode((folder / KNOWN).read_bytes(), type=list[Known])
    return []


def _private(root: bytes) -> X25519PrivateKey:
    return X25519PrivateKey.from_private_bytes(subkey(root, "keys"))
