"""What is in a backup, one thing after the other: tables in rows, files in pieces, the end."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from dazi.core.language import Text
from dazi.ops.backup.sealed import SealedReader, SealedWriter, damaged, frame

Told = Callable[[Text], None]
"""Hears what has just been done."""
LONGEST_ENTRY = 1 << 30
PIECE = 1 << 18
"""Bytes of a file at a time."""


class Table(msgspec.Struct, frozen=True, tag="table"):
    name: str
    columns: list[str]


class Rows(msgspec.Struct, frozen=True, tag="rows"):
    """Of the table that came last."""

    rows: list[list[Any]]


class File(msgspec.Struct, frozen=True, tag="file"):
    """``root``: ``data`` or ``company``; ``path``: below it, with ``/``; ``mode``: its rights."""

    root: str
    path: str
    mode: int


class Piece(msgspec.Struct, frozen=True, tag="piece"):
    """Of the file that came last."""

    data: bytes


class End(msgspec.Struct, frozen=True, tag="end"):
    rows: int
    files: int


Entry = Table | Rows | File | Piece | End
_encoded = msgspec.msgpack.Encoder().encode
_decoded = msgspec.msgpack.Decoder(Entry).decode


class Packer:
    """Compresses entries into a sealed file, and counts them."""

    def __init__(self, out: SealedWriter) -> None:
        self._out = out
        self._deflate = zlib.compressobj(1)
        self.rows = 0
        self.files = 0

    def put(self, entry: Entry) -> None:
        if isinstance(entry, Rows):
            self.rows += len(entry.rows)
        elif isinstance(entry, File):
            self.files += 1
        self._out.write(self._deflate.compress(frame(_encoded(entry))))

    def close(self) -> None:
        self.put(End(self.rows, self.files))
        self._out.write(self._deflate.flush())
        self._out.close()


def entries(reader: SealedReader) -> Iterator[Entry]:
    """Without the end, which is checked. Raises ``CallerError`` where the file was changed."""
    rows = files = 0
    ended = False
    for data in _frames(reader):
        try:
            entry = _decoded(data)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise damaged() from None
        if ended:
            raise damaged()
        if isinstance(entry, End):
            ended = (entry.rows, entry.files) == (rows, files)
            continue
        rows += len(entry.rows) if isinstance(entry, Rows) else 0
        files += isinstance(entry, File)
        yield entry
    if not ended:
        raise damaged()


def _frames(reader: SealedReader) -> Iterator[bytes]:
    inflate = zlib.decompressobj()
    waiting = bytearray()
    for chunk in reader.chunks():
        try:
            waiting += inflate.decompress(chunk)
        except zlib.error:
            raise damaged() from None
        while len(waiting) >= 4:
            size = int.from_bytes(waiting[:4], "big")
            if size > LONGEST_ENTRY:
                raise damaged()
            if len(waiting) < 4 + size:
                break
            yield bytes(waiting[4 : 4 + size])
            del waiting[: 4 + size]
    if waiting or not inflate.eof:
        raise damaged()
