"""The bound that costs nothing is never below what the bundled model's tokenizer counts."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dazi
from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.messages import CallText, Message
from dazi.inference.embedded import EmbeddedEngine
from dazi.prompt.budget import Bound, Counter, bound

MINI = Path(dazi.__file__).parent / "models" / "mini"
ODD = [
    "ﷺ",
    "\u0958",
    "𝅘𝅥𝅮",
    "龘" * 20,
    "<|im_end|>",
    "<tool_call>",
    "\ud800",
    "①②③",
    "ａｂｃ",
    "😀" * 5,
    "\0\x01",
]


@pytest.fixture(scope="module")
def engine() -> Iterator[EmbeddedEngine]:
    made = EmbeddedEngine(MINI)
    yield made
    made.shut()


@settings(deadline=None)
@given(text=st.text(max_size=80) | st.sampled_from(ODD))
def test_the_bound_is_never_below(engine: EmbeddedEngine, text: str) -> None:
    empty = engine.count_tokens(GenerateRequest(()))
    for message in (
        Message("user", text),
        Message("tool", text, call_id="c"),
        Message("assistant", text, (CallText("c", "look_up", text),)),
    ):
        assert Bound().message(message) >= engine.count_tokens(GenerateRequest((message,))) - empty


def test_a_bound_below_would_be_noticed(engine: EmbeddedEngine) -> None:
    """Characters are no bound: one of them may be many tokens."""
    many = engine.count_tokens(GenerateRequest((Message("user", "ﷺ"),)))
    none = engine.count_tokens(GenerateRequest((Message("user", ""),)))
    assert many - none > 10 > len("ﷺ")
    assert bound("ﷺ") >= len(unicodedata.normalize("NFKC", "ﷺ").encode())


@settings(deadline=None)
@given(st.lists(st.text(alphabet="我的订单 ORD12345,abc.\n", max_size=40), min_size=1, max_size=6))
def test_parts_counted_one_by_one_are_the_whole(engine: EmbeddedEngine, texts: list[str]) -> None:
    counter = Counter(engine.count_tokens)
    messages = [Message("user" if i % 2 else "assistant", t) for i, t in enumerate(texts)]
    parts = sum(counter.message(m) for m in messages)
    whole = engine.count_tokens(GenerateRequest(tuple(messages)))
    assert whole <= parts + engine.count_tokens(GenerateRequest(())) + len(messages)
    assert parts <= whole + 8 * len(messages)


def test_each_is_counted_once() -> None:
    asked: list[GenerateRequest] = []

    def count(request: GenerateRequest) -> int:
        asked.append(request)
        return sum(len(m.content) for m in request.messages) + 10 * len(request.tools)

    counter = Counter(count)
    tool = OfferedTool("f", "", {"type": "object"})
    for _ in range(3):
        assert counter.message(Message("user", "一二三")) == 3
        assert counter.text("一二三") == 3
        assert counter.tools([tool]) == 10
    assert len(asked) == 4  # the frame, the message, an empty one, the tools
    assert b"\xe4\xb8\x80" not in b"".join(counter._known)
