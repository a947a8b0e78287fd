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
    header, begin = _header(path)
    data = np.memmap(path, np.uint8, "r", offset=begin)
    return {n: _tensor(n, e, data) for n, e in header.items() if e.dtype in _KINDS}


def read_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """The shapes of all tensors by name. Raises ``OSError``, and ``ValueError`` for what is no such
    file, or not all of it."""
    header, begin = _header(path)
    end = max((e.data_offsets[1] for e in header.values()), default=0)
    if begin + end > path.stat().st_size:
        raise ValueError(f"{path.name} ends too early")
    return {name: tuple(entry.shape) for name, entry in header.items()}


def _header(path: Path) -> tuple[dict[str, _Entry], int]:
    """Its entries, and where the tensors begin."""
    size = path.stat().st_size
    with path.open("rb") as file:
        first = file.read(8)
        length = struct.unpack("<Q", first)[0] if len(first) == 8 else size
        if length > min(_LONGEST_HEADER, size - 8):
            raise ValueError(f"{path.name} is no safetensors file")
        header = msgspec.json.decode(file.read(length), type=dict[str, msgspec.Raw])
    header.pop("__metadata__", None)
    return {n: msgspec.json.decode(raw, type=_Entry) for n, raw in header.items()}, 8 + length


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
