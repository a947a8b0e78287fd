"""What was plainly said and left out of a call is put back; nothing else is touched."""

from __future__ import annotations

import json
from datetime import date
from typing import Any

import pytest

from dazi.core.messages import CallText, dumps
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.grounding import Evidence, offer
from dazi.router.spoken import completed, quoted_at_end

TODAY = date(2025, 6, 2)


def mended(tool: str, said: str, **arguments: Any) -> dict[str, Any]:
    declared = load_company(demo_folder()).tools[tool]
    call = completed(CallText("c", tool, dumps(arguments)), declared, [said], TODAY)
    return dict(json.loads(call.arguments))


@pytest.mark.parametrize(
    ("tool", "name", "said", "given", "whole"),
    [
        ("update_order_note", "note", "ORD12345备注:周末送货上门", "周末", "周末送货上门"),
        ("update_order_note", "note", "备注门口有狗,谢谢", "门口", "门口有狗"),
        ("request_refund", "reason", "ORD12345因为质量问题给我退了吧", "质量问题", "质量问题"),
        ("create_ticket", "title", "ticket: the lamp flickers at night.", "the lamp", "the lamp flickers at night"),
        ("create_ticket", "title", "「打印机卡纸了」帮我提个工单", "打印机", "打印机卡纸了"),
        ("search_knowledge", "query", "does the warranty cover water damage?", "the warranty", "the warranty cover water damage"),
        ("search_product", "name", "iPhone 15 手机壳有吗", "iPhone 15", "iPhone 15"),
        ("update_order_note", "note", "ORD12345备注:周末送", "不在话里", "不在话里"),
        ("request_refund", "reason", "It's ORD12241, the drive was dead on arrival. Thanks", "arrival", "drive was dead on arrival"),
        ("update_order_note", "note", "could you write on ORD50938 that we promised the buyer a case?", "the buyer", "promised the buyer a case"),
        ("create_ticket", "title", "raise an urgent ticket my laptop won't boot", "laptop won't", "laptop won't boot"),
        ("search_knowledge", "query", "can i claim a taxi home when i work till 11pm", "till 11pm", "claim a taxi home when i work till 11pm"),
    ],
)  # fmt: skip
def test_a_passage_ends_where_its_clause_ends(
    tool: str, name: str, said: str, given: str, whole: str
) -> None:
    assert mended(tool, said, **{name: given})[name] == whole


@pytest.mark.parametrize(
    ("tool", "said", "given", "expected"),
    [
        ("query_sales_data", "上个月销售额按地区排", {"month": "上个月"}, "region"),
        ("query_sales_data", "sales by product", {"month": "May"}, "product"),
        ("query_sales_data", "地区和产品都看", {"month": "5月"}, None),  # two are named
        ("query_sales_data", "上个月卖得怎样", {"month": "上个月"}, None),
        ("query_sales_data", "sales of products", {"month": "May"}, None),  # part of a word
        ("query_sales_data", "按地区", {"month": "5月", "group_by": "product"}, "product"),
    ],
)
def test_a_named_choice_is_meant(
    tool: str, said: str, given: dict[str, Any], expected: str | None
) -> None:
    assert mended(tool, said, **given).get("group_by") == expected


def test_every_named_feature_is_meant_and_the_model_s_own_stay() -> None:
    given = {"location": "上海", "date": "明天"}
    said = "上海明天要有投影和白板的会议室"
    assert mended("query_meeting_room", said, **given)["features"] == ["projector", "whiteboard"]
    more = mended("query_meeting_room", said, **given, features=["video"])
    assert more["features"] == ["projector", "whiteboard", "video"]


def test_words_that_are_in_too_many_others_name_nothing() -> None:
    assert "priority" not in mended("create_ticket", "白板太高够不着", title="白板太高够不着")
    assert "priority" not in mended("create_ticket", "ink is low", title="ink is low")


@pytest.mark.parametrize("text", ["not json", "[1]", '"x"'])
def test_what_is_no_call_stays_for_the_router_to_refuse(text: str) -> None:
    tool = load_company(demo_folder()).tools["create_ticket"]
    call = CallText("c", "create_ticket", text)
    assert completed(call, tool, ["打印机坏了"], TODAY) is call


def test_quotation_marks_at_the_end_hold_the_very_words() -> None:
    assert quoted_at_end("备注改成「发票抬头:云帆科技」") == "发票抬头:云帆科技"
    assert quoted_at_end("change the note to 'call before delivery'.") == "call before delivery"
    assert quoted_at_end("「云帆」那单备注一下") is None
    assert quoted_at_end("it's Anna's") is None
    tool = load_company(demo_folder()).tools["update_order_note"]
    evidence = Evidence(TODAY)
    evidence.said("ORD12345备注改成「周末送」")
    offered = offer(tool, evidence, "zh", copies=True, concise=True)
    assert offered.spans["note"] == ("周末送",)
