"""A bare request says nothing that free text could be copied from."""

from __future__ import annotations

from datetime import date

import pytest

from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.content import says_something
from dazi.router.grounding import Evidence, offer

TODAY = date(2025, 6, 2)
BARE = [
    ("create_ticket", "帮我提个工单"),
    ("create_ticket", "please open a ticket for me"),
    ("send_email", "给 wang.fang@yunshan.example 发封邮件"),
    ("send_email", "send an email to priya@yunshan.example"),
    ("update_order_note", "ORD12346"),
    ("update_order_note", "add a note to ORD12349"),
    ("update_order_note", "给ORD12346加个备注"),
    ("get_weather", "明天天气"),
    ("request_refund", "ORD12345 退款50元"),
]
TELLING = [
    ("create_ticket", "空调坏了"),
    ("create_ticket", "open a ticket: the door squeaks"),
    ("send_email", "邮件告诉li.na@example.com会改到三点了"),
    ("update_order_note", "先别发"),
    ("get_weather", "明天杭州天气"),
    ("request_refund", "ORD12345退款,不想要了"),
    ("request_refund", "refund ORD12345, it arrived broken"),
    ("search_knowledge", "年假能不能结转"),
    ("search_product", "键盘多少钱"),
]


@pytest.mark.parametrize(("tool", "said"), BARE)
def test_a_bare_request_cannot_fill_free_text(tool: str, said: str) -> None:
    declared = load_company(demo_folder()).tools[tool]
    assert not says_something(said, declared, TODAY)
    evidence = Evidence(TODAY)
    evidence.said(said)
    offered = offer(declared, evidence, "zh", copies=True, concise=True)
    assert offered.spans and not any(offered.spans.values())


@pytest.mark.parametrize(("tool", "said"), TELLING)
def test_what_is_told_can_be_copied(tool: str, said: str) -> None:
    assert says_something(said, load_company(demo_folder()).tools[tool], TODAY)
