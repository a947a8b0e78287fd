"""``dazi_weights.json``: what an encrypted model consists of, and its wrapped data key.

Readable without the key, because lists of models and people want to know what lies there; not
changeable without it: the files with their sizes and salts are under a MAC made with the data key.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path, PurePosixPath
from typing import Literal

import msgspec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from dazi.core.errors import OperatorError
from dazi.inference.weights.stream import KEY_BYTES

FILE = "dazi_weights.json"
FORMAT = 1
ENDING = ".sealed"
Kind = Literal["openvino", "gguf", "adapter", "files"]
_LONGEST = 16 << 20


class SealedFile(msgspec.Struct, frozen=True):
    """``name``: below the model's folder, with ``/``; ``sealed``: the file that holds it; ``size`` in
    bytes of plain text."""

    name: str
    sealed: str
    size: int
    salt: bytes


class Manifest(msgspec.Struct, frozen=True):
    """``model``: a random id; ``name``: for people; ``entry``: the file that is the model, where that is
    one file; ``key``: the id of the key that wrapped the data key."""

    model: str
    name: str
    kind: Kind
    entry: str
    files: tuple[SealedFile, ...]
    key: str
    wrapped: bytes
    mac: bytes = b""
    format: int = FORMAT

    @property
    def size(self) -> int:
        return sum(f.size for f in self.files)

    def signed(self, data_key: bytes) -> Manifest:
        return msgspec.structs.replace(self, mac=self._mac(data_key))

    def sound(self, data_key: bytes) -> bool:
        return hmac.compare_digest(self.mac, self._mac(data_key))

    def _mac(self, data_key: bytes) -> bytes:
        """Of all but the wrapping, which is authenticated by itself and changes alone."""
        key = HKDFExpand(SHA256(), KEY_BYTES, b"dazi weights manifest\0").derive(data_key)
        plain = msgspec.structs.replace(self, key="", wrapped=b"", mac=b"")
        return hmac.digest(key, msgspec.json.encode(plain, order="deterministic"), "sha256")


def is_sealed(path: Path) -> bool:
    return (path / FILE).is_file()


def read_manifest(folder: Path) -> Manifest:
    """Raises ``OperatorError`` where it is none, or names what is no part of the folder."""
    path = folder / FILE
    try:
        with path.open("rb") as file:
            data = file.read(_LONGEST)
        form = msgspec.json.decode(data, type=dict[str, object]).get("format")
        if isinstance(form, int) and form > FORMAT:
            raise OperatorError(
                "weights_newer",
                f"{path} 来自更新的版本;请升级搭子",
                f"{path} comes from a newer version of Dazi",
            )
        found = msgspec.json.decode(data, type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as e:
        raise tampered(path) from e
    names = [f.name for f in found.files]
    if (
        len(set(names)) != len(names)
        or not all(_below(f.name) and _plain(f.sealed) and f.size >= 0 for f in found.files)
        or (found.entry and found.entry not in names)
    ):
        raise tampered(path)
    return found


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """As one step."""
    fresh = folder / f".{FILE}.{os.getpid()}"
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1) + b"\n"
    with fresh.open("wb") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(fresh, folder / FILE)


def tampered(path: Path | str) -> OperatorError:
    return OperatorError(
        "weights_tampered",
        f"{path} 被改过或不完整,没有载入;从可信的备份取回,或重新加密",
        f"{path} was changed or is incomplete, and nothing was loaded: take it from a trusted copy, or "
        "encrypt the model again",
    )


def _below(name: str) -> bool:
    """No name leads out of the folder that it is written to."""
    path = PurePosixPath(name)
    return (
        bool(path.parts)
        and not path.is_absolute()
        and ".." not in path.parts
        and "\0" not in name
        and "\\" not in name
        and ":" not in name
    )


def _plain(name: str) -> bool:
    return _below(name) and "/" not in name
