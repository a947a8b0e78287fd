"""What comes from models and the servers that run them: streams, calls in text, arguments."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    EngineEvent,
    GenerateRequest,
    OfferedTool,
    ReasoningDelta,
    TextDelta,
)
from dazi.core.messages import Message
from dazi.inference.chunks import SseReader, chunk_of
from dazi.inference.parse import Calls, OutputParser
from dazi.inference.template import call_text
from dazi.inference.wire import ChunkReader
from tests.fuzz.inputs import bent_bytes, bent_data, bent_text, cut, deep, fuzzed, long_text

REQUEST = GenerateRequest([Message("user", "x")], tools=[OfferedTool("f", "", {})])
CHUNKS: list[Any] = [
    {"choices": [{"delta": {"content": "好 <tool_call>"}}]},
    {"choices": [{"delta": {"reasoning_content": "想"}, "finish_reason": None}]},
    {
        "choices": [
            {
                "delta": {
                    "tool_calls": [
                        {"index": 0, "function": {"name": "f", "arguments": '{"a": 1}'}},
                        {"index": 1, "function": {"name": "g", "arguments": {"b": 2}}},
                    ]
                },
                "finish_reason": "tool_calls",
            }
        ],
        "usage": {"prompt_tokens": 3, "prompt_tokens_details": {"cached_tokens": 1}},
    },
    {"error": {"message": "no"}},
]
STREAM = b"".join(b"data: " + json.dumps(c).encode() + b"\n\n" for c in CHUNKS) + b"data: [DONE]\n"
CALLS = (
    call_text("weather", '{"city": "上海", "n": [1, {"a": "}"}]}'),
    f"<think>\n想\n</think>\n\n好。{call_text('a', '{}')}\n{call_text('b', '[1]')}再见",
    '<tool_call>{"arguments": {"x": "\\u4e0a\\""}, "name": "a\\ud83d\\ude00"}</tool_call>',
    "<tool_call>\nweather(上海)\n</tool_call>",
)


def check(events: list[EngineEvent]) -> None:
    """Calls begin, go on and end in this order, once each, and all that is said can be written."""
    begun: dict[int, str] = {}
    ended: set[int] = set()
    for event in events:
        match event:
            case CallStarted(index, name):
                assert index not in begun
                begun[index] = ""
                name.encode()
            case CallArgumentsDelta(index, text):
                assert index not in ended
                begun[index] += text
            case CallDone(index, name, arguments):
                assert index not in ended
                ended.add(index)
                assert arguments == (begun[index] or "{}") or not begun[index]
                (name + arguments).encode()
            case TextDelta(text) | ReasoningDelta(text):
                assert text
                text.encode()
    assert ended == begun.keys()


@fuzzed
@given(bent_bytes(STREAM), st.lists(st.integers(0, 800), max_size=4))
def test_streams_are_read_alike_wherever_they_are_cut(stream: bytes, cuts: list[int]) -> None:
    def read(pieces: list[bytes]) -> list[Any] | None:
        reader = SseReader()
        try:
            return [chunk for piece in pieces for chunk in reader.read(piece)]
        except ValueError:
            return None

    whole = read([stream])
    assert whole == read(cut(stream, cuts))
    reader = ChunkReader(REQUEST)
    check([e for chunk in whole or () for e in reader.read(chunk)] + reader.finish())


@fuzzed
@given(st.lists(bent_data(*CHUNKS), max_size=4))
def test_chunks_of_any_form(chunks: list[Any]) -> None:
    reader = ChunkReader(REQUEST)
    events: list[EngineEvent] = []
    for chunk in chunks:
        try:
            read = chunk_of(json.dumps(chunk).encode())
        except ValueError:
            continue
        events += reader.read(read)
    check(events + reader.finish())


@pytest.mark.parametrize("inside", ["error", "audio", "choices"])
def test_chunks_nested_too_deeply(inside: str) -> None:
    with pytest.raises(ValueError):
        chunk_of(f'{{"{inside}": {deep("[", "]")}}}'.encode())
    call = (
        f'{{"choices": [{{"delta": {{"tool_calls": [{{"function": {{"arguments": {deep("[", "]")}'
    )
    with pytest.raises(ValueError):
        chunk_of(call.encode())


@fuzzed
@given(
    bent_text(*CALLS), st.lists(st.integers(0, 200), max_size=6), st.sampled_from(Calls.__args__)
)
def test_calls_in_text(text: str, cuts: list[int], calls: Calls) -> None:
    """The same calls and the same words wherever the text is cut."""

    def read(pieces: list[str]) -> list[EngineEvent]:
        parser = OutputParser(calls)
        return [e for piece in pieces for e in parser.feed(piece)] + parser.finish()

    whole, parts = read([text]), read(cut(text, cuts))
    check(whole)
    check(parts)
    assert [e for e in whole if isinstance(e, CallDone)] == [
        e for e in parts if isinstance(e, CallDone)
    ]
    assert words(whole) == words(parts)


def words(events: list[EngineEvent]) -> tuple[str, str]:
    said = "".join(e.text for e in events if isinstance(e, TextDelta))
    return said, "".join(e.text for e in events if isinstance(e, ReasoningDelta))


@fuzzed
@given(long_text("<", "<tool_call>", "<think>", "</", '{"', "\\", " \n", "[", "<tool_call>{"))
def test_long_outputs_piece_by_piece(text: str) -> None:
    parser = OutputParser()
    events = [e for i in range(0, len(text), 7) for e in parser.feed(text[i : i + 7])]
    check(events + parser.finish())
