"""Word documents (ECMA-376 part 1, 17): headings by style, lists, tables, in document order.

Read straight from the XML, a paragraph at a time: python-docx holds every part of the file in
memory, pictures too, and does not know the numbers that Word computes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import BinaryIO
from xml.etree.ElementTree import Element
from zipfile import ZipFile

from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing import tables
from dazi.knowledge.parsing.archive import opened
from dazi.knowledge.parsing.numbering import heading_level
from dazi.knowledge.parsing.outgoing import BLOCK_CHARACTERS
from dazi.knowledge.parsing.refusals import Refused
from dazi.knowledge.parsing.request import Request
from dazi.knowledge.parsing.word_numbers import Numbering, read_numbering
from dazi.knowledge.parsing.word_styles import Style, numbering_of, outline_level, read_styles
from dazi.knowledge.parsing.xml_parts import attribute, child, local, walk

_MAIN = "word/document.xml"
_DROPPED = frozenset({"Fallback", "moveFrom", "del", "rt"})
"""A second version of a drawing, text that was moved away or deleted, readings of characters."""
_BODY_DEPTH = 2
_ITEMS_A_LIST = 200


def read(file: BinaryIO, request: Request) -> Iterator[Block]:
    with opened(file) as archive:
        yield from _Body(archive).blocks()


@dataclass(slots=True)
class _Table:
    rows: list[list[str]] = field(default_factory=list)
    row: list[str] = field(default_factory=list)
    cell: list[str] = field(default_factory=list)
    begun: bool = False
    """Some rows have gone already; the first of ``rows`` is the header again."""


class _Body:
    def __init__(self, archive: ZipFile) -> None:
        names = set(archive.namelist())
        self._archive = archive
        self._main = _main_part(archive, names)
        folder = self._main.rpartition("/")[0]
        styles, numbers = f"{folder}/styles.xml", f"{folder}/numbering.xml"
        self._styles = read_styles(archive, styles) if styles in names else {}
        self._numbers = read_numbering(archive, numbers) if numbers in names else Numbering()
        self._tables: list[_Table] = []
        self._list: list[str] = []

    def blocks(self) -> Iterator[Block]:
        around: list[Element] = []
        dropped = 0
        for event, element in walk(self._archive, self._main):
            name = local(element)
            if event == "start":
                around.append(element)
                dropped += name in _DROPPED
                if name == "tbl" and not dropped:
                    yield from self._end_list()
                    self._tables.append(_Table())
                continue
            around.pop()
            if name in _DROPPED:
                dropped -= 1
                element.clear()
            elif name == "p" and not dropped:
                yield from self._paragraph(element)
            elif name in ("tc", "tr", "tbl") and not dropped:
                yield from self._table_ends(name, element)
            if around and (name in ("p", "tc", "tr", "tbl") or len(around) == _BODY_DEPTH):
                del around[-1][-1]  # it has been read
        yield from self._end_list()

    def _paragraph(self, element: Element) -> Iterator[Block]:
        properties = child(element, "pPr")
        style = self._styles.get(attribute(child(properties, "pStyle"), "val") or "", Style())
        text = "" if style.is_contents else _text(element)
        number, bullet = self._number(properties, style) if text else ("", False)
        if self._tables:
            self._tables[-1].cell.append(f"{number} {text}".strip())
            return
        level = outline_level(properties) or style.level
        if text and not level and (bullet or style.is_list or _counts_items(number)):
            self._list.append(f"{number or '-'} {text}")
            if len(self._list) >= _ITEMS_A_LIST or len(text) > BLOCK_CHARACTERS:
                yield from self._end_list()
            return
        yield from self._end_list()
        whole = f"{number} {text}".strip()
        level = level or heading_level(whole)
        if whole:
            yield Block("heading", whole, level) if level else Block("text", whole)

    def _number(self, properties: Element | None, style: Style) -> tuple[str, bool]:
        numbering = numbering_of(properties) or style.numbering
        return (self._numbers.next(*numbering) if numbering else None) or ("", False)

    def _end_list(self) -> Iterator[Block]:
        if self._list:
            yield Block("list", "\n".join(self._list))
            self._list = []

    def _table_ends(self, name: str, element: Element) -> Iterator[Block]:
        if not self._tables:
            return
        table = self._tables[-1]
        if name == "tc":
            table.row.append(" ".join(t for t in table.cell if t))
            table.row.extend([""] * (_span(element) - 1))
            table.cell = []
        elif name == "tr":
            table.rows.append(table.row)
            table.row = []
            if len(self._tables) == 1 and len(table.rows) > tables.ROWS_A_PIECE:
                yield from _table(table.rows)
                table.rows, table.begun = table.rows[:1], True
        else:
            self._tables.pop()
            if self._tables:  # in a cell of another
                self._tables[-1].cell.extend(" ".join(filter(None, r)) for r in table.rows)
            elif not table.begun or len(table.rows) > 1:
                yield from _table(table.rows)


def _table(rows: list[list[str]]) -> Iterator[Block]:
    yield from (Block("table", text) for text in tables.pieces(rows))


def _main_part(archive: ZipFile, names: set[str]) -> str:
    """Raises ``Refused`` if this is no Word document."""
    if _MAIN in names:
        return _MAIN
    if "_rels/.rels" in names:
        for event, element in walk(archive, "_rels/.rels"):
            kind, target = attribute(element, "Type") or "", attribute(element, "Target") or ""
            target = target.lstrip("/")
            is_main = event == "end" and kind.endswith("/officeDocument")
            if is_main and target in names and target.startswith("word/"):
                return target
    raise Refused("not_word")


def _text(paragraph: Element) -> str:
    parts: list[str] = []
    for element in paragraph.iter():
        match local(element):
            case "t":
                parts.append(element.text or "")
            case "tab":
                parts.append("\t")
            case "br" | "cr":
                parts.append("\n")
            case "noBreakHyphen":
                parts.append("-")
    return "".join(parts).strip()


def _counts_items(number: str) -> bool:
    """Clauses keep paragraphs of their own; ``1.`` and ``a)`` count items."""
    return (
        bool(number) and len(number) <= 5 and not number.startswith("第") and "." not in number[:-1]
    )


def _span(cell: Element) -> int:
    said = attribute(child(cell, "tcPr", "gridSpan"), "val") or "1"
    return min(int(said), 100) if said.isascii() and said.isdigit() and said != "0" else 1
