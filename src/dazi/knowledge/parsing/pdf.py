"""PDF, a page at a time. At most five pages are held: running headers show by their neighbours."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

import pypdfium2 as pdfium
import pypdfium2.raw as raw

from dazi.knowledge.blocks import Progress
from dazi.knowledge.parsing.ocr import Recogniser
from dazi.knowledge.parsing.pdf_layout import body_size, page_blocks
from dazi.knowledge.parsing.pdf_lines import Page, has_picture, page_lines
from dazi.knowledge.parsing.pdf_running import NEIGHBOURS, without_running
from dazi.knowledge.parsing.pdf_scans import recognised
from dazi.knowledge.parsing.refusals import Refused
from dazi.knowledge.parsing.request import Item, Request

_SAMPLED = 8
"""Pages that tell the size of body text; the same ones for every range of pages."""
_PAGES_A_DOCUMENT = 100
"""After so many the document is opened afresh: PDFium keeps whatever it has read of it."""


def read(file: BinaryIO, request: Request) -> Iterator[Item]:
    source = _Source(file, request)
    body = body_size([source.page(n, sample=True) for n in _sample(source.count)])
    first, last = request.pages or (1, source.count)
    first, last = max(1, first), min(last, source.count)
    near: deque[Page] = deque(maxlen=2 * NEIGHBOURS + 1)
    ahead = max(1, first - NEIGHBOURS)
    for number in range(first, last + 1):
        while ahead <= min(number + NEIGHBOURS, source.count):
            near.append(source.page(ahead))
            ahead += 1
        page = next(p for p in near if p.number == number)
        others = [p for p in near if p is not page]
        yield from page_blocks(without_running(page, others), body)
        yield Progress(number, source.count, page.scanned)


def _sample(count: int) -> list[int]:
    return sorted({1 + (count - 1) * i // (_SAMPLED - 1) for i in range(_SAMPLED)})


class _Source:
    def __init__(self, file: BinaryIO, request: Request) -> None:
        self._file = file
        self._recogniser = request.recogniser
        self._document = self._open()
        self._read = 0
        self.count = len(self._document)
        if self.count > request.limits.pages:
            raise Refused("pages")

    def page(self, number: int, *, sample: bool = False) -> Page:
        """A page that is broken is as good as empty. Scans are recognised, but in no sample."""
        if self._read >= _PAGES_A_DOCUMENT:
            self._document.close()
            self._document, self._read = self._open(), 0
        self._read += 1
        try:
            page = self._document[number - 1]
            try:
                return self._page(page, number, None if sample else self._recogniser)
            finally:
                page.close()
        except pdfium.PdfiumError:
            return Page(number, 0.0, 0.0, ())

    def _page(self, page: pdfium.PdfPage, number: int, recogniser: Recogniser | None) -> Page:
        width, height = page.get_size()
        lines = page_lines(page)
        scanned = not lines and has_picture(page)
        if scanned and recogniser is not None:
            lines = recognised(page, recogniser)
            scanned = not lines
        return Page(number, width, height, lines, scanned)

    def _open(self) -> pdfium.PdfDocument:
        self._file.seek(0)
        try:
            return pdfium.PdfDocument(self._file)
        except pdfium.PdfiumError as error:
            locked = error.err_code in (raw.FPDF_ERR_PASSWORD, raw.FPDF_ERR_SECURITY)
            raise Refused("encrypted" if locked else "damaged") from error
