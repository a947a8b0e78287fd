"""Arguments as offered and in their canonical form; what does not fit says what would."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from dazi.core.errors import ModelError
from dazi.core.language import Text
from dazi.core.tools import Parameter, Tool
from dazi.router.schema import (
    MAX_ARGUMENT_BYTES,
    canonicalise,
    check_canonical,
    parse_arguments,
)

TODAY = date(2025, 4, 3)


def tool(*parameters: Parameter) -> Tool:
    names = Text("工具", "tool")
    return Tool("t", names, names, parameters, frozenset(), "read", "c", {})


def p(name: str = "x", type: Any = "string", **more: Any) -> Parameter:
    return Parameter(name, type, Text(name, name), **more)


def canonical(made: Tool, **arguments: Any) -> dict[str, Any]:
    out = canonicalise(made, parse_arguments(made, json.dumps(arguments)), TODAY)
    check_canonical(made, out)
    return out


@pytest.mark.parametrize(
    ("parameter", "value", "said"),
    [
        (p(required=True), None, "required"),
        (p(required=True), "  ", "not be empty"),
        (p(), 3, "must be string"),
        (p(type="integer"), True, "must be integer"),
        (p(type="integer"), 1.5, "must be integer"),
        (p(type="integer"), "many", "must be integer"),
        (p(type="boolean"), "yes", "must be boolean"),
        (p(enum=("a", "b")), "c", "one of a, b"),
        (p(type="array", items=("a", "b")), ["a", "c"], "only a, b"),
        (p(max_length=3), "abcd", "longer than 3"),
        (p(format="date"), "some day", "expected"),
        (p(type="number", format="money"), 1.005, "expected"),
        (p(pattern=r"^ORD[0-9]{5}$"), "ORD1", "must match"),
        (p(type="integer", minimum=2), 1, ">= 2"),
        (p(type="number", maximum=2), 2.5, "<= 2"),
    ],
)
def test_what_does_not_fit(parameter: Parameter, value: Any, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        canonical(tool(parameter), x=value)
    assert caught.value.parameter == "x"


@pytest.mark.parametrize(
    ("parameter", "value", "made"),
    [
        (p(), " a ", "a"),
        (p(type="integer"), "十二", 12),
        (p(type="integer"), 12.0, 12),
        (p(type="number"), "1,200.50", 1200.5),
        (p(type="number"), 3, 3),
        (p(type="number"), 1e22, 1e22),
        (p(type="boolean"), True, True),
        (p(type="array", items=("1", "2")), [1, "2", 1], ["1", "2"]),
        (p(pattern=r"^ORD[0-9]{5}$"), "ord 12345", "ORD12345"),
        (p(format="date"), "明天", "2025-04-04"),
        (p(format="month"), "上个月", "2025-03"),
        (p(format="quarter"), "2025年二季度", "2025-Q2"),
        (p(type="number", format="money"), "六万元", 60_000),
        (p(type="number", format="money"), 99.5, 99.5),
        (p(format="url"), "HTTPS://A.example/X", "https://a.example/X"),
        (p(format="account"), "6222 0212 3456 7890", "6222021234567890"),
        (p(type="integer", minimum=1, maximum=3), 3, 3),
    ],
)
def test_one_form_for_each_value(parameter: Parameter, value: Any, made: Any) -> None:
    assert canonical(tool(parameter), x=value) == {"x": made}


def test_what_is_left_out_stays_out() -> None:
    assert canonical(tool(p(), p("y", format="date")), x=None) == {}


def test_a_range_of_times_is_read_as_one() -> None:
    times = tool(p("start", format="time"), p("end", format="time", after="start"))
    assert canonical(times, start="两点", end="三点半") == {"start": "14:00", "end": "15:30"}
    assert canonical(times, start="下午两点", end="一个小时")["end"] == "15:00"
    assert canonical(times, start="上午9点") == {"start": "09:00"}
    with pytest.raises(ModelError, match="later than start"):
        check_canonical(times, {"start": "15:00", "end": "14:00"})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1]", "JSON object"),
        ("{", "not JSON"),
        ('{"y": 1}', "no parameter y"),
        ('{"x": "' + "a" * MAX_ARGUMENT_BYTES + '"}', "too long"),
    ],
)
def test_texts_that_are_no_arguments(text: str, said: str) -> None:
    with pytest.raises(ModelError, match=said):
        parse_arguments(tool(p()), text)


@pytest.mark.parametrize(
    ("format", "value"),
    [
        ("date", "20250403"), ("time", "25:00"), ("month", "2025-13"), ("quarter", "2025-Q5"),
        ("email", "a@b"), ("money", "1.234"), ("url", "https://A.example"), ("account", "62 22"),
    ],
)  # fmt: skip
def test_nothing_passes_that_is_not_canonical(format: Any, value: str) -> None:
    """A default, say, that somebody declared."""
    with pytest.raises(ModelError, match="not a valid"):
        check_canonical(tool(p(format=format)), {"x": value})
