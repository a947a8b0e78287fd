"""What the two processes say to each other: MessagePack, each message after its length."""

from __future__ import annotations

import msgspec

from dazi.knowledge.blocks import Block, Box, Progress
from dazi.knowledge.parsing.kinds import Kind
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.refusals import Reason

LENGTH_BYTES = 4


class Drawing(msgspec.Struct, frozen=True):
    """A page as a picture, counted from 1, with a frame around ``box``."""

    page: int
    box: Box | None = None


class Highlight(msgspec.Struct, frozen=True):
    """Words of a page, counted from 1, with a note; where they are not found, ``box``, else the edge of
    the page. ``colour``: red, green and blue, 0 to 255."""

    page: int
    words: str
    text: str
    author: str
    colour: tuple[int, int, int]
    box: Box | None = None


class Order(msgspec.Struct, frozen=True):
    """What the worker is to do with the file that is its standard input. ``pages``: first and last.
    ``drawing`` and ``highlights``: instead of reading it. ``image``: it is one, and its text is read by OCR."""

    kind: Kind | None
    limits: ParseLimits
    pages: tuple[int, int] | None = None
    ocr: bool = False
    drawing: Drawing | None = None
    highlights: list[Highlight] | None = None
    image: bool = False


class Ready(msgspec.Struct, frozen=True, tag="ready", array_like=True):
    """The worker has set its limits and begins to read."""


class Found(msgspec.Struct, frozen=True, tag="found", array_like=True):
    blocks: list[Block]
    progress: Progress | None = None


class Piece(msgspec.Struct, frozen=True, tag="piece", array_like=True):
    """Of a picture, or of a copy of the file."""

    data: bytes


class Failed(msgspec.Struct, frozen=True, tag="failed", array_like=True):
    reason: Reason


class Done(msgspec.Struct, frozen=True, tag="done", array_like=True):
    """All has been said."""


Message = Ready | Found | Piece | Failed | Done
_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Message)


def framed(message: Message) -> bytes:
    body = _encoder.encode(message)
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


def read_message(body: bytes) -> Message:
    """Raises ``msgspec.MsgspecError``."""
    message: Message = _decoder.decode(body)
    return message
