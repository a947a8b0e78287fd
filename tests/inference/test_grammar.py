"""Grammars of calls: what they let through and what they keep out."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from dazi.core.engine import OfferedTool
from dazi.inference.grammar import call_grammar, output_grammar
from dazi.inference.spans import units
from tests.inference.ebnf import Grammar


def schema(required: tuple[str, ...] = (), **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required)}


def grammar(*tools: OfferedTool) -> Grammar:
    source = call_grammar(tools)
    assert source is not None
    return Grammar(source)


def call(name: str, arguments: Any) -> str:
    return json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)


TEXT = {"type": "string"}
ORDER = OfferedTool(
    "query_order",
    "查订单",
    schema(
        ("order_id", "kinds"),
        note=TEXT,
        order_id={"type": "string", "pattern": r"^SO-\d{4,6}$"},
        amount={"type": "number"},
        count={"type": "integer", "minimum": 0},
        urgent={"type": "boolean"},
        kinds={"type": "array", "items": {"type": "string", "enum": ["退货", '换"货']}},
        city={"type": "string", "enum": ["上海", "a\\b"]},
        extra={"type": "object"},
    ),
)
NOW = OfferedTool("now", "", schema())


@pytest.mark.parametrize("seed", range(200))
def test_samples_are_calls_that_fit_the_schema(seed: int) -> None:
    g = grammar(ORDER, NOW)
    text = g.sample(random.Random(seed))
    value = json.loads(text)
    tool = {"query_order": ORDER, "now": NOW}[value["name"]]
    jsonschema.validate(value["arguments"], dict(tool.parameters))
    assert list(value) == ["name", "arguments"]
    assert set(value["arguments"]) <= set(tool.parameters["properties"])
    assert g.matches(text)


@pytest.mark.parametrize(
    "arguments",
    [
        {"order_id": "SO-1234", "kinds": []},
        {"note": '说 "好"\\\n', "order_id": "SO-123456", "kinds": ["退货", '换"货']},
        {"order_id": "SO-0000", "amount": -1.5e20, "count": 0, "urgent": True, "kinds": []},
        {"order_id": "SO-0000", "kinds": [], "city": "a\\b", "extra": {"a": [1, {"b": None}]}},
    ],
)
def test_what_json_dumps_writes_is_admitted(arguments: dict[str, Any]) -> None:
    assert grammar(ORDER, NOW).matches(call("query_order", arguments))


@pytest.mark.parametrize(
    "text",
    [
        call("other", {}),
        call("now", {"a": 1}),
        call("query_order", {"order_id": "SO-1234"}),
        call("query_order", {"order_id": "SO-12", "kinds": []}),
        call("query_order", {"order_id": "SO-1234", "kinds": ["换货"]}),
        call("query_order", {"kinds": [], "order_id": "SO-1234"}),
        call("query_order", {"order_id": "SO-1234", "count": -1, "kinds": []}),
        call("query_order", {"order_id": "SO-1234", "kinds": [], "unknown": 1}),
        call("now", {}).replace(": ", ":"),
        call("now", {}) + "}",
        call("query_order", {"order_id": "SO-1234", "kinds": []}).replace(', "k', ', , "k'),
        '{"name": "query_order", "arguments": {"note": "a\nb", "order_id": "SO-1234", "kinds": []}}',
    ],
)
def test_everything_else_is_kept_out(text: str) -> None:
    assert not grammar(ORDER, NOW).matches(text)


@pytest.mark.parametrize("given", range(16))
def test_commas_are_right_for_every_choice_of_optional_parameters(given: int) -> None:
    flags = {name: bool(given >> i & 1) for i, name in enumerate("abcd")}
    for needed in ((), ("b",), ("a", "d")):
        g = grammar(OfferedTool("t", "", schema(needed, a=TEXT, b=TEXT, c=TEXT, d=TEXT)))
        arguments = {name: "x" for name, there in flags.items() if there}
        assert g.matches(call("t", arguments)) == (set(needed) <= set(arguments))


def test_candidates_are_the_only_values() -> None:
    tool = OfferedTool(
        "pay",
        "",
        schema(
            ("who", "amount"),
            who=TEXT,
            amount={"type": "number"},
            memo=TEXT,
            tags={"type": "array"},
        ),
        candidates={
            "who": ("李雷", '"韩"'),
            "amount": ("12.50", "-3", "twelve"),
            "memo": (),
            "tags": ("a",),
        },
    )
    g = grammar(tool)
    assert g.matches('{"name": "pay", "arguments": {"who": "李雷", "amount": 12.50}}')
    assert g.matches(
        '{"name": "pay", "arguments": {"who": "\\"韩\\"", "amount": -3, "tags": ["a"]}}'
    )
    assert not g.matches('{"name": "pay", "arguments": {"who": "李", "amount": 12.50}}')
    assert not g.matches('{"name": "pay", "arguments": {"who": "李雷", "amount": 12.5}}')
    assert not g.matches('{"name": "pay", "arguments": {"who": "李雷", "amount": twelve}}')
    assert not g.matches('{"name": "pay", "arguments": {"who": "李雷", "amount": -3, "memo": ""}}')


def test_a_tool_that_cannot_be_given_what_it_needs_is_left_out() -> None:
    tools = [
        OfferedTool("a", "", schema(("x",), x=TEXT), candidates={"x": ()}),
        OfferedTool("b", "", schema(("x",), x={"type": "integer"}), candidates={"x": ("three",)}),
        OfferedTool("c", "", schema(("x",), x=TEXT), spans={"x": ("  ",)}),
    ]
    assert call_grammar(tools) is None
    assert call_grammar([]) is None
    g = grammar(*tools, NOW)
    assert g.matches(call("now", {}))
    assert not g.matches(call("a", {"x": ""}))


def test_a_closed_tool_is_left_out_and_text_stays_possible() -> None:
    closed = replace(NOW, closed=True)
    assert call_grammar([closed]) is None
    assert not grammar(closed, ORDER).matches(call("now", {}))
    text = output_grammar([closed], "auto")
    assert text is not None and "excludes" in text


def test_a_tool_that_lacks_something_can_be_named_with_no_arguments() -> None:
    g = grammar(replace(ORDER, lacking=("order_id",)), NOW)
    assert g.matches(call("query_order", {}))
    assert not g.matches(call("query_order", {"order_id": "SO-1234", "kinds": []}))
    assert g.matches(call("now", {}))


def test_units() -> None:
    found = [u.text for u in units("请把 order-12.5发给 Tom's a@b.cn，谢谢 -x- 3点\n①")]
    assert found == [
        "请", "把", "order-12.5", "发", "给", "Tom's", "a@b.cn", "，", "谢", "谢",
        "-", "x", "-", "3", "点", "①",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("value", "fits"),
    [
        ("明天", True),
        ('把 order-12 发给\n"Tom"', True),
        ('"Tom"', True),
        ("m", False),
        ("order", False),
        ("12", False),
        (" 发给", False),
        ("发给\n", False),
        ("", False),
        ("把发", False),
        ("天明", False),
        ("天好", False),
        ("好", True),
    ],
)
def test_spans_are_copied_on_unit_boundaries(value: str, fits: bool) -> None:
    texts = ('明天把 order-12 发给\n"Tom"', "好", "好")
    g = grammar(OfferedTool("t", "", schema(("x",), x=TEXT), spans={"x": texts}))
    assert g.matches(call("t", {"x": value})) is fits


def test_span_rules_grow_linearly_and_are_shared() -> None:
    def size(n: int, tools: int) -> int:
        text = "".join(chr(0x4E00 + i) for i in range(n))
        made = [
            OfferedTool(f"t{i}", "", schema(("x",), x=TEXT), spans={"x": (text,)})
            for i in range(tools)
        ]
        return len(call_grammar(made) or "")

    assert size(800, 1) < 2.2 * size(400, 1)
    assert size(400, 4) < size(400, 1) + 1000


WILD: list[Any] = [
    {},
    {"type": "object"},
    {"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": TEXT}},
    {"type": "object", "properties": {"a": {"anyOf": [{"type": "integer"}, {"type": "null"}]}}},
    {"type": "object", "properties": {"a": {"type": ["string", "null"]}}},
    {"type": "object", "properties": {"a": {"allOf": [TEXT]}, "b": {"not": TEXT}}},
    {"type": "object", "properties": {"a": True, "b": False, "c": None, "d": 3}},
    {"type": "object", "properties": {"a": {"enum": [1, None, "x", {"k": [1]}]}}},
    {"type": "object", "properties": {"a": {"enum": "abc"}, "b": {"enum": []}}},
    {"type": "object", "properties": {"a": {"const": "é\n"}}, "required": "a"},
    {"type": "object", "properties": {"a": TEXT}, "required": [["a"], 3]},
    {
        "type": "object",
        "properties": {"a": {"type": "array"}, "b": {"type": "array", "items": [TEXT]}},
    },
    {"type": "object", "properties": {"a": {"type": "array", "items": TEXT, "minItems": 1}}},
    {"type": "object", "properties": {'q"\\\n': TEXT, "": TEXT, "甲": {"type": "date"}}},
    {"type": "object", "properties": {"a": {"type": "string", "pattern": "(?<=x)(["}}},
    {"type": "object", "properties": {"a": {"type": "object", "properties": {"b": TEXT}}}},
    {"type": "object", "properties": ["a"]},
    {"type": "object", "properties": {"a": {"type": "string", "pattern": 3, "enum": None}}},
    {"anyOf": 3, "properties": {"a": {"anyOf": "x", "oneOf": []}}},
]


@pytest.mark.parametrize("parameters", WILD, ids=str)
def test_arbitrary_schemas_give_a_grammar(parameters: Any) -> None:
    g = grammar(OfferedTool('odd"\\名', "", parameters))
    for seed in range(30):
        value = json.loads(g.sample(random.Random(seed)))
        assert value["name"] == 'odd"\\名'
        assert isinstance(value["arguments"], dict)


def test_deep_nesting_becomes_any_value() -> None:
    deep: dict[str, Any] = TEXT
    for _ in range(200):
        deep = {"type": "object", "properties": {"a": deep}, "required": ["a"]}
    json.loads(grammar(OfferedTool("t", "", deep)).sample(random.Random(1)))


def test_nested_objects_keep_their_schema() -> None:
    item = schema(("sku",), sku=TEXT, n={"type": "integer"})
    g = grammar(OfferedTool("t", "", schema(("items",), items={"type": "array", "items": item})))
    assert g.matches(call("t", {"items": [{"sku": "a", "n": 2}, {"sku": "b"}]}))
    assert not g.matches(call("t", {"items": [{"n": 2}]}))


def test_output_grammars() -> None:
    uncallable = OfferedTool("a", "", schema(("x",), x=TEXT), candidates={"x": ()})
    assert output_grammar((), "auto") is None
    assert output_grammar((), "none") is None
    closed = output_grammar((NOW,), "none")
    assert closed is not None
    assert 'excludes=("<tool_call>")' in closed
    assert output_grammar((uncallable,), "auto") == closed
    assert output_grammar((uncallable,), "required") == closed
    required = Grammar(output_grammar((NOW,), "required") or "")
    block = f"<tool_call>\n{call('now', {})}\n</tool_call>"
    assert required.matches(block)
    assert required.matches(f"{block}\n{block}")
    assert not required.matches("")
    assert not required.matches(f"好{block}")
    for thinking in (False, True):
        Grammar(output_grammar((NOW, ORDER), "auto", thinking=thinking) or "")


def test_what_would_be_dear_to_compile_is_simplified() -> None:
    words = [f"value {i}" for i in range(5000)]
    many = {f"p{i}": TEXT for i in range(500)}
    text = "".join(chr(0x4E00 + i) for i in range(9000))
    for tool in (
        OfferedTool("t", "", schema(("x",), x={"type": "string", "enum": words})),
        OfferedTool("t", "", schema(("x",), x=TEXT), candidates={"x": tuple(words)}),
        OfferedTool("t", "", schema(("x",), x=TEXT), spans={"x": (text,)}),
        OfferedTool("t", "", schema((), **many)),
    ):
        source = call_grammar([tool]) or ""
        assert len(source) < 1500
        assert Grammar(source).matches(call("t", {"x": "anything"}))
    wide = [
        OfferedTool(f"t{i}", "", schema((), **{f"p{i}-{j}": TEXT for j in range(60)}))
        for i in range(90)
    ]
    source = call_grammar(wide) or ""
    assert len(source) < 5000
    assert Grammar(source).matches(call("t89", {"x": 1}))
    assert not Grammar(source).matches(call("t90", {}))
