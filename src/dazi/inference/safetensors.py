"""Weights in a safetensors file, read where they lie."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import numpy.typing as npt

_LONGEST_HEADER = 100 << 20
_KINDS: dict[str, Any] = {"F32": np.float32, "F16": np.float16, "BF16": np.uint16}


class _Entry(msgspec.Struct, frozen=True):
    dtype: str
    shape: list[int]
    data_offsets: tuple[int, int]


def read_weights(path: Path) -> dict[str, npt.NDArray[np.float32]]:
    """All floating-point tensors of the file by name; others are left out.

    Format: an unsigned length of eight bytes, so much JSON, the tensors. Raises ``OSError``, and
    ``ValueError`` for what is no such file.
    """
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
        if length > min(_LONGEST_HEADER, size - 8):
            raise ValueError(f"{path.name} is no safetensors file")
        header = msgspec.json.decode(file.read(length), type=dict[str, msgspec.Raw])
    header.pop("__metadata__", None)
    data = np.memmap(path, np.uint8, "r", offset=8 + length)
    out = {}
    for name, raw in header.items():
        entry = msgspec.json.decode(raw, type=_Entry)
        if entry.dtype in _KINDS:
            out[name] = _tensor(name, entry, data)
    return out


def _tensor(name: str, entry: _Entry, data: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    kind = np.dtype(_KINDS[entry.dtype])
    begin, end = entry.data_offsets
    count = int(np.prod(entry.shape, dtype=np.int64))
    if not 0 <= begin <= end <= len(data) or end - begin != count * kind.itemsize:
        raise ValueError(f"the place of {name} does not fit its shape")
    # Copied, because a tensor may begin at any byte.
    held: npt.NDArray[Any] = data[begin:end].copy().view(kind).reshape(entry.shape)
    if entry.dtype == "BF16":
        held = (held.astype(np.uint32) << 16).view(np.float32)
    return held.astype(np.float32, copy=False)
