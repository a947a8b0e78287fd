"""Between text and token ids."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from dazi.inference.template import CALL_CLOSE, CALL_OPEN, END, START, THINK_CLOSE, THINK_OPEN

_MARKS = (
    START, END, "<|endoftext|>", CALL_OPEN, CALL_CLOSE, THINK_OPEN, THINK_CLOSE,
    "<tool_response>", "</tool_response>",
)  # fmt: skip
_LONGEST = 4000
_ENDS = (b"<|im_end|>", b"<|im_start|>", b"<|endoftext|>")
_PROBE = "你好，世界 hello  123\n😀 龘 {\"a\": 'é'}"


class Vocabulary:
    """What a tokenizer's ids stand for. Built once for a model."""

    def __init__(self, tokenizer: Any) -> None:
        self._tokenizer = tokenizer
        pieces: dict[bytes, int] = tokenizer.get_vocab()
        self._bytes: dict[int, bytes] = {i: piece for piece, i in pieces.items()}
        self.stop_ids = {i for p, i in pieces.items() if any(end in p for end in _ENDS)}
        if (end := tokenizer.get_eos_token_id()) >= 0:
            self.stop_ids.add(end)
        for i in self.stop_ids:
            piece = self._bytes.get(i, b"")
            cut = min((at for end in _ENDS if (at := piece.find(end)) >= 0), default=0)
            self._bytes[i] = piece[:cut]
        for i, piece in self._bytes.items():
            if piece.startswith(b"<|") and piece.endswith(b"|>"):
                self._bytes[i] = b""
        self._marks = {m: pieces[m.encode()] for m in _MARKS if m.encode() in pieces}
        self.call_open = self._marks.get(CALL_OPEN, -1)
        self._split = re.compile("|".join(map(re.escape, self._marks)) or "(?!)")
        self._marks_known = self._whole(START) == [self._marks.get(START)]
        self.byte_level = self.bytes_of(self._whole(_PROBE)) == _PROBE.encode()

    @property
    def chat_marks(self) -> bool:
        """Whether the model knows the conversation format's marks."""
        return {START, END} <= self._marks.keys()

    def encode(self, text: str) -> list[int]:
        text = text.encode("utf-8", "replace").decode()  # lone surrogates become "?"
        if self._marks_known:
            return self._whole(text)
        # The tokenizer that OpenVINO derives from a GGUF file overlooks the marks and cuts texts
        # to 8,192 tokens (seen with 2026.4): encode what stands between the marks, in pieces.
        ids: list[int] = []
        at = 0
        for m in self._split.finditer(text):
            ids += self._pieces(text[at : m.start()])
            ids.append(self._marks[m.group()])
            at = m.end()
        return ids + self._pieces(text[at:])

    def _pieces(self, text: str) -> list[int]:
        ids: list[int] = []
        while len(text) > _LONGEST:
            cut = text.rfind("\n", 1, _LONGEST) + 1 or _LONGEST
            ids += self._whole(text[:cut])
            text = text[cut:]
        return ids + self._whole(text)

    def _whole(self, text: str) -> list[int]:
        if not text:
            return []
        encoded = self._tokenizer.encode(text, add_special_tokens=False)
        return list(encoded.input_ids.data[0].tolist())

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
