"""Calls in Qwen3-Coder's form: types by the schema, and nothing cut off passes for whole."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from typing import Any

import pytest

from dazi.core.engine import CallDone, EngineEvent, OfferedTool, TextDelta
from dazi.inference.parse import OutputParser
from dazi.inference.xmlcall import typed
from tests.inference.test_parse import merged, parse

TOOL = OfferedTool(
    "book",
    "",
    {
        "type": "object",
        "properties": {
            "room": {"type": "string"},
            "n": {"type": "integer"},
            "when": {"type": ["null", "number"]},
            "yes": {"type": "boolean"},
            "tags": {"type": "array"},
        },
    },
)


def arguments(text: str) -> str:
    parser = OutputParser(tools=(TOOL,))
    events = [e for c in text for e in parser.feed(c)] + parser.finish()
    return next(e.arguments for e in events if isinstance(e, CallDone))


def call(**values: str) -> str:
    inner = "".join(f"<parameter={k}>\n{v}\n</parameter>\n" for k, v in values.items())
    return f"<tool_call>\n<function=book>\n{inner}</function>\n</tool_call>"


def test_values_have_the_types_of_the_schema() -> None:
    given = {"room": "12", "n": "12", "when": "1.5", "yes": "True", "tags": '["a"]', "x": "1"}
    assert json.loads(arguments(call(**given))) == {
        "room": "12", "n": 12, "when": 1.5, "yes": True, "tags": ["a"], "x": "1",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "schema", "value"),
    [
        ("3", {"type": "integer"}, 3),
        ("3.0", {"type": "integer"}, "3.0"),
        ("true", {"type": "integer"}, "true"),
        ("three", {"type": "number"}, "three"),
        ("false", {"type": "boolean"}, False),
        ("null", {"type": ["string", "null"]}, None),
        ("3", {"type": ["string", "integer"]}, "3"),
        ("3", {"anyOf": [{"type": "integer"}, {"type": "null"}]}, 3),
        ('{"a": 1}', {"type": "object"}, {"a": 1}),
        ("3", {}, "3"),
        ("[" * 9999, {"type": "array"}, "[" * 9999),
    ],
)
def test_typed(text: str, schema: dict[str, Any], value: Any) -> None:
    got = typed(text, schema)
    assert got == value and type(got) is type(value)


def test_what_was_cut_off_is_no_json() -> None:
    whole = call(room="大会议室", n="3")
    end = whole.index("</function>") + len("</function>")
    for i in range(len("<tool_call>\n<function=book>"), end):
        with pytest.raises(ValueError):
            json.loads(arguments(whole[:i]))
    for i in range(end, len(whole) + 1):
        assert json.loads(arguments(whole[:i])) == {"room": "大会议室", "n": 3}


def test_every_split_point_gives_the_same_events() -> None:
    text = f"好。\n{call(room='a<b </parameter> c')}\n{call(n='2')}完"
    whole = merged(parse(text))
    assert [e for e in whole if isinstance(e, TextDelta)] == [TextDelta("好。"), TextDelta("完")]
    assert [e.arguments for e in whole if isinstance(e, CallDone)] == [
        '{"room": "a<b </parameter> c"}', '{"n": "2"}',
    ]  # fmt: skip
    for i in range(len(text) + 1):
        assert merged(parse(text[:i], text[i:])) == whole, i
    assert merged(parse(*text)) == whole
    assert not [e for e in parse(text, calls="drop") if not isinstance(e, TextDelta)]


@pytest.mark.parametrize("seed", range(150))
def test_random_soup_is_split_invariant(seed: int) -> None:
    """Also where the output may begin inside a thought."""
    r = random.Random(seed)
    bits = ["<tool_call>", "</tool_call>", "<think>", "</think>", "\n", " ", "好", "<", "</", '"']
    bits += ["<function=book>", "</function>", "<parameter=n>", "</parameter>", call(n="2")]
    bits += [
        '{"name": "a", ',
        '"arguments": {"x": "y"}}',
        '"arguments": "{}"}',
        '"arguments": null}',
    ]
    text = "".join(r.choice(bits) for _ in range(r.randint(1, 14)))
    for opened in (False, True):
        whole = fed([text], opened=opened)
        assert fed(list(text), opened=opened) == whole
        for _ in range(4):
            cuts = sorted(r.choices(range(len(text) + 1), k=r.randint(1, 6)))
            pieces = [text[a:b] for a, b in pairwise([0, *cuts, len(text)])]
            assert fed(pieces, opened=opened) == whole, pieces


def fed(pieces: list[str], *, opened: bool) -> list[EngineEvent]:
    parser = OutputParser(tools=(TOOL,), opened=opened)
    return merged([e for p in pieces for e in parser.feed(p)] + parser.finish())
