"""Which encoding a text file is in: Unicode by its mark, else UTF-8, else GB18030."""

from __future__ import annotations

import codecs
from typing import BinaryIO

from dazi.knowledge.parsing.refusals import Refused

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CANDIDATES = ("utf-8", "gb18030")
_PIECE = 1 << 20
_ALLOWED_CONTROLS = frozenset("\t\n\r\f\x1a\x1b\x0b\x08")


def encoding_of(file: BinaryIO) -> str:
    """A codec's name that reads the whole file. Raises ``Refused`` if it is no text."""
    file.seek(0)
    head = file.read(4)
    marked = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    for name in (marked,) if marked else _CANDIDATES:
        file.seek(0)
        if _reads(file, name):
            file.seek(0)
            return name
    raise Refused("not_text")


def _reads(file: BinaryIO, name: str) -> bool:
    decoder = codecs.getincrementaldecoder(name)()
    try:
        while piece := file.read(_PIECE):
            if _binary(decoder.decode(piece)):
                return False
        decoder.decode(b"", True)
    except UnicodeDecodeError:
        return False
    return True


def _binary(text: str) -> bool:
    """Programs and pictures decode as GB18030 now and then; their zeros give them away."""
    if "\x00" in text:
        return True
    controls = sum(text.count(chr(c)) for c in range(1, 32) if chr(c) not in _ALLOWED_CONTROLS)
    return controls * 100 > len(text)


def whole(file: BinaryIO) -> str:
    """All of the file as text. Raises ``Refused``."""
    name = encoding_of(file)
    return file.read().decode(name)
