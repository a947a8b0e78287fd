"""The lines of a PDF page as its text layer has them, with where they stand."""

from __future__ import annotations

import ctypes
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import repeat
from statistics import median
from typing import Any

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from dazi.knowledge.blocks import Box
from dazi.knowledge.parsing.refusals import Refused

MOST_CHARACTERS = 200_000
"""Of one page; the densest pages of newspapers have some 20,000."""
_SPACES = frozenset(map(ord, " \t\u00a0\u3000\u2002\u2003"))
_BREAKS = frozenset((10, 13))
_HYPHEN = 2
"""What PDFium makes of a hyphen that divides a word at the end of a line."""
_SHOWN: dict[int, str | None] = {
    **dict.fromkeys((0, 0xFFFE, 0xFFFF, 0xAD, 0x200B, 0xFEFF)),
    _HYPHEN: "-",
}
_UNKNOWN = 0xFFFD
_WIDE_GAP = 0.8
"""Between cells, in heights of a line. Words of justified text are seldom so far apart, and their
gaps do not stand one below the other as those of a table do."""
_BOLD_WEIGHT = 600
_BOLD_NAME = re.compile(rb"bold|black|heavy|semib|simhei|heiti", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A stretch of a line without a wide gap in it."""

    text: str
    left: float
    right: float


@dataclass(frozen=True, slots=True)
class Line:
    """``size`` is the height of its characters as drawn, in points."""

    cells: tuple[Cell, ...]
    top: float
    bottom: float
    size: float
    bold: bool

    @property
    def text(self) -> str:
        return " ".join(c.text for c in self.cells)

    @property
    def left(self) -> float:
        return self.cells[0].left

    @property
    def right(self) -> float:
        return self.cells[-1].right

    @property
    def box(self) -> Box:
        return (self.left, self.top, self.right, self.bottom)


@dataclass(frozen=True, slots=True)
class Page:
    number: int
    width: float
    height: float
    lines: tuple[Line, ...]
    scanned: bool = False


@dataclass(frozen=True, slots=True)
class _Word:
    text: str
    box: Box
    first: int


def page_lines(page: pdfium.PdfPage) -> tuple[Line, ...]:
    """Raises ``Refused`` for more characters than a page has."""
    text = page.get_textpage()
    try:
        handle = text.raw  # the object itself would be converted anew in each of thousands of calls
        count = raw.FPDFText_CountChars(handle)
        if count > MOST_CHARACTERS:
            raise Refused("dense")
        codes = list(map(raw.FPDFText_GetUnicode, repeat(handle), range(count)))
        seen = _Geometry(page, text)
        lines = [_line(words, seen) for words in _worded(codes, seen)]
    finally:
        text.close()
    return tuple(_rows(lines))


class _Geometry:
    """Boxes as one sees them: from the top left corner of the page as it is turned."""

    def __init__(self, page: pdfium.PdfPage, text: pdfium.PdfTextPage) -> None:
        left, bottom, right, top = page.get_bbox()
        self._left, self._bottom = left, bottom
        self._width, self._height = right - left, top - bottom
        self._turned = raw.FPDFPage_GetRotation(page)
        self._text = text.raw
        self._rect = raw.FS_RECTF()
        self._name = ctypes.create_string_buffer(128)
        self._flags = ctypes.c_int()

    def box(self, index: int) -> Box:
        rect = self._rect
        raw.FPDFText_GetLooseCharBox(self._text, index, rect)
        x0, x1 = sorted((rect.left - self._left, rect.right - self._left))
        y0, y1 = sorted((rect.bottom - self._bottom, rect.top - self._bottom))
        match self._turned:
            case 1:
                return (y0, x0, y1, x1)
            case 2:
                return (self._width - x1, y0, self._width - x0, y1)
            case 3:
                return (self._height - y1, self._width - x1, self._height - y0, self._width - x0)
        return (x0, self._height - y1, x1, self._height - y0)

    def bold(self, index: int) -> bool:
        if raw.FPDFText_GetFontWeight(self._text, index) >= _BOLD_WEIGHT:
            return True
        raw.FPDFText_GetFontInfo(self._text, index, self._name, len(self._name), self._flags)
        return _BOLD_NAME.search(self._name.value) is not None


def _worded(codes: list[int], seen: _Geometry) -> Iterator[list[_Word]]:
    """The words of each line; a line ends where the text layer says, or where words fall apart."""
    words: list[_Word] = []
    start: int | None = None
    for i, code in enumerate([*codes, 10]):
        if code not in _SPACES and code not in _BREAKS:
            start = i if start is None else start
            continue
        if start is not None:
            word = _word(codes, start, i, seen)
            if words and word is not None and not _level(words[-1].box, word.box):
                yield words
                words = []
            if word is not None:
                words.append(word)
            start = None
        if code in _BREAKS and words:
            yield words
            words = []


def _word(codes: list[int], start: int, end: int, seen: _Geometry) -> _Word | None:
    known = (c if c <= sys.maxunicode else _UNKNOWN for c in codes[start:end])
    text = "".join(map(chr, known)).translate(_SHOWN)
    if not text:
        return None
    a, b = seen.box(start), seen.box(end - 1)
    box = (min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3]))
    return _Word(text, box, start)


def _level(a: Box, b: Box) -> bool:
    """Whether two boxes stand on one line: by more than half of the lower one."""
    shared = min(a[3], b[3]) - max(a[1], b[1])
    return shared > 0.5 * min(a[3] - a[1], b[3] - b[1])


def _line(words: list[_Word], seen: _Geometry) -> Line:
    size = median(w.box[3] - w.box[1] for w in words)
    cells: list[Cell] = []
    for word in words:
        left, right = word.box[0], word.box[2]
        last = cells[-1] if cells else None
        if last is None or left - last.right > _WIDE_GAP * size or left < last.left:
            cells.append(Cell(word.text, left, right))
        else:
            cells[-1] = Cell(f"{last.text} {word.text}", last.left, max(right, last.right))
    cells.sort(key=lambda c: c.left)
    top, bottom = min(w.box[1] for w in words), max(w.box[3] for w in words)
    return Line(tuple(cells), top, bottom, size, seen.bold(words[0].first))


def _rows(lines: list[Line]) -> Iterator[Line]:
    """Lines that go on to the right of the one before them, as cells of a table do, joined."""
    kept: Line | None = None
    for line in lines:
        if kept is not None and _beside(kept, line):
            kept = Line(
                (*kept.cells, *line.cells),
                min(kept.top, line.top),
                max(kept.bottom, line.bottom),
                kept.size,
                kept.bold and line.bold,
            )
            continue
        if kept is not None:
            yield kept
        kept = line
    if kept is not None:
        yield kept


def _beside(a: Line, b: Line) -> bool:
    return b.left > a.right and _level(a.box, b.box)


def has_picture(page: pdfium.PdfPage) -> bool:
    """Whether pictures cover a good part of the page."""
    left, bottom, right, top = page.get_bbox()
    area = abs((right - left) * (top - bottom)) or 1.0
    covered = 0.0
    found: Any
    for n, found in enumerate(page.get_objects([raw.FPDF_PAGEOBJ_IMAGE], max_depth=3)):
        x0, y0, x1, y1 = found.get_bounds()
        covered += abs((x1 - x0) * (y1 - y0))
        if covered > 0.3 * area or n > 1000:
            break
    return covered > 0.3 * area
