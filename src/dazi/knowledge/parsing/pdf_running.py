"""Running headers and footers: what stands at the edge of a page and of its neighbours alike."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from dazi.knowledge.parsing.pdf_lines import Line, Page

NEIGHBOURS = 2
"""Pages looked at on each side: left and right pages may have different headers."""
_EDGE = 0.1
"""Part of the page's height. Text of A4 pages begins at 2.5 cm, which is 0.085, and ends there."""
_SAME_HEIGHT = 4.0
_NUMBERS = re.compile(r"[0-9０-９]+|\b(?=[ivx])x{0,3}(?:ix|iv|v?i{0,3})\b", re.IGNORECASE)
_PAGE_NUMBER = re.compile(
    r"[-–—·.\s]*(?:第\s*)?#(?:\s*页)?(?:\s*[/／,，]?\s*(?:共|of)?\s*#(?:\s*页)?)?[-–—·.\s]*"
    r"|page\s*#(?:\s*of\s*#)?",
    re.IGNORECASE,
)


def without_running(page: Page, near: Sequence[Page]) -> Page:
    """``page`` less the lines that its neighbours ``near`` have in the same place, but for numbers,
    and less page numbers."""
    marks = [(_mark(line), line.top) for other in near for line in _edges(other)]
    gone = {
        id(line)
        for line in _edges(page)
        if _PAGE_NUMBER.fullmatch(_mark(line)) or _repeated(line, marks)
    }
    if not gone:
        return page
    return replace(page, lines=tuple(line for line in page.lines if id(line) not in gone))


def _edges(page: Page) -> list[Line]:
    edge = _EDGE * page.height
    return [n for n in page.lines if n.bottom <= edge or n.top >= page.height - edge]


def _mark(line: Line) -> str:
    return _NUMBERS.sub("#", line.text).strip()


def _repeated(line: Line, marks: list[tuple[str, float]]) -> bool:
    own = _mark(line)
    return any(m == own and abs(top - line.top) <= _SAME_HEIGHT for m, top in marks)
