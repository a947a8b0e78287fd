"""A PDF with highlights on some of its words and a note on each, made in the worker (ISO 32000-1, 12.5.6.10).

Nothing of its pages changes: highlights are annotations, which readers show above them and can hide.
"""

from __future__ import annotations

import ctypes
from collections.abc import Iterator, Sequence
from io import BytesIO
from itertools import groupby
from typing import Any, BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from dazi.core.bare import bare
from dazi.knowledge.blocks import Box
from dazi.knowledge.parsing.messages import Highlight
from dazi.knowledge.parsing.refusals import Refused

PIECE_BYTES = 64 << 10
OPACITY = 110
NOTE_SIDE = 18.0
"""Of the sign of a note that is on no words, in points."""
_SHORTEST = 6
"""Characters of a part of the words that is enough to tell the place."""
_Corners = tuple[float, float, float, float]
"""Left, bottom, right and top, in points from the page's bottom left corner."""


def highlighted(file: BinaryIO, wanted: Sequence[Highlight]) -> Iterator[bytes]:
    """In pieces. Raises ``Refused``."""
    try:
        document = pdfium.PdfDocument(file)
        for number, group in groupby(sorted(wanted, key=lambda h: h.page), lambda h: h.page):
            if 1 <= number <= len(document):
                _on_page(document[number - 1], list(group))
        out = BytesIO()
        document.save(out)
    except pdfium.PdfiumError as error:
        locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
        raise Refused("encrypted" if locked else "damaged") from error
    data = out.getbuffer()
    for start in range(0, len(data), PIECE_BYTES):
        yield bytes(data[start : start + PIECE_BYTES])


def _on_page(page: Any, wanted: Sequence[Highlight]) -> None:
    text = page.get_textpage()
    count = text.count_chars()
    characters = (chr(raw.FPDFText_GetUnicode(text.raw, n)) for n in range(count))
    said, where = bare(characters)
    notes = 0
    for highlight in wanted:
        found = _found(said, bare(highlight.words)[0])
        if found is not None:
            first, last = where[found[0]], where[found[1] - 1]
            areas = [text.get_rect(n) for n in range(text.count_rects(first, last - first + 1))]
        else:
            areas = [_corners(page, highlight.box)] if highlight.box is not None else []
        if areas:
            _highlight(page, areas, highlight)
        else:
            _note(page, notes, highlight)
            notes += 1


def _found(said: str, words: str) -> tuple[int, int] | None:
    """All the words, else as many of the first as are there: a sentence may go on overleaf."""
    length = len(words)
    while length >= min(_SHORTEST, len(words)) and length:
        at = said.find(words[:length])
        if at >= 0:
            return at, at + length
        length = length * 3 // 4
    return None


def _corners(page: Any, box: Box) -> _Corners:
    height = page.get_height()
    left, top, right, bottom = box
    return left, height - bottom, right, height - top


def _highlight(page: Any, areas: Sequence[_Corners], highlight: Highlight) -> None:
    annotation = raw.FPDFPage_CreateAnnot(page.raw, raw.FPDF_ANNOT_HIGHLIGHT)
    for left, bottom, right, top in areas:
        corners = raw.FS_QUADPOINTSF(left, top, right, top, left, bottom, right, bottom)
        raw.FPDFAnnot_AppendAttachmentPoints(annotation, corners)
    whole = raw.FS_RECTF(
        min(a[0] for a in areas),
        max(a[3] for a in areas),
        max(a[2] for a in areas),
        min(a[1] for a in areas),
    )
    _finished(annotation, whole, highlight)


def _note(page: Any, before: int, highlight: Highlight) -> None:
    """On no words: one below the other at the edge."""
    annotation = raw.FPDFPage_CreateAnnot(page.raw, raw.FPDF_ANNOT_TEXT)
    top = page.get_height() - NOTE_SIDE * (1 + 1.2 * before)
    at = raw.FS_RECTF(NOTE_SIDE, top, 2 * NOTE_SIDE, top - NOTE_SIDE)
    _finished(annotation, at, highlight)


def _finished(annotation: Any, area: Any, highlight: Highlight) -> None:
    raw.FPDFAnnot_SetRect(annotation, area)
    raw.FPDFAnnot_SetColor(annotation, raw.FPDFANNOT_COLORTYPE_Color, *highlight.colour, OPACITY)
    raw.FPDFAnnot_SetFlags(annotation, raw.FPDF_ANNOT_FLAG_PRINT)
    for key, value in ((b"Contents", highlight.text), (b"T", highlight.author)):
        encoded = (value + "\0").encode("utf-16-le")
        buffer = ctypes.create_string_buffer(encoded, len(encoded))
        raw.FPDFAnnot_SetStringValue(annotation, key, ctypes.cast(buffer, raw.FPDF_WIDESTRING))
    raw.FPDFPage_CloseAnnot(annotation)
