"""Requests in words find their report and its parameters, or hear which there are."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from dazi.apps.reports.asking import chosen, recognised, unknown
from dazi.apps.reports.declare import load_reports
from dazi.apps.reports.definition import Report
from dazi.core.engine import ModelProfile
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from tests.fakes.engine import ScriptedEngine

TODAY = date(2025, 4, 3)


@pytest.fixture(scope="module")
def reports() -> list[Report]:
    return list(load_reports(load_company(demo_folder())).values())


@pytest.mark.parametrize(
    ("text", "name", "given"),
    [
        (
            "请生成Q1市场部与研发部的费用对比表,并标注异常波动项",
            "department-costs",
            {"quarters": ["2025-Q1"], "departments": ["marketing", "rd"]},
        ),
        (
            "对比销售部、人力资源部和财务部去年Q3和去年Q4的预算执行情况",
            "department-costs",
            {"quarters": ["2024-Q3", "2024-Q4"], "departments": ["sales", "hr", "finance"]},
        ),
        ("出一份上个月的销售报告,按地区和产品", "monthly-sales", {"month": "2025-03"}),
        ("monthly sales by region for February 2025", "monthly-sales", {"month": "2025-02"}),
        ("Compare the costs of marketing and R&D in Q1", "department-costs",
         {"quarters": ["2025-Q1"], "departments": ["marketing", "rd"]}),
        ("手机和耳机的库存报告", "inventory", {"categories": ["phones", "headphones"]}),
        ("明天上海的会议室使用情况", "meeting-rooms", {"date": "2025-04-04", "cities": ["shanghai"]}),
        ("最近的订单和退款概况", "orders", {}),
    ],
)  # fmt: skip
def test_requests(reports: list[Report], text: str, name: str, given: dict[str, Any]) -> None:
    found = recognised(text, reports, TODAY)
    assert found is not None
    assert (found.report.name, dict(found.given)) == (name, given)


@pytest.mark.parametrize("text", ["今天天气怎么样", "帮我写首诗", "", "make me a report"])
def test_what_is_none_of_them(reports: list[Report], text: str) -> None:
    assert recognised(text, reports, TODAY) is None
    assert all(r.name in unknown(reports).text.zh for r in reports)


async def test_a_model_may_choose_among_the_reports_only(reports: list[Report]) -> None:
    words = "大区上个月战绩如何"
    for said, name in (("monthly-sales", "monthly-sales"), ("`orders`.", "orders"),
                       ("drop-tables", None), ("none", None)):  # fmt: skip
        engine = ScriptedEngine([said])
        found = await chosen(words, reports, engine, TODAY, "zh")
        assert (found.report.name if found else None) == name
        if found and name == "monthly-sales":
            assert found.given == {"month": "2025-03"} and found.by_model
    copying = ScriptedEngine(["orders"], ModelProfile("mini", 2048, copies_text=True))
    assert await chosen(words, reports, copying, TODAY, "zh") is None
