"""A page of a PDF as a picture, drawn in the worker: PNG (ISO/IEC 15948), 24 bits a pixel."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from dazi.knowledge.blocks import Box
from dazi.knowledge.parsing.messages import Drawing
from dazi.knowledge.parsing.refusals import Refused

SCALE = 2.0
"""Pixels a point: text of 9 points is sharp on screens with two pixels for one."""
LONGEST_SIDE = 1_700
PIECE_BYTES = 64 << 10
_MARK = (15, 118, 110, 255)
_LINE = 3
_SIGNATURE = b"\x89PNG\r\n\x1a\n"


def png(file: BinaryIO, wanted: Drawing) -> Iterator[bytes]:
    """In pieces. Raises ``Refused``."""
    try:
        document = pdfium.PdfDocument(file)
        if not 1 <= wanted.page <= len(document):
            raise Refused("damaged")
        page = document[wanted.page - 1]
        scale = min(SCALE, LONGEST_SIDE / max(*page.get_size(), 1.0))
        bitmap = page.render(scale=scale, may_draw_forms=False, rev_byteorder=True)
    except pdfium.PdfiumError as error:
        locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Refused("encrypted" if locked else "damaged") from error
    if wanted.box is not None:
        _mark(bitmap, wanted.box, scale)
    yield from _encoded(bitmap)


def _mark(bitmap: Any, box: Box, scale: float) -> None:
    """A frame around what stands in ``box``."""
    left, top, right, bottom = (round(v * scale) for v in box)
    left, top = max(left - 2 * _LINE, 0), max(top - 2 * _LINE, 0)
    right = min(right + 2 * _LINE, bitmap.width)
    bottom = min(bottom + 2 * _LINE, bitmap.height)
    width, height = right - left, bottom - top
    if width <= 0 or height <= 0:
        return
    for x, y, w, h in (
        (left, top, width, _LINE),
        (left, bottom - _LINE, width, _LINE),
        (left, top, _LINE, height),
        (right - _LINE, top, _LINE, height),
    ):
        bitmap.fill_rect(_MARK, x, y, w, h)


def _encoded(bitmap: Any) -> Iterator[bytes]:
    depth = bitmap.n_channels
    size = bitmap.width.to_bytes(4, "big") + bitmap.height.to_bytes(4, "big")
    colours = 0 if depth == 1 else 2
    yield _SIGNATURE + _chunk(b"IHDR", size + bytes((8, colours, 0, 0, 0)))
    packer = zlib.compressobj(6)
    pixels = memoryview(bitmap.buffer).cast("B")
    packed = b""
    for row in range(bitmap.height):
        line = bytes(pixels[row * bitmap.stride : row * bitmap.stride + bitmap.width * depth])
        if depth == 4:  # what stands behind the colours is not drawn
            line = b"".join(line[i : i + 3] for i in range(0, len(line), 4))
        packed += packer.compress(b"\0" + line)
        if len(packed) >= PIECE_BYTES:
            yield _chunk(b"IDAT", packed)
            packed = b""
    yield _chunk(b"IDAT", packed + packer.flush())
    yield _chunk(b"IEND", b"")


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = zlib.crc32(name + body)
    return len(body).to_bytes(4, "big") + name + body + checksum.to_bytes(4, "big")
