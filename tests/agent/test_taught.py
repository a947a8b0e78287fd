"""A model that only copies may say what it was taught, with the right values in the right places."""

from __future__ import annotations

from datetime import date

import pytest

from dazi.agent.check import AnswerChecker
from dazi.agent.taught import Taught, fields_of, holds
from dazi.core.engine import TaughtReply
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.grounding import Evidence
from tests.agent.conftest import Start

TODAY = date(2025, 4, 3)
REPLIES = (
    TaughtReply("", "", "不客气。"),
    TaughtReply("get_order_status", "status=packed", "{item}已打包，预计{expected_ship}发货。"),
    TaughtReply("get_order_status", "status=shipped", "{order_id}已发货。请留意。"),
    TaughtReply("query_sales_data", "", "{month}销售额{total}元，第一是{first.name}。"),
    TaughtReply("query_sales_data", "rows=0", "没有数据。"),
    TaughtReply(
        "get_leave_balance", "rows>1", "年假{kind=annual.days}天，病假{kind=sick.days}天。"
    ),
    TaughtReply("fetch_department_budget", "compare", "{better}花得多：{a.spent}对{b.spent}。"),
)
ORDER = {
    "order_id": "ORD12345",
    "status": "packed",
    "item": "蓝牙耳机",
    "expected_ship": "明天",
}
SALES = {
    "month": "2025-03",
    "total": 930000,
    "rows": [{"name": "华东", "amount": 520000}, {"name": "华南", "amount": 410000}],
}
LEAVE = {"items": [{"kind": "annual", "days": 7.5}, {"kind": "sick", "days": 3}]}


def checker(*results: tuple[str, dict[str, object]]) -> AnswerChecker:
    tools = load_company(demo_folder()).tools
    shown = [(tools[name], {}, result) for name, result in results]
    return AnswerChecker.over(Evidence(TODAY), shown, Taught(REPLIES))


@pytest.mark.parametrize(
    ("result", "sentence", "right"),
    [
        (("get_order_status", ORDER), "蓝牙耳机已打包,预计明天发货。", True),
        (("get_order_status", ORDER), " 蓝牙耳机已打包，预计明天发货。\n", True),
        (("get_order_status", ORDER), "蓝牙耳机已打包,预计后天发货。", False),
        (("get_order_status", ORDER), "蓝牙耳朵已打包,预计明天发货。", False),
        (("get_order_status", ORDER), "ORD12345已发货。", False),  # it is packed
        (("get_order_status", {**ORDER, "status": "shipped"}), "ORD12345已发货。", True),
        (("get_order_status", {**ORDER, "status": "shipped"}), "请留意。", True),
        (("query_sales_data", SALES), "2025-03销售额930000元,第一是华东。", True),
        (
            ("query_sales_data", SALES),
            "2025-03销售额520000元,第一是华东。",
            False,
        ),  # a row's amount
        (("query_sales_data", SALES), "2025-03销售额930000元,第一是华南。", False),  # the second
        (("query_sales_data", SALES), "没有数据。", False),
        (("get_leave_balance", LEAVE), "年假7.5天,病假3天。", True),
        (("get_leave_balance", LEAVE), "年假3天,病假7.5天。", False),
        (("get_order_status", ORDER), "不客气。", True),
        (("get_order_status", ORDER), "不客气,ORD12345很快就到。", False),
    ],
)
def test_a_value_belongs_in_its_place(
    result: tuple[str, dict[str, object]], sentence: str, right: bool
) -> None:
    assert checker(result).check(sentence).ok is right


def test_two_results_keep_their_sides() -> None:
    name = "fetch_department_budget"
    one = {"dept_name": "市场部", "spent": 300, "budget": 500}
    other = {"dept_name": "研发部", "spent": 200, "budget": 500}
    both = checker((name, one), (name, other))
    assert both.check("市场部花得多:300对200。").ok
    assert not both.check("研发部花得多:300对200。").ok
    assert not both.check("市场部花得多:200对300。").ok
    assert not checker((name, one)).check("市场部花得多:300对200。").ok


def test_a_model_without_taught_replies_words_things_itself() -> None:
    tools = load_company(demo_folder()).tools
    evidence = Evidence(TODAY)
    evidence.found("tool:get_order_status", ORDER)
    free = AnswerChecker.over(evidence, [(tools["get_order_status"], {}, ORDER)])
    assert free.check("您的蓝牙耳机明天就能发出,请放心。").ok
    assert not free.check("您的订单ORD99999明天发货。").ok


def test_conditions_need_their_field() -> None:
    fields = {"status": "packed", "quantity": 0, "days": 1.0}
    assert holds("", fields) and holds("status=packed", fields) and holds("quantity=0", fields)
    assert holds("days>0", fields) and holds("days=1", fields)
    for when in ("status=shipped", "quantity>0", "rows=0", "rows>0", "packed", "status>0"):
        assert not holds(when, fields), when


def test_rows_without_words_of_their_own_are_counted() -> None:
    tool = load_company(demo_folder()).tools["list_orders"]
    assert fields_of(tool, {"orders": []})["rows"] == 0


STATUS = ("get_order_status", {"order_id": "ORD12345"})
ASKED = "ORD12345 到哪了?"


async def test_a_garbled_reply_is_replaced_by_the_data(house: Start) -> None:
    garbled = "云杉蓝牙耳朵 Air已打包，预计明天发货。"
    h = await house([[STATUS], garbled, garbled], concise=True, taught=REPLIES)
    said = await h.ask("customer", ASKED)
    assert said.end.replaced == 2
    assert "耳朵" not in said.streamed
    assert "ORD12345" in said.end.answer and "已打包" in said.end.answer


async def test_a_right_reply_is_shown_as_it_is(house: Start) -> None:
    right = "云杉蓝牙耳机 Air已打包，预计明天发货。"
    h = await house([[STATUS], right], concise=True, taught=REPLIES)
    said = await h.ask("customer", ASKED)
    assert (said.end.replaced, said.end.answer) == (0, right)
