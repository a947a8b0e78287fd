"""Zip files that Office formats are: looked through before anything in them is unpacked."""

from __future__ import annotations

import stat
import zipfile
from typing import BinaryIO

from dazi.knowledge.parsing.refusals import Refused

MOST_ENTRIES = 20_000
MOST_UNPACKED = 1 << 30
"""Bytes that all entries together may claim. Parts are read piece by piece; pictures never are."""
MOST_RATIO = 200
"""Deflate reaches 1032; sheets of Office with the same row over and over stay below 100."""
FREE_BYTES = 1 << 20
"""Small parts may be as dense as they like."""


def opened(file: BinaryIO) -> zipfile.ZipFile:
    """The archive, if all its entries are what an Office program writes. Raises ``Refused``."""
    try:
        archive = zipfile.ZipFile(file)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError) as error:
        raise Refused("damaged") from error
    entries = archive.infolist()
    if len(entries) > MOST_ENTRIES:
        raise Refused("unpacked_size")
    if len({e.filename.lower() for e in entries}) != len(entries):
        raise Refused("unsafe_archive")
    for entry in entries:
        _check(entry)
    if sum(e.file_size for e in entries) > MOST_UNPACKED:
        raise Refused("unpacked_size")
    return archive


def _check(entry: zipfile.ZipInfo) -> None:
    name = entry.filename
    outside = name.startswith("/") or "\\" in name or ":" in name or ".." in name.split("/")
    link = stat.S_ISLNK(entry.external_attr >> 16)
    if outside or link or not name.isprintable():
        raise Refused("unsafe_archive")
    if entry.flag_bits & 1:
        raise Refused("encrypted")
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise Refused("damaged")
    if entry.file_size > FREE_BYTES and entry.file_size > MOST_RATIO * entry.compress_size:
        raise Refused("unpacked_size")
