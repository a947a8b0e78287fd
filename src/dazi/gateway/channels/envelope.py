"""The encrypted envelope that WeCom and DingTalk wrap callbacks in.

SHA-1 over the sorted token, timestamp, nonce and ciphertext; AES-256-CBC under the decoded
EncodingAESKey, whose first half is the IV; 16 random bytes, the length in four bytes, the message
and whom it is for; PKCS#7 to 32 bytes. After 加解密方案说明 of developer.work.weixin.qq.com.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import re
import struct

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

from dazi.gateway.channels.protocol import Forged

BLOCK = 32
RANDOM = 16
KEY_CHARS = 43
_KEY = re.compile(r"[A-Za-z0-9+/]{43}")


class Envelope:
    """``receiver``: whom messages are for (a corp id, an app key)."""

    def __init__(self, token: str, aes_key: str, receiver: str) -> None:
        """Raises ``ValueError`` for a key that is none."""
        if _KEY.fullmatch(aes_key) is None:
            raise ValueError(f"an EncodingAESKey has {KEY_CHARS} letters and digits")
        self._token = token
        self._key = base64.b64decode(f"{aes_key}=")
        self.receiver = receiver

    def signature(self, timestamp: str, nonce: str, encrypted: str) -> str:
        parts = sorted((self._token, timestamp, nonce, encrypted))
        return hashlib.sha1("".join(parts).encode(), usedforsecurity=False).hexdigest()

    def opened(self, signature: str, timestamp: str, nonce: str, encrypted: str) -> bytes:
        """The message. The signature is looked at first. Raises ``Forged``."""
        wanted = self.signature(timestamp, nonce, encrypted)
        if not hmac.compare_digest(wanted.encode(), signature.encode()):
            raise Forged("signature")
        try:
            raw = base64.b64decode(encrypted, validate=True)
        except (binascii.Error, ValueError):
            raise Forged("base64") from None
        if not raw or len(raw) % BLOCK:
            raise Forged("length")
        plain = self._decrypted(raw)
        pad = plain[-1]
        if not 1 <= pad <= BLOCK or plain[-pad:] != bytes([pad]) * pad:
            raise Forged("padding")
        body = plain[RANDOM:-pad]
        if len(body) < 4:
            raise Forged("length")
        (size,) = struct.unpack(">I", body[:4])
        message, receiver = body[4 : 4 + size], body[4 + size :]
        if len(message) != size or not hmac.compare_digest(receiver, self.receiver.encode()):
            raise Forged("receiver")
        return message

    def seal(self, message: bytes, random: bytes = b"") -> str:
        """``random``: 16 bytes, new ones where none are given."""
        plain = (random or os.urandom(RANDOM)) + struct.pack(">I", len(message))
        plain += message + self.receiver.encode()
        pad = BLOCK - len(plain) % BLOCK
        made = Cipher(AES(self._key), CBC(self._key[:RANDOM])).encryptor()
        out = made.update(plain + bytes([pad]) * pad) + made.finalize()
        return base64.b64encode(out).decode()

    def _decrypted(self, raw: bytes) -> bytes:
        made = Cipher(AES(self._key), CBC(self._key[:RANDOM])).decryptor()
        return made.update(raw) + made.finalize()
