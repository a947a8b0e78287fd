"""What every reader of a format is given and gives back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from dazi.knowledge.blocks import Block, Progress
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.ocr import Recogniser


@dataclass(frozen=True, slots=True)
class Request:
    """``pages``: first and last, counted from 1; all without. Formats without pages read all."""

    limits: ParseLimits
    pages: tuple[int, int] | None = None
    recogniser: Recogniser | None = None

    def wants(self, page: int) -> bool:
        return self.pages is None or self.pages[0] <= page <= self.pages[1]


Item = Block | Progress
Reader = Callable[[BinaryIO, Request], Iterator[Item]]
