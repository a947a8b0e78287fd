"""Plain text: paragraphs by blank lines and clause numbers, headings by their numbering."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import BinaryIO

from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing.encoding import encoding_of
from dazi.knowledge.parsing.numbering import begins_clause, heading_level
from dazi.knowledge.parsing.outgoing import BLOCK_CHARACTERS
from dazi.knowledge.parsing.request import Request


def read(file: BinaryIO, request: Request) -> Iterator[Block]:
    stream = io.TextIOWrapper(file, encoding_of(file))
    lines: list[str] = []
    size = 0
    while line := stream.readline(BLOCK_CHARACTERS):
        line = line.strip()
        level = heading_level(line)
        if not line or level or begins_clause(line) or size > BLOCK_CHARACTERS:
            yield from _paragraph(lines)
            lines, size = [], 0
        if level:
            yield Block("heading", line, level)
        elif line:
            lines.append(line)
            size += len(line)
    yield from _paragraph(lines)


def _paragraph(lines: list[str]) -> Iterator[Block]:
    if lines:
        yield Block("text", "\n".join(lines))
