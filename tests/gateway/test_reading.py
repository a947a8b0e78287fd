"""Whatever a body holds, reading it gives a request or says what is wrong with it."""

from __future__ import annotations

import copy
from itertools import pairwise
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from dazi.core.language import Language
from dazi.gateway.errors import BadField, accepted_language, problem_of, status_of
from dazi.gateway.options import refuse_unsupported, sampling_of, thinking_of, tools_of
from dazi.gateway.stream import Content
from dazi.gateway.translate import conversation_of, messages_of
from dazi.gateway.wire import CHAT

GOOD: dict[str, Any] = {
    "model": "dazi",
    "messages": [
        {"role": "system", "content": "x"},
        {"role": "user", "content": [{"type": "text", "text": "x"}]},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
            ],
        },
        {"role": "tool", "tool_call_id": "1", "content": "x"},
        {"role": "user", "content": "x"},
    ],
    "tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}],
    "tool_choice": {"type": "function", "function": {"name": "f"}},
    "temperature": 1,
    "top_p": 1,
    "max_tokens": 5,
    "seed": 1,
    "stop": ["x"],
    "presence_penalty": 0,
    "stream_options": {"include_usage": True},
    "response_format": {"type": "text"},
    "logit_bias": {},
}

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "text", "function", "name", "x"]), inner, max_size=3
        )
    ),
    max_leaves=6,
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    return ([path] if path else []) + [p for k, v in inner for p in places(v, (*path, k))]


def read(body: bytes) -> None:
    request = CHAT.read(body)
    refuse_unsupported(request)
    conversation_of(messages_of(request.messages))
    tools_of(request)
    sampling_of(request, 100)
    thinking_of(request)


def test_the_good_one_is_good() -> None:
    read(msgspec.json.encode(GOOD))


@settings(max_examples=500, deadline=None)
@given(st.sampled_from(places(GOOD)), JSON)
def test_any_value_anywhere(path: tuple[Any, ...], value: Any) -> None:
    body = copy.deepcopy(GOOD)
    holder = body
    for key in path[:-1]:
        holder = holder[key]
    holder[path[-1]] = value
    try:
        read(msgspec.json.encode(body))
    except BadField as e:
        told(e)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=60), st.integers(0, 600), st.integers(0, 600))
def test_any_bytes(noise: bytes, start: int, length: int) -> None:
    whole = msgspec.json.encode(GOOD)
    try:
        read(whole[:start] + noise + whole[start + length :])
    except BadField as e:
        told(e)


def told(e: BadField) -> None:
    assert status_of(e) == 400 and e.text.zh and e.text.en
    languages: tuple[Language, ...] = ("zh", "en")
    for language in languages:
        assert msgspec.json.decode(problem_of(e, language))["error"]["code"] == e.code


@given(st.text(max_size=60))
def test_any_language_header(header: str) -> None:
    assert accepted_language(header) in ("zh", "en", None)


@given(st.text(alphabet="ab \n\t", max_size=40), st.lists(st.integers(0, 40), max_size=8))
def test_pieces_of_an_answer_are_the_answer(answer: str, cuts: list[int]) -> None:
    """However it is cut, what goes out is the answer without the white space at its ends."""
    content = Content()
    at = sorted({0, *cuts, len(answer)})
    sent = "".join(content.push(answer[a:b]) for a, b in pairwise(at))
    whole = answer.strip() + "\n\n| table |"
    assert sent == answer.strip()
    assert sent + content.rest(whole) == whole
