"""HTML, by the tree that lexbor builds: what a reader sees, without scripts and navigation."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import BinaryIO

from selectolax.lexbor import LexborHTMLParser, LexborNode

from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing import tables
from dazi.knowledge.parsing.encoding import encoding_of
from dazi.knowledge.parsing.request import Request

_SKIPPED = frozenset(
    [
        "script",
        "style",
        "nav",
        "noscript",
        "template",
        "svg",
        "head",
        "iframe",
        "object",
        "select",
        "button",
    ]
)
_HEADINGS = {f"h{n}": n for n in range(1, 7)}
_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hr",
        "html",
        "main",
        "p",
        "section",
        "summary",
        "table",
        "td",
        "th",
        "tr",
        "caption",
    ]
)
_LISTS = frozenset({"ul", "ol", "menu"})
_CHARSET = re.compile(rb"<meta[^>]{0,200}charset\s*=\s*[\"']?\s*([\w-]{1,20})", re.IGNORECASE)
_CHARSETS = {
    **dict.fromkeys(("gb2312", "gbk", "gb18030", "x-gbk"), "gb18030"),
    **dict.fromkeys(("big5", "big5-hkscs"), "big5"),
    **dict.fromkeys(("iso-8859-1", "latin1", "windows-1252"), "cp1252"),
}
_BREAK = "\v"
"""A line break that is meant; no parser leaves one in a text."""
_SPACES = re.compile(r"[ \t\r\n\f\u00a0]+")


def read(file: BinaryIO, request: Request) -> Iterator[Block]:
    yield from blocks(_decoded(file))


def _decoded(file: BinaryIO) -> str:
    """By what the page declares, where that reads it; else like any text."""
    found = _CHARSET.search(file.read(2048))
    name = _CHARSETS.get(found.group(1).decode("ascii").lower()) if found else None
    if name is not None:
        file.seek(0)
        try:
            return file.read().decode(name)
        except UnicodeDecodeError:
            pass
    name = encoding_of(file)
    return file.read().decode(name)


def blocks(text: str) -> Iterator[Block]:
    root = LexborHTMLParser(text).root
    if root is not None:
        yield from _Walk().through(root)


class _Walk:
    """Goes through the tree without recursion: pages nest as deeply as their writers like."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def through(self, root: LexborNode) -> Iterator[Block]:
        node: LexborNode | None = root
        while node is not None:
            tag = node.tag or ""
            into = False
            if tag == "-text":
                self._parts.append(_own(node))
            elif tag == "br":
                self._parts.append(_BREAK)
            elif tag in _HEADINGS or tag == "pre" or tag in _LISTS or _is_table(node):
                yield from self._paragraph()
                yield from _whole(node, tag)
            elif tag not in _SKIPPED:
                into = node.first_child is not None
                if tag in _BLOCKS:
                    yield from self._paragraph()
            if into:
                node = node.first_child
                continue
            while node is not None and node.next is None:
                node = node.parent
                if node is None or node.mem_id == root.mem_id:
                    node = None
                    break
                if node.tag in _BLOCKS:
                    yield from self._paragraph()
            node = node.next if node is not None else None
        yield from self._paragraph()

    def _paragraph(self) -> Iterator[Block]:
        text = _joined(self._parts)
        self._parts = []
        if text:
            yield Block("text", text)


def _is_table(node: LexborNode) -> bool:
    """A table of data; one that holds headings or other tables only places them on the page."""
    if node.tag != "table":
        return False
    inside = (n.tag for n, _, leaving in _under(node) if not leaving)
    return not any(tag == "table" or tag in _HEADINGS for tag in inside)


def _whole(node: LexborNode, tag: str) -> Iterator[Block]:
    if tag in _HEADINGS:
        if text := _joined(_texts(node)):
            yield Block("heading", text.replace("\n", " "), _HEADINGS[tag])
    elif tag == "pre":
        if (text := "".join(_texts(node)).replace(_BREAK, "\n").strip("\n")).strip():
            yield Block("code", text)
    elif tag == "table":
        yield from (Block("table", t) for t in tables.pieces(_rows(node)))
    else:
        if lines := list(_items(node)):
            yield Block("list", "\n".join(lines))


def _own(node: LexborNode) -> str:
    return (node.text_content or "").replace(_BREAK, " ")


def _under(root: LexborNode) -> Iterator[tuple[LexborNode, int, bool]]:
    """Each node below ``root`` with its depth: on the way in, and (true) on the way out."""
    node, depth = root.first_child, 1
    while node is not None:
        yield node, depth, False
        child = None if node.tag in _SKIPPED else node.first_child
        if child is not None:
            node, depth = child, depth + 1
            continue
        while node is not None:
            yield node, depth, True
            if node.next is not None:
                node = node.next
                break
            node, depth = node.parent, depth - 1
            if depth == 0:
                return


def _texts(root: LexborNode) -> Iterator[str]:
    for node, _, leaving in _under(root):
        if leaving:
            continue
        if node.tag == "-text":
            yield _own(node)
        elif node.tag == "br":
            yield _BREAK
        elif node.tag in _BLOCKS:
            yield " "


def _rows(table: LexborNode) -> Iterator[list[str]]:
    row: list[str] = []
    cell: list[str] = []
    for node, _, leaving in _under(table):
        tag = node.tag or ""
        if leaving and tag in ("td", "th"):
            row.append(_joined(cell))
            row.extend([""] * (_span(node) - 1))
            cell = []
        elif leaving and tag == "tr":
            yield row
            row = []
        elif not leaving and tag == "-text":
            cell.append(_own(node))
        elif not leaving and (tag in _BLOCKS or tag in ("br", "li")):
            cell.append(" ")


def _span(cell: LexborNode) -> int:
    said = cell.attributes.get("colspan") or "1"
    return min(int(said), 100) if said.isascii() and said.isdigit() and said != "0" else 1


def _items(root: LexborNode) -> Iterator[str]:
    counts: list[int | None] = [_start(root)]
    parts: list[str] = []
    marker = ""

    def line() -> Iterator[str]:
        nonlocal marker
        text = _joined(parts).replace("\n", " ")
        parts.clear()
        if text:
            yield "  " * min(len(counts) - 1, 20) + (marker or "  ") + text
            marker = ""

    for node, _, leaving in _under(root):
        tag = node.tag or ""
        if tag in _LISTS:
            yield from line()
            if leaving:
                counts.pop()
            else:
                counts.append(_start(node))
        elif tag == "li":
            yield from line()
            if not leaving:
                count = counts[-1]
                marker = "- " if count is None else f"{count}. "
                counts[-1] = None if count is None else count + 1
        elif not leaving and tag == "-text":
            parts.append(_own(node))
        elif not leaving and (tag in _BLOCKS or tag == "br"):
            parts.append(" ")
    yield from line()


def _start(node: LexborNode) -> int | None:
    if node.tag != "ol":
        return None
    said = node.attributes.get("start") or "1"
    return int(said) if said.isascii() and said.isdigit() and len(said) < 7 else 1


def _joined(parts: list[str] | Iterator[str]) -> str:
    """White space as a browser shows it; of line breaks only those that are meant."""
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(parts).split(_BREAK))
    return "\n".join(line for line in lines if line)
