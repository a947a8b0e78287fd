"""What the demo's systems answer holds every field that the declared tools show."""

from __future__ import annotations

from typing import Any

import pytest

from dazi.apps.risk.service import RiskService
from dazi.core.language import Language
from dazi.main.documents import Documents
from dazi.router.derive import derive
from tests.connectors.systems import CUSTOMER, RISK, STAFF, TODAY, TOOLS, Company, invocation

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("get_order_status", {"order_id": "ORD12345"}),
    ("list_orders", {"status": "delivered"}),
    ("update_order_note", {"order_id": "ORD12345", "note": "加急"}),
    ("request_refund", {"order_id": "ORD12345", "amount": 20, "reason": "破损"}),
    ("create_ticket", {"title": "打印机坏了"}),
    ("get_inventory", {"sku": "SKU-1002"}),
    ("search_product", {"name": "耳机"}),
    ("query_sales_data", {"month": "2025-03", "top": 10}),
    ("fetch_department_budget", {"dept": "marketing", "quarter": "2025-Q1"}),
    ("query_meeting_room", {"location": "北京", "date": "2025-04-04"}),
    ("book_room", {"room": "B204", "date": "2025-05-04", "start": "09:00", "end": "10:00"}),
    ("get_leave_balance", {}),
    ("get_weather", {"city": "上海"}),
    ("search_knowledge", {"query": "退货政策"}),
    ("send_email", {"to": "a@example.com", "subject": "周会", "body": "改期"}),
    ("generate_comparison_chart", {"kind": "bar", "results": ["1"]}),
]


def test_every_tool_is_called() -> None:
    assert {name for name, _ in CALLS} == TOOLS.keys() - {"assess_transaction"}


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize(("name", "arguments"), CALLS)
async def test_every_shown_field_is_there(
    company: Company,
    company_documents: Documents,
    services: str,
    name: str,
    arguments: dict[str, Any],
    language: Language,
) -> None:
    tool = TOOLS[name]
    principal = CUSTOMER if "customer" in tool.roles else STAFF
    sales = {"rows": [{"name": "广东", "amount": 5}], "count": 1}
    evidence = ({"name": "query_sales_data", "arguments": {}, "result": sales},)
    raw = await company.run(invocation(tool, arguments, principal, evidence=evidence))
    result = derive(tool, raw, arguments, language, TODAY)
    rows = result[tool.result.rows] if tool.result.shape == "many" else [result]
    assert rows
    for row in rows:
        # What a rule only adds when it applies, such as `abnormal`, may be absent.
        assert set(tool.result.shown) - row.keys() <= {"over", "abnormal", "expected_ship"}
    if language == "zh" and name == "get_order_status":
        assert (result["status_text"], result["expected_ship"]) == ("已打包", "明天")
    if language == "zh" and name == "fetch_department_budget":
        assert (result["over"], result["change"], result["abnormal"]) == (120000, "+53.3%", "是")


async def test_every_shown_field_of_a_transaction_is_there(
    company: Company, company_risk: RiskService
) -> None:
    tool, arguments = TOOLS["assess_transaction"], {"transaction_id": "TX204913"}
    raw = await company.run(invocation(tool, arguments, RISK))
    for language, words in (("zh", "新设备"), ("en", "new device")):
        result = derive(tool, raw, arguments, language, TODAY)  # type: ignore[arg-type]
        assert set(tool.result.shown) | set(tool.result.detail) <= result.keys()
        assert words in result["reasons"] and "28,600.00" in result["account_text"]
