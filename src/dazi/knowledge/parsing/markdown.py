"""Markdown, by the tokens of markdown-it."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from markdown_it import MarkdownIt
from markdown_it.token import Token

from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing import html, tables
from dazi.knowledge.parsing.encoding import encoding_of
from dazi.knowledge.parsing.front import front_matter
from dazi.knowledge.parsing.outgoing import BLOCK_CHARACTERS
from dazi.knowledge.parsing.request import Request

_SECTION = 64 << 10
"""Characters read at once: markdown-it needs some hundred times as much memory as text."""
_LARGEST_SECTION = 512 << 10
_HEADING = re.compile(r"#{1,6}\s")
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")


def read(file: BinaryIO, request: Request) -> Iterator[Block]:
    parser = MarkdownIt("commonmark", {"html": True}).enable("table")
    first = True
    for section in _sections(io.TextIOWrapper(file, encoding_of(file))):
        text = front_matter(section)[1] if first else section
        first = False
        yield from _blocks(parser.parse(text))


def _sections(stream: io.TextIOWrapper) -> Iterator[str]:
    """Cut where a heading stands outside of code, or anywhere if none comes."""
    lines: list[str] = []
    size = 0
    fence = ""
    while line := stream.readline(_SECTION):
        if found := _FENCE.match(line):
            fence = "" if fence and found.group(1).startswith(fence) else fence or found.group(1)
        heading = not fence and _HEADING.match(line)
        if size and ((size >= _SECTION and heading) or size >= _LARGEST_SECTION):
            yield "".join(lines)
            lines, size = [], 0
        lines.append(line)
        size += len(line)
    text = "".join(lines)
    yield text


def _blocks(tokens: Sequence[Token]) -> Iterator[Block]:
    at = 0
    while at < len(tokens):
        token = tokens[at]
        match token.type:
            case "heading_open":
                yield Block("heading", _text(tokens[at + 1]), int(token.tag[1]))
                at += 2
            case "inline":
                yield Block("text", _text(token))
            case "fence" | "code_block":
                yield Block("code", token.content)
            case "html_block":
                yield from html.blocks(token.content)
            case "bullet_list_open" | "ordered_list_open":
                end = _closing(tokens, at)
                yield from _list(tokens[at:end])
                at = end
            case "table_open":
                end = _closing(tokens, at)
                rows = _rows(tokens[at:end])
                yield from (Block("table", t) for t in tables.pieces(rows))
                at = end
        at += 1


def _closing(tokens: Sequence[Token], at: int) -> int:
    level = tokens[at].level
    kind = tokens[at].type.replace("_open", "_close")
    return next(
        i for i in range(at + 1, len(tokens)) if tokens[i].level == level and tokens[i].type == kind
    )


def _list(tokens: Sequence[Token]) -> Iterator[Block]:
    """A list with those inside it; an item's later paragraphs follow it indented."""
    lines: list[str] = []
    counts: list[int | None] = []
    size = 0
    marker = ""
    for token in tokens:
        if token.type in ("bullet_list_open", "ordered_list_open"):
            ordered = token.type.startswith("ordered")
            counts.append(int(token.attrGet("start") or 1) if ordered else None)
        elif token.type in ("bullet_list_close", "ordered_list_close"):
            counts.pop()
        elif token.type == "list_item_open":
            count = counts[-1]
            marker = "- " if count is None else f"{count}. "
            counts[-1] = None if count is None else count + 1
        elif token.type in ("inline", "fence", "code_block"):
            text = _text(token) if token.type == "inline" else token.content.rstrip()
            if len(counts) == 1 and marker and size > BLOCK_CHARACTERS:
                yield Block("list", "\n".join(lines))
                lines, size = [], 0
            lines.append("  " * (len(counts) - 1) + (marker or "  ") + text)
            size += len(lines[-1])
            marker = ""
    if lines:
        yield Block("list", "\n".join(lines))


def _rows(tokens: Sequence[Token]) -> Iterator[list[str]]:
    row: list[str] = []
    for token in tokens:
        if token.type == "inline":
            row.append(_text(token))
        elif token.type == "tr_close":
            yield row
            row = []


def _text(token: Token) -> str:
    """What a reader sees of a line: no marks, of pictures their description."""
    parts: list[str] = []
    for child in token.children or ():
        match child.type:
            case "text" | "code_inline" | "image":
                parts.append(child.content)
            case "softbreak" | "hardbreak":
                parts.append("\n")
    return "".join(parts).strip()
