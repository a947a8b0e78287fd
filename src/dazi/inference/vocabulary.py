"""From token ids back to text, a few tokens at a time."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

_ENDS = (b"<|im_end|>", b"<|im_start|>", b"<|endoftext|>")
_PROBE = "你好，世界 hello  123\n😀 龘 {\"a\": 'é'}"


class Vocabulary:
    """What a tokenizer's ids stand for. Built once for a model."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        pieces: dict[bytes, int] = tokenizer.get_vocab()
        self._bytes: dict[int, bytes] = {i: piece for piece, i in pieces.items()}
        self.stop_ids = {i for p, i in pieces.items() if any(end in p for end in _ENDS)}
        self.stop_ids.add(tokenizer.get_eos_token_id())
        for i in self.stop_ids:
            piece = self._bytes.get(i, b"")
            cut = min((at for end in _ENDS if (at := piece.find(end)) >= 0), default=0)
            self._bytes[i] = piece[:cut]
        for i, piece in self._bytes.items():
            if piece.startswith(b"<|") and piece.endswith(b"|>"):
                self._bytes[i] = b""
        ids = tokenizer.encode(_PROBE, add_special_tokens=False).input_ids.data[0].tolist()
        self.byte_level = b"".join(self._bytes.get(i, b"") for i in ids) == _PROBE.encode()

    def bytes_of(self, ids: Iterable[int]) -> bytes:
        return b"".join(self._bytes.get(i, b"") for i in ids)

    def decoder(self) -> Decoder:
        """A decoder for one stream of tokens."""
        if self.byte_level:
            return _ByteDecoder(self)
        return _WindowDecoder(self._tokenizer)


class Decoder(Protocol):
    def push(self, ids: Sequence[int]) -> str:
        """The text that ``ids`` complete; a character whose bytes are not all there waits."""
        ...


class _ByteDecoder:
    """For tokens that are byte strings: exact, and hundreds of times cheaper than the tokenizer."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._utf8 = codecs.getincrementaldecoder("utf-8")("replace")

    def push(self, ids: Sequence[int]) -> str:
        return self._utf8.decode(self._vocabulary.bytes_of(ids))


class _WindowDecoder:
    """For any tokenizer: decode the last tokens with and without the new ones, and subtract."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        self._ids: list[int] = []
        self._known = 0

    def push(self, ids: Sequence[int]) -> str:
        self._ids += ids
        before = self._tokenizer.decode(self._ids[: self._known]) if self._known else ""
        now: str = self._tokenizer.decode(self._ids)
        if now.endswith("\ufffd") or len(now) <= len(before):
            return ""
        self._ids = self._ids[self._known :]
        self._known = len(self._ids)
        return now[len(before) :]
