"""Blocks joined and cut into chunks: what is searched, quoted and cited.

A chunk stays under one heading and on one page and holds whole sentences; a table is cut between rows, and each part
begins with its header.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from dazi.knowledge.blocks import Block, Box

LONGEST = 480
"""Characters of a chunk. A sentence or a row that is longer is cut."""
_SENTENCE = re.compile(r"[^。！？!?；;\n]*(?:[。！？!?；;]+[”’」』）)]*|\n|\Z)|[^。！？!?；;\n]+")
_ENGLISH = re.compile(r"(?<=[.!?])[\"')\]]*\s+(?=[\"'(\[]?[A-Z0-9])")
_CLAUSE = re.compile(
    r"\s*(第[一二三四五六七八九十百千零〇0-9]{1,7}[条章节款]|[0-9]{1,3}(?:\.[0-9]{1,3}){1,4}|[0-9]{1,3}[.、)）]"
    r"|[（(][一二三四五六七八九十0-9]{1,3}[)）]|(?:Article|Section|Clause) [0-9]{1,3}(?:\.[0-9]{1,3}){0,4})"
)


@dataclass(frozen=True, slots=True)
class Chunk:
    """``path``: the headings above it, outermost first. ``clause``: the number that it begins with,
    if it does. ``page`` and ``box`` as in ``Block``, of where it begins."""

    ordinal: int
    text: str
    path: tuple[str, ...] = ()
    clause: str = ""
    page: int = 0
    box: Box | None = None


@dataclass(slots=True)
class Chunker:
    """Puts blocks together, one after the other, and gives each chunk once it is whole.

    ``path`` and ``ordinal`` after ``close`` are all it takes to go on later: ``path`` holds the open
    headings, outermost first, with their levels; ``ordinal`` is the next chunk's number.
    """

    path: list[tuple[int, str]] = field(default_factory=list)
    ordinal: int = 0
    longest: int = LONGEST
    _pieces: list[str] = field(default_factory=list)
    _page: int = 0
    _box: Box | None = None

    def add(self, block: Block) -> Iterator[Chunk]:
        """The chunks that ``block`` completes."""
        if block.kind == "heading":
            yield from self.close()
            self.path = [(level, name) for level, name in self.path if level < block.level]
            self.path.append((block.level, " ".join(block.text.split())))
            return
        if self._pieces and block.page != self._page:
            yield from self.close()  # what is cited is on the page that is named
        for piece in _pieces(block, self.longest):
            begins_clause = block.kind != "table" and bool(clause_of(piece))
            held = sum(map(len, self._pieces)) + len(self._pieces)
            full = held + len(piece) > self.longest
            if self._pieces and (full or (begins_clause and held > self.longest // 2)):
                yield from self.close()
            if not self._pieces:
                self._page, self._box = block.page, block.box
            self._pieces.append(piece)

    def close(self) -> Iterator[Chunk]:
        """The chunk that is being put together, if there is one."""
        text = "\n".join(self._pieces).strip()
        self._pieces = []
        if text:
            names = tuple(name for _, name in self.path)
            yield Chunk(self.ordinal, text, names, clause_of(text), self._page, self._box)
            self.ordinal += 1


def clause_of(text: str) -> str:
    """The number that ``text`` begins with, such as 第十二条 or 3.2."""
    found = _CLAUSE.match(text)
    return found[1] if found else ""


def sentences(text: str) -> list[str]:
    """Whole sentences in their order; together they are the text but for white space around them."""
    out = []
    for part in _SENTENCE.findall(text):
        out += [s for piece in _ENGLISH.split(part) if (s := piece.strip())]
    return out


def _pieces(block: Block, longest: int) -> Iterator[str]:
    """Parts of a block that fit into a chunk each."""
    text = block.text.strip()
    if len(text) <= longest:
        if text:
            yield text
    elif block.kind == "table":
        yield from _rows(text, longest)
    else:
        yield from _packed(sentences(text), longest, "" if _glued(text) else " ")


def _glued(text: str) -> bool:
    """Are sentences written without a blank between them, as in Chinese?"""
    return any("\u3400" <= c <= "\u9fff" for c in text[:200])


def _rows(text: str, longest: int) -> Iterator[str]:
    lines = text.splitlines()
    head = lines[:2] if len(lines) > 2 and set(lines[1]) <= set("|-: ") else lines[:1]
    above = "\n".join(head)
    room = max(longest - len(above) - 1, longest // 4)
    for part in _packed(lines[len(head) :], room, "\n"):
        yield f"{above}\n{part}"


def _packed(parts: Iterable[str], longest: int, between: str) -> Iterator[str]:
    """Neighbours together as long as they fit; what is too long by itself is cut."""
    held = ""
    for part in parts:
        for cut in range(0, len(part), longest):
            piece = part[cut : cut + longest]
            if held and len(held) + len(between) + len(piece) > longest:
                yield held
                held = ""
            held = f"{held}{between}{piece}" if held else piece
    if held:
        yield held
