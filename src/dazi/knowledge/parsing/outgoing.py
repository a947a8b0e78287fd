"""What the worker says, in messages of bounded size; a slow listener makes it wait."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import replace

from dazi.knowledge.blocks import Block, Progress
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.messages import Found, Message, framed
from dazi.knowledge.parsing.refusals import Refused

BLOCK_CHARACTERS = 20_000
"""A longer block goes in pieces."""
_BATCH_BYTES = 64 << 10
_BLOCK_BYTES = 100
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f\ufffe\uffff]")
_SURROGATES = re.compile(r"[\ud800-\udfff]")


class Outgoing:
    def __init__(self, descriptor: int, limits: ParseLimits) -> None:
        self._descriptor = descriptor
        self._limits = limits
        self._characters = 0
        self._blocks = 0
        self._batch: list[Block] = []
        self._size = 0

    def add(self, item: Block | Progress) -> None:
        """Raises ``Refused`` when there is more than the limits allow."""
        if isinstance(item, Progress):
            self._flush(item)
            return
        for text in _pieces(_clean(item.text)):
            self._count(text)
            self._batch.append(replace(item, text=text))
            self._size += 4 * len(text) + _BLOCK_BYTES
            if self._size >= _BATCH_BYTES:
                self._flush(None)

    def end(self, message: Message) -> None:
        """``message`` after everything before it."""
        self._flush(None)
        self.say(message)

    def say(self, message: Message) -> None:
        left = memoryview(framed(message))
        while left:
            left = left[os.write(self._descriptor, left) :]

    def _flush(self, progress: Progress | None) -> None:
        if self._batch or progress is not None:
            self.say(Found(self._batch, progress))
            self._batch, self._size = [], 0

    def _count(self, text: str) -> None:
        self._characters += len(text)
        self._blocks += 1
        if self._characters > self._limits.characters:
            raise Refused("characters")
        if self._blocks > self._limits.blocks:
            raise Refused("blocks")


def _clean(text: str) -> str:
    """Without control characters and halves of characters, which no store takes."""
    text = _CONTROLS.sub("", text)
    if _SURROGATES.search(text):
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text.strip()


def _pieces(text: str) -> Iterator[str]:
    while len(text) > BLOCK_CHARACTERS:
        cut = max(text.rfind(end, BLOCK_CHARACTERS // 2, BLOCK_CHARACTERS) for end in "\n。. ")
        cut = cut + 1 or BLOCK_CHARACTERS
        yield text[:cut].strip()
        text = text[cut:]
    if text.strip():
        yield text.strip()
