"""A long answer in several messages: at the ends of paragraphs, lines or sentences.

A line that fits is never taken apart, so a row of a table stays whole; no character is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_SENTENCES = re.compile(r"[^。!?!?;;]*[。!?!?;;]+[”」』)\"]*\s*|[^。!?!?;;]+")
_CLAUSES = re.compile(r"[^,,、\s]*[,,、\s]+|[^,,、\s]+")


def split(text: str, limit: int) -> list[str]:
    """Pieces of at most ``limit`` bytes in UTF-8, none of them empty."""
    out: list[str] = []
    held = ""
    for piece in _pieces(text.strip(), limit):
        if held and _size(held + piece) > limit:
            out.append(held)
            held = ""
        held = held + piece if held else piece.lstrip("\n")
    return [kept for part in (*out, held) if (kept := part.strip("\n").rstrip())]


def _pieces(text: str, limit: int) -> Iterator[str]:
    for line in text.splitlines(keepends=True):
        if _size(line) <= limit:
            yield line
            continue
        for sentence in _SENTENCES.findall(line):
            if _size(sentence) <= limit:
                yield sentence
                continue
            for clause in _CLAUSES.findall(sentence):
                yield from _cut(clause, limit)


def _cut(text: str, limit: int) -> Iterator[str]:
    """What has no end of anything, between characters."""
    held, size = "", 0
    for char in text:
        more = _size(char)
        if size + more > limit:
            yield held
            held, size = "", 0
        held, size = held + char, size + more
    if held:
        yield held


def _size(text: str) -> int:
    return len(text.encode())
