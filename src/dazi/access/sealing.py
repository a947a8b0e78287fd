"""Secrets that must be read again (unlike passwords) are kept under a key of their own.

AES-256-GCM (NIST SP 800-38D). What a secret belongs to is authenticated with it, so a row copied
onto another person's opens nothing.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dazi.core.errors import OperatorError

KEY_BYTES = 32
NONCE_BYTES = 12


class Sealer:
    """``key``: 32 random bytes. The same for all processes that share a database."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def at(cls, path: Path) -> Sealer:
        """The key in a file that only its owner may read; made where there is none."""
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:
            key = path.read_bytes()
        else:
            key = secrets.token_bytes(KEY_BYTES)
            with os.fdopen(descriptor, "wb") as out:
                out.write(key)
                out.flush()
                os.fsync(out.fileno())
        if len(key) != KEY_BYTES:
            raise OperatorError(
                "sealing_key",
                f"{path} 应有 {KEY_BYTES} 字节;请从备份恢复这个文件",
                f"{path} must hold {KEY_BYTES} bytes; bring it back from a backup",
            )
        return cls(key)

    def seal(self, secret: bytes, belongs_to: str) -> bytes:
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, belongs_to.encode())

    def open(self, sealed: bytes, belongs_to: str) -> bytes:
        """Raises ``OperatorError`` where it was sealed with another key or for somebody else."""
        nonce, rest = sealed[:NONCE_BYTES], sealed[NONCE_BYTES:]
        try:
            return self._cipher.decrypt(nonce, rest, belongs_to.encode())
        except (InvalidTag, ValueError):
            raise OperatorError(
                "sealing_key",
                "保存的密钥解不开;密钥文件换过,或者数据被改过",
                "a kept secret cannot be opened: the key file or the data was changed",
            ) from None
