"""Lines of a page into headings, paragraphs and tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from dazi.knowledge.blocks import Block, Box
from dazi.knowledge.parsing import tables
from dazi.knowledge.parsing.numbering import begins_clause, heading_level, is_item
from dazi.knowledge.parsing.pdf_lines import Line, Page
from dazi.knowledge.parsing.pdf_tables import Grid, grid_at

_HEADING_SIZES = ((1.7, 1), (1.35, 2), (1.14, 3))
"""Times the size of body text, and the level."""
_BOLD_LEVEL = 4
_LONGEST_HEADING = 80
_HEADING_LINES = 3
_SAME_SIZE = 0.12
_ENDS = tuple("。！？!?.；;：:")
_INDENT = 1.2
_RAGGED = 0.15
"""Part of a column's width that a line may lack at its right and still go on in the next."""


def page_blocks(page: Page, body: float) -> Iterator[Block]:
    """``body``: the size of most of the document's text, in points."""
    gap = _usual_gap(page.lines)
    lines: list[Line] = []
    at = 0
    while at < len(page.lines):
        grid = grid_at(page.lines, at)
        if grid is not None:
            yield from _paragraph(lines, body, page.number)
            lines = []
            yield from _table(grid, page.number)
            at += grid.lines
            continue
        line = page.lines[at]
        if lines and not _goes_on(lines, line, page.lines, gap):
            yield from _paragraph(lines, body, page.number)
            lines = []
        lines.append(line)
        at += 1
    yield from _paragraph(lines, body, page.number)


def body_size(pages: Sequence[Page]) -> float:
    """The size that most characters have."""
    weights: dict[float, int] = {}
    for page in pages:
        for line in page.lines:
            size = round(line.size * 2) / 2
            weights[size] = weights.get(size, 0) + len(line.text)
    return max(weights, key=lambda s: weights[s]) if weights else 0.0


def _usual_gap(lines: Sequence[Line]) -> float:
    """Between lines of a paragraph: the lower half of what there is, in heights of a line."""
    gaps = sorted(
        (b.top - a.bottom) / a.size
        for a, b in pairwise(lines)
        if a.size and -0.5 < (b.top - a.bottom) / a.size < 3
    )
    return median(gaps[: len(gaps) // 2 + 1]) if gaps else 0.0


def _goes_on(before: Sequence[Line], line: Line, page: Sequence[Line], usual: float) -> bool:
    """Whether ``line`` belongs to the paragraph of the lines ``before`` it."""
    last = before[-1]
    if begins_clause(line.text):
        return False
    if abs(line.size - last.size) > _SAME_SIZE * last.size:
        return False
    if line.bold != last.bold and (len(before) == 1 or heading_level(last.text)):
        return False
    column = _column(last, page)
    full = column - last.right <= _RAGGED * max(column - last.left, last.size)
    if heading_level(last.text) and len(before) == 1 and not full:
        return False
    if line.top < last.top:  # the next column
        return full and not last.text.endswith(_ENDS)
    if (line.top - last.bottom) / last.size > usual + 0.35:
        return False
    if line.left - last.left > _INDENT * last.size:
        return False
    return full


def _column(line: Line, page: Sequence[Line]) -> float:
    """How far to the right the lines reach that begin where ``line`` does."""
    near = 3 * line.size
    return max(n.right for n in page if abs(n.left - line.left) <= near)


def _paragraph(lines: Sequence[Line], body: float, page: int) -> Iterator[Block]:
    if not lines:
        return
    text = joined([line.text for line in lines])
    if not text:
        return
    box = _around([line.box for line in lines])
    level = _level(lines, text, body)
    if level:
        yield Block("heading", text, level, page, box)
    else:
        yield Block("list" if is_item(text) and len(text) < 200 else "text", text, 0, page, box)


def _level(lines: Sequence[Line], text: str, body: float) -> int:
    size = lines[0].size
    if len(text) <= _LONGEST_HEADING and len(lines) <= _HEADING_LINES:
        ratio = size / body if body else 1.0
        for least, level in _HEADING_SIZES:
            if ratio >= least and not text.endswith(("。", "；", "，", ",")):
                return heading_level(text) or level
        if all(line.bold for line in lines) and not text.endswith(_ENDS) and len(text) > 1:
            return heading_level(text) or _BOLD_LEVEL
    return heading_level(text) if len(lines) == 1 else 0


def _table(grid: Grid, page: int) -> Iterator[Block]:
    for text in tables.pieces(grid.rows):
        yield Block("table", text, 0, page, grid.box)


def _around(boxes: Sequence[Box]) -> Box:
    return (
        round(min(b[0] for b in boxes), 1),
        round(min(b[1] for b in boxes), 1),
        round(max(b[2] for b in boxes), 1),
        round(max(b[3] for b in boxes), 1),
    )


def joined(lines: Sequence[str]) -> str:
    """Lines as one text: without a space between hanzi, and words that were divided made whole."""
    text = ""
    for line in lines:
        line = line.strip()
        if not text or not line:
            text = text or line
        elif text.endswith("-") and text[-2:-1].isalpha() and line[0].islower():
            text = text[:-1] + line
        elif _wide(text[-1]) or _wide(line[0]):
            text += line
        else:
            text += " " + line
    return text


def _wide(character: str) -> bool:
    return "\u2e80" <= character <= "\u9fff" or "\uf900" <= character <= "\uffef"
