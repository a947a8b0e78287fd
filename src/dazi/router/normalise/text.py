"""Text as the readers see it: folded without moving a character, or cleaned."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

MAX_SCAN = 4_000
"""Characters of a message that are searched, half of them at its end: the rest of a longer one was
pasted, and the worst text must not hold up others for long."""
_CONTEXT = 40
MAX_VALUE = 80
"""Characters of a single value; anything longer is not one."""

_SAME = (
    ("\u3000\u00a0\t\r\n", " " * 5),
    ("–—―−‐‑〜～‘’`´", "------~~''''"),
    ("週禮後號點兩個這時鐘鍾萬塊錢裡間會億", "周礼后号点两个这时钟钟万块钱里间会亿"),
)
_FOLD = {c: c - 0xFEE0 for c in range(0xFF01, 0xFF5F)} | {
    ord(a): b for before, after in _SAME for a, b in zip(before, after, strict=True)
}
_LEAD = re.compile(
    r"(?:(?:on|at|by|from|since|for|until|till?|before|after|around|about|starting|start|during"
    r"|in|between|as of)\s+(?:at\s+)?|the\s+|自从|截至|截止到?|大概|大约|差不多|[在于从自由到至就是约~@]\s?)+"
)
_TRAIL = re.compile(
    r"(?:\s?(?:以来|开始|那天|当天|那会儿?|左右|前后|之前|以前|[的吧呢啊哈呀嘛哦了起])"
    r"|'s|\s(?:please|pls|onwards?|or so|sharp))+$"
)
_EDGE = " 。,.;:!?、;\"'()[]{}<>“”「」《》【】"


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a message: ``message[start:end] == text``."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a message to search: ``folded`` from ``start`` on, ``offset`` into the message."""

    offset: int
    folded: str
    start: int

    def span(self, message: str, start: int, end: int) -> Span:
        """The place in the message of a place in ``folded``."""
        start, end = start + self.offset, end + self.offset
        return Span(start, end, message[start:end])


def whole(message: str) -> Piece:
    """All of it, however long: for patterns whose cost grows with its length only."""
    return Piece(0, fold(message), 0)


def pieces(message: str) -> list[Piece]:
    """The whole message, or the beginning and the end of a long one."""
    if len(message) <= MAX_SCAN:
        return [Piece(0, fold(message), 0)]
    half = MAX_SCAN // 2
    tail = len(message) - half - _CONTEXT
    return [Piece(0, fold(message[:half]), 0), Piece(tail, fold(message[tail:]), _CONTEXT)]


def fold(text: str) -> str:
    """Lower case, half width and simplified, character for character: positions stay true."""
    if text.isascii():
        return text.lower().translate(_FOLD)
    text = text.translate(_FOLD)
    if not unicodedata.is_normalized("NFKC", text):
        text = "".join(_one(c, unicodedata.normalize("NFKC", c)) for c in text)
    lower = text.lower()
    return lower if len(lower) == len(text) else "".join(_one(c, c.lower()) for c in text)


def _one(original: str, changed: str) -> str:
    return changed if len(changed) == 1 else original


def clean(text: str) -> str:
    """A value as it is read: folded, without invisible characters, outer punctuation, wide gaps."""
    if len(text) > MAX_VALUE:
        return ""
    text = unicodedata.normalize("NFKC", text)
    if not text.isprintable():
        text = "".join(" " if c.isspace() else c for c in text if unicodedata.category(c) != "Cf")
    return " ".join(fold(text).split()).strip(_EDGE)


def variants(text: str) -> Iterator[str]:
    """``text`` cleaned, then without the words that lead in (在, on) or trail off (吧, please)."""
    text = clean(text)
    if not text:
        return
    yield text
    lead = _LEAD.match(text)
    short = text[lead.end() :] if lead else text
    if lead and short:
        yield short
    shorter = _TRAIL.sub("", short).strip(_EDGE)
    if shorter and shorter != short:
        yield shorter
        tail = _TRAIL.sub("", text).strip(_EDGE)
        if lead and tail:
            yield tail
