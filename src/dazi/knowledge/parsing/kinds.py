"""Which format a file is: what its name says, and whether its content agrees."""

from __future__ import annotations

from pathlib import PurePath
from typing import BinaryIO, Literal

from dazi.knowledge.parsing.refusals import Reason, Refused

Kind = Literal["pdf", "word", "excel", "html", "markdown", "text"]

_EXTENSIONS: dict[str, Kind] = {
    ".pdf": "pdf",
    ".docx": "word",
    ".docm": "word",
    ".dotx": "word",
    ".xlsx": "excel",
    ".xlsm": "excel",
    ".xltx": "excel",
    ".html": "html",
    ".htm": "html",
    ".md": "markdown",
    ".markdown": "markdown",
    ".txt": "text",
    ".text": "text",
}
_LEGACY = frozenset({".doc", ".xls", ".ppt", ".dot", ".xlt", ".wps", ".et"})
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ZIP = b"PK\x03\x04"
_PDF = b"%PDF-"
_UTF16 = (b"\xff\xfe", b"\xfe\xff")
_HEAD = 4096
_FOREIGN: dict[Kind, Reason] = {
    "pdf": "not_pdf",
    "word": "not_word",
    "excel": "not_excel",
    "html": "not_text",
    "markdown": "not_text",
    "text": "not_text",
}


def kind_of(path: PurePath) -> Kind | None:
    """What the extension says; none if there is none. Raises ``Refused`` for others."""
    suffix = path.suffix.lower()
    if suffix in _LEGACY:
        raise Refused("legacy")
    if suffix and suffix not in _EXTENSIONS:
        raise Refused("unknown")
    return _EXTENSIONS.get(suffix)


def settled(file: BinaryIO, said: Kind | None) -> Kind:
    """The kind as content and name agree on it. Leaves ``file`` at its beginning.

    Whether a zip holds a document or a workbook is for its reader to see.
    """
    file.seek(0)
    head = file.read(_HEAD)
    if head.startswith(_OLE):
        raise Refused("encrypted" if _encrypted_office(file, head) else "legacy")
    file.seek(0)
    if not head:
        raise Refused("empty")
    if head.startswith(_ZIP):
        if said in ("word", "excel"):
            return said
        if said is None:
            return _office_kind(file)
    elif head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(_PDF):
        if said in (None, "pdf"):
            return "pdf"
    elif said not in ("pdf", "word", "excel") and _is_text(head):
        return said or ("html" if _is_html(head) else "text")
    raise Refused(_FOREIGN[said] if said else "unknown")


def _office_kind(file: BinaryIO) -> Kind:
    from dazi.knowledge.parsing.archive import opened

    with opened(file) as archive:
        names = set(archive.namelist())
    file.seek(0)
    if any(n.startswith("word/") for n in names):
        return "word"
    if any(n.startswith("xl/") for n in names):
        return "excel"
    raise Refused("unknown")


def _is_text(head: bytes) -> bool:
    return head.startswith(_UTF16) or b"\x00" not in head


def _is_html(head: bytes) -> bool:
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    return start.startswith((b"<!doctype html", b"<html", b"<head", b"<body"))


def _encrypted_office(file: BinaryIO, head: bytes) -> bool:
    """Office encrypts into a compound file with a stream of this name ([MS-OFFCRYPTO] 2.3.1), which
    its directory's first sector lists ([MS-CFB] 2.2)."""
    shift = int.from_bytes(head[30:32], "little")
    first = int.from_bytes(head[48:52], "little")
    if shift not in (9, 12):
        return False
    file.seek((first + 1) << shift)
    return "EncryptedPackage".encode("utf-16-le") in file.read(4096)
