"""Incremental decoding and the encoding of prompts."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from dazi.inference.embedded import EmbeddedEngine
from dazi.inference.holdback import StopText
from dazi.inference.vocabulary import Vocabulary

MARKS = ["<|im_start|>", "<|im_end|>", "<tool_call>", "<|im_end|>\n", "<|other|>"]


class ByteTokenizer:
    """Ids 0-255 are bytes, then the marks; ``blind`` overlooks marks, as GGUF tokenizers do."""

    def __init__(self, *, blind: bool = False, spaces: bool = False) -> None:
        self.blind = blind
        self.spaces = spaces

    def get_vocab(self) -> dict[bytes, int]:
        space = "▁".encode() if self.spaces else b" "
        vocab = {bytes([i]): i for i in range(256)} | {
            m.encode(): 256 + i for i, m in enumerate(MARKS)
        }
        del vocab[b" "]
        return vocab | {space: 32}

    def get_eos_token_id(self) -> int:
        return 257

    def encode(self, text: str, add_special_tokens: bool) -> Any:
        assert not add_special_tokens
        ids: list[int] = []
        rest = text
        while rest:
            mark = next((m for m in MARKS if rest.startswith(m) and not self.blind), None)
            ids += [256 + MARKS.index(mark)] if mark else rest[0].encode()
            rest = rest[len(mark or rest[0]) :]
        return SimpleNamespace(input_ids=SimpleNamespace(data=np.array([ids])))

    def decode(self, ids: list[int]) -> str:
        return bytes(i for i in ids if i < 256).decode("utf-8", "replace")


TEXTS = ["你好 hello", "😀👍🏽 龘𠮷", "a\n\té", "<tool_call>{}"]


@pytest.mark.parametrize("spaces", [False, True])
@pytest.mark.parametrize("text", TEXTS)
def test_characters_whose_bytes_are_split_over_tokens_wait(text: str, spaces: bool) -> None:
    vocabulary = Vocabulary(ByteTokenizer(spaces=spaces))
    assert vocabulary.byte_level is not spaces
    ids = vocabulary.encode(text)
    shown = text if vocabulary.byte_level else text.removeprefix("<tool_call>")
    for cuts in itertools.combinations(range(1, len(ids)), 2):
        decoder = vocabulary.decoder()
        pieces = [decoder.push(ids[a:b]) for a, b in itertools.pairwise([0, *cuts, len(ids)])]
        assert "".join(pieces) == shown
        assert not any("\ufffd" in p for p in pieces)
    decoder = vocabulary.decoder()
    assert "".join(decoder.push([i]) for i in ids) == shown


def test_an_incomplete_character_at_the_end_is_left_out() -> None:
    decoder = Vocabulary(ByteTokenizer()).decoder()
    assert decoder.push(list("好".encode())) + decoder.push(list("好".encode()[:2])) == "好"


def test_ends_are_stops_and_not_text() -> None:
    vocabulary = Vocabulary(ByteTokenizer())
    assert vocabulary.stop_ids == {256, 257, 259}
    assert vocabulary.decoder().push([97, 259, 260]) == "a"
    assert vocabulary.chat_marks


def test_marks_are_found_where_the_tokenizer_overlooks_them() -> None:
    text = "<|im_start|>user\n" + "长" * 9000 + "<|im_end|>\n<|im_start|>"
    assert Vocabulary(ByteTokenizer(blind=True)).encode(text) == [
        256, *b"user\n", *("长" * 9000).encode(), 257, *b"\n", 256,
    ]  # fmt: skip


def test_real_tokenizer_round_trip_token_by_token(engine: EmbeddedEngine) -> None:
    vocabulary = engine.vocabulary
    for text in [*TEXTS[:3], "Ⅷ½ ﷽ नमस्ते", '\n{"name": "a", "arguments": {"城市": "上海"}}\n']:
        ids = vocabulary.encode(text)
        decoder = vocabulary.decoder()
        assert "".join(decoder.push([i]) for i in ids) == text
    assert vocabulary.encode("a\ud800b") == vocabulary.encode("a?b")


@pytest.mark.parametrize("cut", range(9))
def test_stop_strings_over_pieces(cut: int) -> None:
    text = "一二STO三STOP四"
    stops = StopText(("STOP", "x", ""))
    got = stops.push(text[:cut]) + stops.push(text[cut:])
    assert got == "一二STO三"
    assert stops.hit
    assert stops.push("more") + stops.finish() == ""


def test_held_back_text_comes_at_the_end() -> None:
    stops = StopText(("STOP",))
    assert stops.push("好ST") == "好"
    assert stops.finish() == "ST"
    assert not stops.hit
