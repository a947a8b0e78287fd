"""What a model proposes: arguments, and the values in them, up to the router's decision."""

from __future__ import annotations

import json
import random
import string
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given

from bench.security.house import Stronghold
from dazi.core.errors import ModelError
from dazi.core.language import Text
from dazi.core.messages import CallText
from dazi.core.tools import Format, Parameter, Tool
from dazi.router.dispatch import TurnContext
from dazi.router.grounding import Evidence, date_values
from dazi.router.normalise.fields import normalise
from dazi.router.normalise.find import find_values
from dazi.router.records import loosely, writable
from dazi.router.schema import canonicalise, check_canonical, parse_arguments
from tests.fuzz.inputs import bent_data, bent_text, deep, fuzzed, long_text

TODAY = date(2025, 4, 3)
FORMATS: tuple[Format, ...] = get_args(Format)


def parameter(name: str, type: Any = "string", **more: Any) -> Parameter:
    return Parameter(name, type, Text(name, name), **more)


TOOL = Tool(
    "book",
    Text("x", "x"),
    Text("y", "y"),
    (
        parameter("order", pattern=r"^ORD[0-9]{5}$", required=True),
        parameter("kind", enum=("a", "b")),
        parameter("many", "array", items=("a", "b")),
        parameter("count", "integer", minimum=1, maximum=9),
        parameter("rate", "number", minimum=0),
        parameter("sure", "boolean"),
        parameter("amount", "number", format="money"),
        parameter("start", format="time"),
        parameter("end", format="time", after="start"),
        parameter("day", format="date"),
        parameter("month", format="month"),
        parameter("quarter", format="quarter"),
        parameter("to", format="email"),
        parameter("site", format="url"),
        parameter("account", format="account"),
    ),
    frozenset({"staff"}),
    "write",
    "erp",
    {},
)
GOOD = {
    "order": "ORD12345", "kind": "a", "many": ["a"], "count": 3, "rate": 1.5, "sure": True,
    "amount": "1,200.50元", "start": "两点", "end": "一个小时", "day": "下周三", "month": "上个月",
    "quarter": "去年四季度", "to": "li@a.example", "site": "https://A.example/x", "account": "6222 0212 3456 7890",
}  # fmt: skip
SAID = (
    "明天下午三点半到四点",
    "next Friday at quarter past two pm",
    "二〇二五年四月三十日",
    "3rd of March 2024",
    "人民币一百二十三万四千五百六十七元八角九分",
    "上个月15号到这个月底,第三季度",
    "https://user@a.example:8080/退款?x=1#y 写给 li.na@a.example",
    "6222 0212 3456 7890",
    "half past noon, two hours and a half",
)


def accept(text: str) -> dict[str, Any] | None:
    """The canonical arguments, if there are any."""
    try:
        made = canonicalise(TOOL, parse_arguments(TOOL, text), TODAY)
        check_canonical(TOOL, made)
    except ModelError as e:
        assert e.text.zh and e.text.en
        return None
    return made


@fuzzed
@given(bent_data(GOOD))
def test_arguments_of_any_form_are_canonical_or_refused(data: Any) -> None:
    """What is accepted is accepted again as it stands, and means the same."""
    made = accept(json.dumps(data))
    if made is not None:
        assert made.keys() <= GOOD.keys()
        assert accept(json.dumps(made)) == made


@fuzzed
@given(bent_text(json.dumps(GOOD, ensure_ascii=False)))
def test_arguments_of_any_text(text: str) -> None:
    accept(text)
    json.dumps(loosely(text)).encode()


@pytest.mark.parametrize(
    "text",
    [
        deep("[", "]"),
        deep('{"order":', "}", "1"),
        f'{{"order": {deep("[", "]")}}}',
        "\ud800",
        '{"order": "\ud800"}',
        '{"order": "\\ud800"}',
    ],
)
def test_arguments_that_no_parser_likes(text: str) -> None:
    with pytest.raises(ModelError):
        parse_arguments(TOOL, text)
    told = loosely(writable(CallText("c", "book", text)).arguments)
    json.dumps(told, ensure_ascii=False).encode()


@fuzzed
@given(bent_text(*SAID) | long_text("一", "1", "百", "三点", "明天", ",", "@", "to ", "/", "-"))
def test_values_found_in_texts_stand_there_and_have_one_form(text: str) -> None:
    for format in FORMATS:
        for span in find_values(format, text, TODAY):
            assert 0 <= span.start < span.end <= len(text)
        value = normalise(format, text, TODAY)
        assert value is None or normalise(format, value, TODAY) == value
    assert all(date.fromisoformat(d) for d in date_values(text, TODAY))


# --- through the whole router -----------------------------------------------------------------------


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[Stronghold]:
    house = await Stronghold.open(tmp_path, random.Random(1))
    yield house
    await house.close()


async def test_whatever_is_proposed_is_answered_and_on_record(house: Stronghold) -> None:
    """Never raises, for a model is not to blame others with what it writes."""
    rng = random.Random(2)
    pieces = [
        "[",
        "]",
        '{"order_id":',
        '"ORD12345"',
        "}",
        ",",
        "\ud800",
        "\x00",
        "1e999",
        "9" * 5000,
    ]
    texts = ["".join(rng.choices(pieces, k=rng.randint(0, 8))) for _ in range(60)]
    texts += ["[" * n + "]" * n for n in range(20, 1200, 20)]
    texts += [f'{{"order_id": "ORD12345", "x": {"[" * n}{"]" * n}}}' for n in range(20, 1200, 60)]
    names = ["get_order_status", "\ud800", "\x00", "".join(rng.choices(string.printable, k=9_000))]
    for number, text in enumerate(texts):
        evidence = Evidence(TODAY)
        evidence.said("ORD12345")
        offered = frozenset(house.company.tools)
        turn = TurnContext(f"turn{number}", "t", house.people["staff"], "zh", evidence, offered)
        before = len(house.sink.records)
        record = await house.router.call(CallText(f"c{number}", rng.choice(names), text), turn)
        assert record.outcome and record.message
        assert len(house.sink.records) > before
