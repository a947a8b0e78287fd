"""The key that data keys of weights are wrapped with: where it comes from, and the wrapping.

The key itself encrypts no weights: it wraps one random data key a model, so that changing it means to
write a few bytes anew. It comes from a file, from the environment, or from a command that prints it,
which is how a key-management service or a hardware module is asked.
"""

from __future__ import annotations

import binascii
import hmac
import os
import shlex
import subprocess
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from dazi.core.errors import OperatorError
from dazi.inference.weights.stream import KEY_BYTES

NONCE_BYTES = 12
COMMAND_SECONDS = 30.0
LONGEST = 4096
_SAID = 200
"""Characters of a command's complaint that are shown."""


@dataclass(frozen=True, slots=True)
class WrappingKey:
    """``id`` tells keys apart and tells nothing about them; ``source`` is for people."""

    value: bytes = field(repr=False)
    source: str

    @property
    def id(self) -> str:
        return hmac.digest(self.value, b"dazi weights key", "sha256").hex()[:12]

    def wrap(self, data_key: bytes, model: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.value).encrypt(nonce, data_key, _bound(model))

    def unwrap(self, wrapped: bytes, model: str) -> bytes | None:
        """``None`` where this is not the key, or where what was wrapped was changed."""
        nonce, rest = wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:]
        try:
            return AESGCM(self.value).decrypt(nonce, rest, _bound(model))
        except (InvalidTag, ValueError):
            return None


@dataclass(frozen=True, slots=True)
class KeySource:
    """Where a key is; one of three, or none. ``value`` is the key as text."""

    value: str = field(default="", repr=False)
    file: Path | None = None
    command: str = ""
    names: tuple[str, str, str] = (
        "DAZI_WEIGHTS_KEY",
        "DAZI_WEIGHTS_KEY_FILE",
        "DAZI_WEIGHTS_KEY_COMMAND",
    )
    """What the three are called where somebody sets them."""

    @property
    def given(self) -> bool:
        return bool(self.value or self.file or self.command)

    def read(self) -> WrappingKey:
        """Asked for each time, so that what rotates it need not restart us. Raises ``OperatorError``."""
        told = [
            n for n, v in zip(self.names, (self.value, self.file, self.command), strict=True) if v
        ]
        if len(told) > 1:
            both = "、".join(told), " and ".join(told)
            raise _unusable(f"{both[0]} 只设一个", f"{both[1]} are set: set one of them")
        if not told:
            zh = f"没有密钥:设置 {self.names[1]}、{self.names[0]} 或 {self.names[2]}"
            en = f"there is no key: set {self.names[1]}, {self.names[0]} or {self.names[2]}"
            raise OperatorError("weights_key_missing", zh, en)
        if self.file is not None:
            return WrappingKey(_key(_read(self.file), str(self.file)), str(self.file))
        if self.command:
            return WrappingKey(_key(_printed(self.command), self.names[2]), self.names[2])
        return WrappingKey(_key(self.value.encode(), self.names[0]), self.names[0])


def _read(file: Path) -> bytes:
    try:
        with file.open("rb") as content:
            return content.read(LONGEST)
    except OSError as e:
        raise _unusable(
            f"读不了 {file}:{e.strerror}", f"{file} cannot be read: {e.strerror}"
        ) from e


def _printed(command: str) -> bytes:
    """No shell reads the command; what it prints is shown to nobody."""
    try:
        words = shlex.split(command)
        done = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=COMMAND_SECONDS,
            check=False,
        )
    except (OSError, ValueError, IndexError) as e:
        raise _unusable(f"命令运行不了:{e}", f"the command cannot be run: {e}") from e
    except subprocess.TimeoutExpired:
        raise _unusable(
            f"命令 {words[0]} 超过 {COMMAND_SECONDS:g} 秒没有结束",
            f"the command {words[0]} did not end within {COMMAND_SECONDS:g} seconds",
        ) from None
    if done.returncode:
        complaint = done.stderr.decode("utf-8", "replace").strip().splitlines()
        said = complaint[-1][:_SAID] if complaint else "-"
        raise _unusable(
            f"命令 {words[0]} 以 {done.returncode} 结束:{said}",
            f"the command {words[0]} ended with {done.returncode}: {said}",
        )
    return done.stdout[:LONGEST]


def _key(given: bytes, where: str) -> bytes:
    """32 bytes: as they are, in hexadecimal, or in base64 of either alphabet."""
    if len(given) == KEY_BYTES:
        return given
    text = given.strip()
    try:
        if len(text) == 2 * KEY_BYTES:
            return bytes.fromhex(text.decode("ascii"))
        plain = text.rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")
        found = urlsafe_b64decode(plain + b"=" * (-len(plain) % 4))
    except (ValueError, binascii.Error):
        found = b""
    if len(found) != KEY_BYTES:
        raise _unusable(
            f"{where} 里不是密钥:要 {KEY_BYTES} 字节,写成十六进制({2 * KEY_BYTES} 位)或 base64",
            f"{where} holds no key: it takes {KEY_BYTES} bytes, in hexadecimal ({2 * KEY_BYTES} digits) "
            "or base64",
        )
    return found


def _bound(model: str) -> bytes:
    return f"dazi weights data key\0{model}".encode()


def _unusable(zh: str, en: str) -> OperatorError:
    return OperatorError("weights_key", f"权重的密钥用不了:{zh}", f"the key of the weights: {en}")
