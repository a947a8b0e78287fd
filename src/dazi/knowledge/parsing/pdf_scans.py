"""Pages that are pictures: their lines by OCR."""

from __future__ import annotations

import pypdfium2 as pdfium

from dazi.knowledge.parsing.ocr import Recogniser
from dazi.knowledge.parsing.pdf_lines import Cell, Line

_SCALE = 200 / 72
"""Dots a point: 200 an inch, which characters of 9 points need."""
_LONGEST_SIDE = 3_500


def recognised(page: pdfium.PdfPage, recogniser: Recogniser) -> tuple[Line, ...]:
    width, height = page.get_size()
    scale = min(_SCALE, _LONGEST_SIDE / max(width, height, 1.0))
    bitmap = page.render(scale=scale, no_smoothtext=False, may_draw_forms=False)
    try:
        found = recogniser.lines(bitmap.to_numpy())
    finally:
        bitmap.close()
    return tuple(
        Line(
            (Cell(text, left / scale, right / scale),),
            top / scale,
            bottom / scale,
            (bottom - top) / scale,
            False,
        )
        for text, (left, top, right, bottom) in found
        if text.strip()
    )
