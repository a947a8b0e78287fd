"""What the host makes of results, and how it shows them: the model does no arithmetic."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from dazi.core.language import Text
from dazi.core.tools import Tool, ToolResultRules
from dazi.router.derive import compare, derive, percent, relative_date, tidy
from dazi.router.view import cell, comparison, markdown_table, model_view, plain, table

TODAY = date(2025, 4, 3)
NAMES = Text("工具", "tool")


def tool(**rules: Any) -> Tool:
    return Tool(
        "t", NAMES, NAMES, (), frozenset(), "read", "c", {}, result=ToolResultRules(**rules)
    )


def derived(rule: dict[str, Any], row: dict[str, Any], language: Any = "zh", **more: Any) -> Any:
    made = derive(tool(derive=(rule,), **more), row, {}, language, TODAY)
    return made.get(rule.get("as", ""))


STATES = {"state": {"a": Text("甲", "A"), "b": Text("乙", "B")}}


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [("a", "甲", "A"), ("z", "z", "z"), (["a", "z"], "甲、z", "A, z"), (None, None, None)],
)
def test_labels(value: Any, zh: Any, en: Any) -> None:
    rule = {"label": "state", "as": "text"}
    assert derived(rule, {"state": value}, values=STATES) == zh
    assert derived(rule, {"state": value}, "en", values=STATES) == en


@pytest.mark.parametrize(
    ("days", "zh", "en"),
    [
        (-15, "2025-03-19", "2025-03-19"),
        (-3, "3天前", "3 days ago"),
        (-2, "前天", "2 days ago"),
        (-1, "昨天", "yesterday"),
        (0, "今天", "today"),
        (1, "明天", "tomorrow"),
        (2, "后天", "in 2 days"),
        (14, "14天后", "in 14 days"),
        (15, "2025-04-18", "2025-04-18"),
    ],
)
def test_relative_dates(days: int, zh: str, en: str) -> None:
    day = TODAY + timedelta(days)
    assert (relative_date(day, TODAY, "zh"), relative_date(day, TODAY, "en")) == (zh, en)
    rule = {"relative_date": "on", "as": "when"}
    assert derived(rule, {"on": f"{day}T10:00:00"}) == zh
    assert derived(rule, {"on": None}) is None


@pytest.mark.parametrize(
    ("rule", "row", "made"),
    [
        ({"difference": ["a", "b"]}, {"a": 5, "b": 3.5}, 1.5),
        ({"difference": ["a", "b"]}, {"a": 5, "b": None}, None),
        ({"difference": ["a", "b"], "positive": True}, {"a": 3, "b": 5}, None),
        ({"difference": ["a", "b"], "positive": True}, {"a": 5, "b": 3}, 2),
        ({"difference": ["a", "b"], "floor": 0}, {"a": 3, "b": 5}, 0),
        ({"ratio": ["a", "b"]}, {"a": 1, "b": 8}, "12.5%"),
        ({"ratio": ["a", "b"]}, {"a": 1, "b": 0}, None),
        ({"rate": ["a", "b"]}, {"a": 12, "b": 10}, "+20%"),
        ({"rate": ["a", "b"]}, {"a": 12, "b": 0}, None),
        ({"rate": ["a", "b"]}, {"a": 12}, None),
        ({"share": "a", "of": "total"}, {"a": 1, "total": 3}, "33.3%"),
        ({"share": "a", "of": "total"}, {"a": 1, "total": 0}, None),
        ({"free_hours": "h"}, {"h": ""}, "09:00-18:00"),
        ({"free_hours": "h"}, {"h": "13:00-14:00, 09:00-10:00"}, "10:00-13:00, 14:00-18:00"),
        ({"free_hours": "h"}, {"h": "09:00-18:00"}, "已满"),
    ],
)
def test_numbers_and_hours(rule: dict[str, Any], row: dict[str, Any], made: Any) -> None:
    assert derived({**rule, "as": "out"}, row) == made


def test_a_leap_is_flagged() -> None:
    rule = {"rate": ["a", "b"], "as": "out", "flag_above": 0.5}
    made = tool(derive=(rule,))
    assert derive(made, {"a": 16, "b": 10}, {}, "zh", TODAY)["abnormal"] == "是"
    assert derive(made, {"a": 4, "b": 10}, {}, "en", TODAY)["abnormal"] == "yes"
    assert "abnormal" not in derive(made, {"a": 14, "b": 10}, {}, "en", TODAY)


def test_fully_booked_in_english() -> None:
    assert derived({"free_hours": "h", "as": "o"}, {"h": "08:00-19:00"}, "en") == "fully booked"


def test_rows_and_the_whole() -> None:
    rules = (
        {"share": "n", "of": "total", "as": "part"},
        {"difference": ["total", "count"], "as": "d"},
    )
    made = tool(shape="many", derive=rules, labels={"year": Text("年", "year")})
    raw = {"rows": [{"n": 1}, {"n": None}], "total": 4.0}
    whole = derive(made, raw, {"year": 2024, "other": 1, "none": None}, "zh", TODAY)
    assert whole == {
        "rows": [{"n": 1, "part": "25%"}, {"n": None}],
        "count": 2, "total": 4, "year": 2024, "d": 2,
    }  # fmt: skip
    assert derive(tool(shape="many"), [{"a": 1}], {}, "zh", TODAY) == {
        "count": 1,
        "rows": [{"a": 1}],
    }
    assert derive(tool(shape="many"), None, {}, "zh", TODAY) == {"count": 0, "rows": []}
    assert derive(tool(), [1.0, 2.555], {}, "zh", TODAY) == {"value": [1, 2.56]}
    odd = derive(tool(shape="many", rows="x"), {"x": ()}, {}, "zh", TODAY)
    assert odd == {"count": 0, "x": []}


def test_tidying_and_percents() -> None:
    assert tidy({"a": [1.0, "x", (2.345, True)]}) == {"a": [1, "x", [2.35, True]]}
    assert (percent(0.5), percent(-0.123, signed=True), percent(1 / 3)) == (
        "50%",
        "-12.3%",
        "33.3%",
    )


COMPARED = {"name": "name", "higher": "rating", "lower": "price"}
PAIR = [{"name": "A", "rating": 4, "price": 9.5}, {"name": "B", "rating": 3, "price": 12}]


def test_what_sets_two_results_apart() -> None:
    one = tool(shape="one", compare=COMPARED)
    assert compare(one, PAIR) == {
        "higher_rating": "A", "rating_difference": 1, "lower_price": "A", "price_difference": 2.5,
    }  # fmt: skip
    assert "rating_difference" not in compare(one, [*PAIR, {"name": "C", "rating": 1, "price": 1}])
    assert compare(one, [PAIR[0], {**PAIR[1], "rating": 4, "price": None}]) == {}
    assert compare(one, PAIR[:1]) == {} and compare(tool(shape="one"), PAIR) == {}
    assert compare(tool(shape="one", compare={"name": "name", "higher": "rating"}), PAIR) == {
        "higher_rating": "A",
        "rating_difference": 1,
    }
    many = tool(shape="many", compare=COMPARED)
    found = [{"rows": [PAIR[0]]}, {"rows": []}, {"rows": [PAIR[1], PAIR[0]]}]
    assert compare(many, found)["higher_rating"] == "A"


LABELS = {n: Text(f"{n}名", n) for n in ("name", "rating", "price", "total", "count")}
SHOWN = ("name", "rating", "price")


def test_side_by_side() -> None:
    one = tool(shape="one", compare=COMPARED, shown=SHOWN, labels=LABELS)
    made = comparison(one, [*PAIR, {"name": "C", "rating": None}], "zh")
    assert made is not None and made.data == {
        "columns": ["name名", "A", "B", "C"],
        "rows": [["rating名", "4", "3", ""], ["price名", "9.5", "12", ""]],
    }
    assert comparison(one, PAIR[:1], "zh") is None
    assert comparison(tool(shape="one", shown=SHOWN), PAIR, "zh") is None
    many = tool(shape="many", compare=COMPARED, shown=SHOWN)
    assert comparison(many, [{"rows": [r]} for r in PAIR] + [{"rows": []}], "en") is not None


def test_what_the_model_sees() -> None:
    many = tool(shape="many", shown=("name", "price"), labels=LABELS, model_rows=1)
    result = {"rows": PAIR, "count": 2, "total": 3, "secret": 1, "rating": None}
    short = model_view(many, result, concise=True)
    assert short == {"count": 2, "total": 3, "rows": [{"name": "A", "price": 9.5}]}
    assert len(model_view(many, result, concise=False)["rows"]) == 2
    one = tool(shape="one")
    assert model_view(one, {"a": 1, "b": None, "c": "", "d": []}, concise=True) == {"a": 1}


def test_tables() -> None:
    many = tool(shape="many", shown=(*SHOWN, "none"), labels=LABELS, attach="table")
    made = table(many, {"rows": PAIR}, "en")
    assert made is not None
    assert markdown_table(made).splitlines() == [
        "| name | rating | price |", "| --- | --- | --- |", "| A | 4 | 9.5 |", "| B | 3 | 12 |",
    ]  # fmt: skip
    assert table(many, {"rows": PAIR[:1]}, "en") is None
    assert table(many, {"rows": None}, "en") is None
    assert table(tool(shape="many"), {"rows": PAIR}, "en") is None


@pytest.mark.parametrize(
    ("value", "shown"),
    [(None, ""), (True, "true"), (12345.5, "12,345.5"), (["a", 1], "a, 1"), ("x", "x")],
)
def test_cells(value: Any, shown: str) -> None:
    assert cell(value) == shown


def test_plain_words() -> None:
    one = tool(shape="one", shown=SHOWN, labels=LABELS)
    assert plain(one, {"name": "A", "price": 1200, "x": 2}, "zh") == "name名:A,price名:1,200。"
    assert plain(one, {"name": "A"}, "en") == "name: A."
    many = tool(shape="many", shown=("name",), labels=LABELS)
    assert plain(many, {"rows": PAIR, "total": 3}, "zh") == "total名:3\n- name名:A\n- name名:B"
    assert plain(many, {"rows": PAIR[:1]}, "en") == "- name: A"
    assert plain(many, {"rows": []}, "zh") == "没有查到相应的记录。"
    assert plain(many, {"rows": []}, "en") == "Nothing was found."
    assert plain(tool(shape="one"), {"a": 1}, "en") == "a: 1."
