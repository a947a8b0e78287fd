"""The Ed25519 key that signs checkpoints, and every public key that ever did.

A new key is signed by the one before it, so whoever keeps an old public key elsewhere can follow
to the present one.
"""

from __future__ import annotations

import hashlib
import time
from base64 import b64decode, b64encode
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from dazi.audit.files import append_line, keys_at, read_or_make, replace
from dazi.audit.records import framed
from dazi.core.errors import ConfigError


class Known(msgspec.Struct, frozen=True):
    """A public key (raw, base64), and the signature of the key before it, if there was one."""

    id: str
    public: str
    at: float
    by: str = ""
    signature: str = ""

    def key(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(b64decode(self.public))

    def statement(self) -> bytes:
        return framed("dazi audit key", self.id, self.public, self.by)


class Trust:
    """The public keys whose signatures count, by their ids."""

    def __init__(self, keys: Iterable[Ed25519PublicKey]) -> None:
        self._keys = {key_id(k): k for k in keys}

    def __contains__(self, number: str) -> bool:
        return number in self._keys

    def valid(self, number: str, statement: bytes, signature: str) -> bool:
        key = self._keys.get(number)
        if key is None:
            return False
        try:
            key.verify(b64decode(signature), statement)
        except (InvalidSignature, ValueError):
            return False
        return True

    def follow(self, known: Iterable[Known]) -> Trust:
        """Also those that a trusted key, or one that it leads to, has signed."""
        for k in known:
            if k.id not in self and self.valid(k.by, k.statement(), k.signature):
                key = k.key()
                if key_id(key) == k.id:
                    self._keys[k.id] = key
        return self


class SigningKeys:
    """The keys in ``folder``; the first one is made when something is first signed."""

    def __init__(self, folder: Path) -> None:
        self._private = folder / "signing.key"
        self._public = folder / "public.jsonl"
        self.head = folder / "head.json"
        """Where the latest checkpoint is kept outside the database."""

    def sign(self, statement: bytes) -> tuple[str, str]:
        """The key's id and the signature, base64. Raises ``OperatorError``."""
        key = self._current()
        return key_id(key.public_key()), b64encode(key.sign(statement)).decode()

    def public_pem(self) -> str:
        return pem(self._current().public_key())

    def rotate(self) -> str:
        """Sign with a new key from now on; its id. What the old one signed stays valid."""
        old, new = self._current(), Ed25519PrivateKey.generate()
        unsigned = _known(new.public_key(), key_id(old.public_key()))
        signature = b64encode(old.sign(unsigned.statement())).decode()
        told = msgspec.structs.replace(unsigned, signature=signature)
        append_line(self._public, msgspec.json.encode(told))
        replace(self._private, _private_pem(new))
        return told.id

    def known(self) -> list[Known]:
        """Every public key, oldest first; none if nothing was ever signed. Raises ``ConfigError``."""
        with keys_at(self._public):
            if not self._public.exists():
                return []
            lines = self._public.read_bytes().splitlines()
        return [self._read(number, line) for number, line in enumerate(lines, 1) if line]

    def _read(self, number: int, line: bytes) -> Known:
        try:
            known = msgspec.json.decode(line, type=Known)
            known.key()
        except (ValueError, RecursionError) as e:
            raise ConfigError(
                self._public, number, f"读不出公钥:{e}", f"no public key can be read here: {e}"
            ) from e
        return known

    def trust(self, root: Ed25519PublicKey | None = None) -> Trust:
        """Whom to believe: every known key, or ``root`` and those that it leads to."""
        known = self.known()
        if root is None:
            return Trust(k.key() for k in known)
        return Trust([root]).follow(known)

    def _current(self) -> Ed25519PrivateKey:
        made = read_or_make(self._private, lambda: _private_pem(Ed25519PrivateKey.generate()))
        try:
            key = load_pem_private_key(made, None)
        except (ValueError, TypeError) as e:  # TypeError: it has a passphrase
            raise ConfigError(
                self._private, None, f"读不出私钥:{e}", f"no private key can be read here: {e}"
            ) from e
        if not isinstance(key, Ed25519PrivateKey):
            raise ConfigError(
                self._private, None, "这不是 Ed25519 私钥", "this is no Ed25519 private key"
            )
        told = _known(key.public_key(), "")
        if all(k.id != told.id for k in self.known()):
            append_line(self._public, msgspec.json.encode(told))
        return key


def key_id(key: Ed25519PublicKey) -> str:
    return hashlib.sha256(_raw(key)).hexdigest()[:16]


def pem(key: Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read_public(path: Path) -> Ed25519PublicKey:
    """From a PEM file. Raises ``ConfigError``."""
    try:
        key = load_pem_public_key(path.read_bytes())
    except (OSError, ValueError) as e:
        raise ConfigError(
            path, None, f"读不出公钥:{e}", f"no public key can be read here: {e}"
        ) from e
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigError(path, None, "这不是 Ed25519 公钥", "this is no Ed25519 public key")
    return key


def _known(key: Ed25519PublicKey, by: str) -> Known:
    return Known(key_id(key), b64encode(_raw(key)).decode(), time.time(), by)


def _raw(key: Ed25519PublicKey) -> bytes:
    return key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _private_pem(key: Ed25519PrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
