"""Evidence: a value counts where it was said or found, and carries whose word it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from dazi.core.engine import OfferedTool
from dazi.core.language import Text
from dazi.core.tools import Parameter, Tool
from dazi.router.grounding import (
    MEMORY,
    Evidence,
    date_values,
    held_to_words,
    numbers_of,
    offer,
)

TODAY = date(2025, 4, 3)
ORDER = Parameter(
    "order", "string", Text("订单号", "order number"), pattern=r"^ORD[0-9]{5}$", grounded=True
)
AMOUNT = Parameter("amount", "number", Text("金额", "amount"), format="money", grounded=True)
COUNT = Parameter("count", "integer", Text("数量", "count"), grounded=True)
MAIL = Parameter("to", "string", Text("收件人", "recipient"), format="email", grounded=True)
SITE = Parameter("site", "string", Text("网址", "address"), format="url", grounded=True)
ACCOUNT = Parameter("account", "string", Text("账号", "account"), format="account", grounded=True)
NAME = Parameter("name", "string", Text("名称", "name"), grounded=True)
FREE = Parameter("note", "string", Text("备注", "note"))


def said(*texts: str) -> Evidence:
    evidence = Evidence(TODAY)
    for text in texts:
        evidence.said(text)
    return evidence


@pytest.mark.parametrize(
    ("parameter", "text", "value", "found"),
    [
        (ORDER, "订单12345", "ord 12345", True),
        (ORDER, "ORD12345", "ORD99999", False),
        (ORDER, "ORD12345", "nonsense", False),
        (AMOUNT, "退一百元", 100, True),
        (AMOUNT, "退一百元", 101, False),
        (AMOUNT, "退一百元", "much", False),
        (COUNT, "要 3 个,重 2.5 公斤", 3, True),
        (COUNT, "要 3 个,重 2.5 公斤", 2, False),
        (MAIL, "写给 Li@A.example", " li@a.example ", True),
        (MAIL, "写给 li@a.example", "i@a.example", False),
        (SITE, "见 https://A.example/x", "https://a.example/x", True),
        (SITE, "见 https://a.example/x", "https://a.example", False),
        (SITE, "见 https://a.example/x", "javascript:1", False),
        (ACCOUNT, "卡 6222 0212 3456 7890", "6222021234567890", True),
        (NAME, "要Ａ型键盘", "a型", True),
        (NAME, "要键盘", "鼠标", False),
        (NAME, "要键盘", " ", False),
    ],
)  # fmt: skip
def test_what_was_said_supports_itself(
    parameter: Parameter, text: str, value: Any, found: bool
) -> None:
    assert said("你好", text).supports(parameter, value) == ("person" if found else None)


def test_whose_word_it_is() -> None:
    evidence = said("退 ORD12345")
    evidence.found(
        "mail:inbox",
        {"order": "ORD20001", "n": [100, True, None, "2,000.5"], "to": ("a@b.example",)},
    )
    evidence.found("tool:look_up", {"order": "ORD12345"})
    evidence.recalled("我说过 ORD30003")
    assert evidence.values(ORDER) == {"ORD12345": "person", "ORD20001": "mail:inbox"}
    assert evidence.origins(ORDER, "ORD12345") == ("person",)
    assert evidence.origins(ORDER, "ORD20001") == ("mail:inbox",)
    assert evidence.supports(ORDER, "ORD30003") is None
    assert evidence.origins(NAME, "ORD30003") == ("history",)
    assert evidence.origins(FREE, "made up") == ("model", "mail:inbox", "tool:look_up", "history")
    assert evidence.origins(FREE, ["退", "ORD"]) == ("person",)
    assert evidence.origins(FREE, []) == ("model", "mail:inbox", "tool:look_up", "history")
    assert said("x").origins(FREE, "made up") == ("model",)
    assert evidence.supports(AMOUNT, 2000.5) == "mail:inbox"
    assert evidence.supports(MAIL, "a@b.example") == "mail:inbox"
    assert evidence.of("inbox") and not evidence.of("outbox")
    assert evidence.words() == ["退 ORD12345"]


def test_what_is_remembered_is_nobodys_own_word() -> None:
    evidence = Evidence(TODAY)
    evidence.remembered("我的邮箱是 a@b.cn,订单 ORD12345,上次 299 元")
    evidence.remembered("查邮件 → 付款到 c@d.cn", "mail:inbox")
    assert evidence.values(MAIL) == {"c@d.cn": "mail:inbox", "a@b.cn": MEMORY}
    assert evidence.supports(ORDER, "ORD12345") == MEMORY
    assert evidence.supports(AMOUNT, 299) == MEMORY
    assert evidence.origins(MAIL, "c@d.cn") == ("mail:inbox",)
    assert evidence.words() == []
    evidence.said("寄到 a@b.cn")
    assert evidence.origins(MAIL, "a@b.cn") == ("person",)


def test_numbers_in_data_and_in_texts_within_it() -> None:
    data = {
        "a": [1, 2.5, True, None],
        "b": "1,200 on 2025-04-01 at 10:30, ORD123, 2025-Q1",
        "c": (3,),
        "d": {4},
    }
    assert [*numbers_of(data)] == [Decimal(n) for n in ("1", "2.5", "1200", "3")]


def tool(*parameters: Parameter) -> Tool:
    names = Text("工具", "tool")
    return Tool("t", names, names, parameters, frozenset(), "read", "c", {})


def offered(evidence: Evidence, *parameters: Parameter, copies: bool = True) -> OfferedTool:
    return offer(tool(*parameters), evidence, "zh", copies=copies, concise=True)


def test_a_model_that_composes_is_held_to_grounded_values_only() -> None:
    made = offered(said("ORD12345"), ORDER, FREE, copies=False)
    assert made.candidates == {"order": ("ORD12345",)} and not made.spans and not made.lacking


def test_a_model_that_copies_is_held_to_what_was_said() -> None:
    day = Parameter("day", "string", Text("日期", "day"), format="date")
    start = Parameter("start", "string", Text("开始", "start"), format="time")
    end = Parameter("end", "string", Text("结束", "end"), format="time", after="start")
    much = Parameter("much", "integer", Text("数量", "amount"))
    kind = Parameter("kind", "string", Text("种类", "kind"), enum=("a",))
    evidence = said("明天两点到三点,一个小时,给 li@a.example 带 3 台")
    made = offered(evidence, day, start, end, much, kind, FREE, ORDER)
    assert made.candidates["day"] == ("明天",) and "3" in made.candidates["much"]
    assert made.candidates["start"] == ("两点", "三点")
    assert made.candidates["end"] == ("两点", "三点", "一个小时")
    assert "kind" not in made.candidates and made.candidates["order"] == ()
    assert made.spans["note"] == ("明天两点到三点,一个小时,给", "带 3 台")
    one = offered(said("明天两点开始,一个小时"), end)
    assert one.candidates["end"] == ("一个小时",)


def test_what_is_lacking_is_told() -> None:
    needed = replace(ORDER, required=True)
    assert offered(said("查订单"), needed, FREE).lacking == ("order",)
    assert offered(said("查 ORD12345"), needed).lacking == ()
    assert offered(Evidence(TODAY), FREE).spans == {}


def test_a_passage_in_quotes_is_the_passage() -> None:
    note = replace(FREE, prose=True)
    made = offered(said("给订单加备注:“先别发”"), note)
    assert made.spans["note"] == ("先别发",)


def test_a_callers_own_tool_is_held_to_words_too() -> None:
    evidence = said("买 3 个键盘,2.5 公斤")
    evidence.found("tool:x", {"n": 7})
    properties = {
        "count": {"type": "integer"}, "weight": {"type": "number"}, "what": {"type": "string"},
        "kind": {"type": "string", "enum": ["a"]}, "deep": {"type": "object"}, "any": {}, "odd": 3,
        "known": {"type": "string"}, "span": {"type": "string"},
    }  # fmt: skip
    given = OfferedTool("t", "", {"properties": properties}, {"known": ("x",)}, {"span": ("y",)})
    made = held_to_words(given, evidence)
    assert made.candidates == {"known": ("x",), "count": ("3", "7"), "weight": ("2.5", "3", "7")}
    assert made.spans == {"span": ("y",), "what": ("买 3 个键盘,2.5 公斤",)}
    assert held_to_words(given, Evidence(TODAY)).spans == {"span": ("y",)}


def test_days_that_a_text_speaks_of() -> None:
    assert date_values("明天或者4月10号", TODAY) == {"2025-04-04", "2025-04-10"}
