"""What a parser makes of a document: blocks in reading order, with where each one stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

BlockKind = Literal["heading", "text", "list", "table", "code"]
Box = tuple[float, float, float, float]
"""Left, top, right and bottom on the page, in points from its top left corner."""


@dataclass(frozen=True, slots=True)
class Block:
    """``level``: of a heading, 1 to 6. ``page`` counts from 1 and is 0 where a format has none; of a
    workbook it is the sheet. A table's ``text`` is Markdown rows, its first the header."""

    kind: BlockKind
    text: str
    level: int = 0
    page: int = 0
    box: Box | None = None


@dataclass(frozen=True, slots=True)
class Progress:
    """All blocks of ``page`` have come, of ``pages``; whoever stops here goes on with the next.

    ``scanned``: the page is a picture without text and was not read.
    """

    page: int
    pages: int
    scanned: bool = False
