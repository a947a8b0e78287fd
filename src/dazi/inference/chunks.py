"""Chunks of an answer in the OpenAI chat format, and the stream of events that holds them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from msgspec import Struct

from dazi.core.messages import dumps
from dazi.inference.servercalls import CallPiece, Function

LONGEST_LINE = 4 << 20


class Delta(Struct):
    """Of a chunk, or the message of a whole answer."""

    content: str | list[Any] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    tool_calls: list[CallPiece] | CallPiece | None = None
    function_call: Function | None = None
    """How calls came before there were several of them."""


class _Details(Struct):
    cached_tokens: int | None = None


class TokenUsage(Struct):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None
    prompt_cache_hit_tokens: int | None = None
    """DeepSeek's name for ``cached_tokens``."""


class Choice(Struct):
    delta: Delta | None = None
    message: Delta | None = None
    finish_reason: str | None = None
    usage: TokenUsage | None = None
    """Where Moonshot's cloud gives it."""


class Chunk(Struct):
    """What is read of ``chat.completion.chunk`` and ``chat.completion``."""

    choices: list[Choice] | None = None
    usage: TokenUsage | None = None
    error: Any = None


_chunk = msgspec.json.Decoder(Chunk)
_BOM = b"\xef\xbb\xbf"


class SseReader:
    """The chunks of a server-sent event stream, from bytes that may be cut anywhere."""

    def __init__(self) -> None:
        self._rest = b""
        self._begun = False

    def read(self, data: bytes) -> list[Chunk]:
        """Raises ``ValueError`` for what is no such stream."""
        *lines, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > LONGEST_LINE:
            raise ValueError("a line is too long")
        if lines and not self._begun:
            self._begun = True
            lines[0] = lines[0].removeprefix(_BOM)
        out: list[Chunk] = []
        for line in lines:
            if line.startswith(b"data:"):
                value = line[5:].strip()
                if value and value != b"[DONE]":
                    out.append(chunk_of(value))
            elif line.startswith(b"{"):  # an answer in one piece, though a stream was asked for
                out.append(chunk_of(line))
        return out

    def finish(self) -> list[Chunk]:
        """What a last line holds that has no end. Raises ``ValueError``."""
        return self.read(b"\n") if self._rest.strip() else []


def chunks_of(body: bytes) -> list[Chunk]:
    """Of a whole answer; some servers send a stream all the same. Raises ``ValueError``."""
    if body.lstrip().startswith(b"{"):
        return [chunk_of(body)]
    lines = SseReader()
    return [*lines.read(body), *lines.finish()]


def chunk_of(data: bytes) -> Chunk:
    """Raises ``ValueError``."""
    try:
        return _chunk.decode(data)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except msgspec.ValidationError:
        raise
    except msgspec.DecodeError:
        return _mended(data)


def _mended(data: bytes) -> Chunk:
    """Half a character must not cost the answer: it becomes U+FFFD. Raises ``ValueError``.

    Servers that count in UTF-16 send an emoji in two pieces, the first of which is ``\\ud83d``. What
    is no UTF-8 at all is no answer.
    """
    try:
        text = dumps(json.loads(data, strict=False))
        units = text.encode("utf-16-le", "surrogatepass")
        return _chunk.decode(units.decode("utf-16-le", "replace").encode())
    except RecursionError:
        raise ValueError("nested too deeply") from None
