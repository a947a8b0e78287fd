"""Zip files with whatever in their headers, and deflate streams that are mostly nothing."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass

MIB = 1 << 20


def deflated(data: bytes) -> bytes:
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    return made.compress(data) + made.flush()


def inflating_to(unit: bytes, times: int, before: bytes = b"", after: bytes = b"") -> bytes:
    """A raw deflate stream of ``before``, ``unit`` so many times, and ``after``, without making it."""
    made = zlib.compressobj(9, zlib.DEFLATED, -15)
    start = made.compress(before) + made.flush(zlib.Z_FULL_FLUSH)
    piece = made.compress(unit) + made.flush(zlib.Z_FULL_FLUSH)
    end = made.compress(after) + made.flush()
    return start + piece * times + end


def zlib_stream(raw: bytes) -> bytes:
    """With the two bytes before it that PDF expects; the checksum after it is left out."""
    return b"\x78\xda" + raw


@dataclass(frozen=True)
class Entry:
    """``packed`` is written as it is; ``size`` is what the headers claim that it unpacks to."""

    name: str
    packed: bytes
    size: int
    method: int = 8
    flags: int = 0x800
    mode: int = 0o100644
    crc: int = 0

    @classmethod
    def of(cls, name: str, data: bytes | str, **more: int) -> Entry:
        data = data.encode() if isinstance(data, str) else data
        return cls(name, deflated(data), len(data), crc=zlib.crc32(data), **more)


def zipped(entries: Iterable[Entry]) -> bytes:
    body, directory, count = bytearray(), bytearray(), 0
    for e in entries:
        name = e.name.encode()
        shared = struct.pack(
            "<HHHHIIIHH",
            *(e.flags, e.method, 0, 33, e.crc, len(e.packed), min(e.size, 0xFFFFFFFE)),
            *(len(name), 0),
        )
        directory += b"PK\x01\x02\x14\x03\x14\x00" + shared
        directory += struct.pack("<HHHII", 0, 0, 0, e.mode << 16, len(body)) + name
        body += b"PK\x03\x04\x14\x00" + shared + name + e.packed
        count += 1
    few = min(count, 0xFFFF)
    end = struct.pack("<HHHHIIH", 0, 0, few, few, len(directory), len(body), 0)
    return bytes(body + directory) + b"PK\x05\x06" + end


def replaced(archive: bytes, changes: dict[str, bytes | str | Entry]) -> bytes:
    """A good archive with some of its entries other ones, or more of them."""
    import io
    import zipfile

    with zipfile.ZipFile(io.BytesIO(archive)) as old:
        entries = {i.filename: Entry.of(i.filename, old.read(i)) for i in old.infolist()}
    for name, new in changes.items():
        entries[name] = new if isinstance(new, Entry) else Entry.of(name, new)
    return zipped(entries.values())
