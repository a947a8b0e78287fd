"""Functions of a company's module: how they are called, and what the demo's ones do."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.apps.risk.service import RiskService
from dazi.apps.risk.shelf import version_of
from dazi.connectors.context import ConnectorContext
from dazi.connectors.functions import FunctionConnector
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.language import Text
from dazi.core.tools import Binding, Parameter, Tool, ToolResultRules
from tests.connectors.systems import CUSTOMER, RISK, STAFF, TOOLS, Company, invocation
from tests.fakes.desk import FakeDesk

MODULE = """
import asyncio, time
from json import loads
from dazi.core.errors import ConnectorError

calls = []

def plain(a, b="default"): return {"a": a, "b": b}
async def slow(a): await asyncio.sleep(30)
def slow_thread(a): time.sleep(2); calls.append(a)
def fails(a): raise ZeroDivisionError("SECRET")
def exits(a): raise SystemExit(1)
def refuses(a): raise ConnectorError("refused", "不行", "no")
def odd(a): return {"x": object()}
def huge(a): return "x" * 300_000
def nothing(a): return None
def rows(a): return [{"n": 1}, {"n": 2.0}]
def context(a, ctx): return {
    "user": ctx.principal.user, "today": ctx.today.isoformat(), "key": ctx.idempotency_key,
    "evidence": len(ctx.evidence), "folder": str(ctx.folder), "data": str(ctx.data_dir),
    "databases": dict(ctx.databases)}
def _private(a): return 1
CONSTANT = 5
"""


@pytest.fixture
async def functions(tmp_path: Path) -> FunctionConnector:
    (tmp_path / "functions.py").write_text(MODULE)
    context = ConnectorContext(tmp_path, tmp_path / "data", {"crm": "sqlite:///a.sqlite"})
    return FunctionConnector(tmp_path / "functions.py", context)


def tool(function: str, effect: Any = "read", shape: Any = "one", **operation: Any) -> Tool:
    return Tool(
        name="probe",
        system=Text("内部功能", "in-house functions"),
        description=Text("", ""),
        parameters=(
            Parameter("a", "string", Text("", ""), required=True),
            Parameter("b", "string", Text("", "")),
        ),
        roles=frozenset(),
        effect=effect,
        connector="x",
        operation={"function": function, **operation},
        result=ToolResultRules(shape=shape),
    )


async def refusal(connector: Any, made: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await connector.execute(made)
    return caught.value


async def test_arguments_and_defaults(functions: FunctionConnector) -> None:
    made = invocation(tool("plain"), {"a": "1", "b": None})
    assert await functions.execute(made) == {"a": "1", "b": "default"}
    made = invocation(tool("plain"), {"a": "1", "b": "2"})
    assert await functions.execute(made) == {"a": "1", "b": "2"}
    assert await functions.execute(invocation(tool("nothing"), {"a": ""})) is None
    found = await functions.execute(invocation(tool("rows", shape="many"), {"a": ""}))
    assert found == {"count": 2, "rows": [{"n": 1}, {"n": 2}]}


async def test_what_a_function_may_know(functions: FunctionConnector, tmp_path: Path) -> None:
    found = await functions.execute(invocation(tool("context"), {"a": ""}, evidence=({}, {})))
    assert found == {
        "user": "staff",
        "today": "2025-04-03",
        "key": "key-00000001",
        "evidence": 2,
        "folder": str(tmp_path),
        "data": str(tmp_path / "data"),
        "databases": {"crm": f"sqlite:///{tmp_path}/data/a.sqlite"},
    }


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("fails", "unavailable"),
        ("exits", "unavailable"),
        ("odd", "bad_response"),
        ("huge", "too_large"),
        ("_private", "unavailable"),
        ("loads", "unavailable"),
        ("CONSTANT", "unavailable"),
        ("no_such", "unavailable"),
        ("__import__", "unavailable"),
    ],
)
async def test_failures(functions: FunctionConnector, name: str, code: str) -> None:
    error = await refusal(functions, invocation(tool(name), {"a": ""}))
    assert (error.code, error.effect_possible) == (code, False)
    assert "SECRET" not in error.message("en")


async def test_a_writing_function_may_have_acted(functions: FunctionConnector) -> None:
    for name in ("fails", "odd"):
        assert (
            await refusal(functions, invocation(tool(name, "write"), {"a": ""}))
        ).effect_possible
    refused = await refusal(functions, invocation(tool("refuses", "write"), {"a": ""}))
    assert (refused.code, refused.effect_possible) == ("refused", False)


@pytest.mark.parametrize("name", ["slow", "slow_thread"])
async def test_deadlines(functions: FunctionConnector, name: str) -> None:
    async with asyncio.timeout(25):
        error = await refusal(functions, invocation(tool(name, "write"), {"a": ""}, deadline_s=0.1))
    assert (error.code, error.effect_possible) == ("timeout", True)


async def test_needed_results(functions: FunctionConnector) -> None:
    made = invocation(tool("plain", needs_results=True), {"a": "1"})
    assert (await refusal(functions, made)).code == "refused"
    assert await functions.execute(replace(made, evidence=({},)))


def test_declarations_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "functions.py"
    path.write_text(MODULE)
    connector = FunctionConnector(path, ConnectorContext(tmp_path, tmp_path))
    connector.check(tool("plain"))
    with pytest.raises(ConfigError, match="no function no_such"):
        connector.check(tool("no_such"))
    with pytest.raises(ConfigError, match=r"slow\(\) does not fit"):
        connector.check(tool("slow"))
    with pytest.raises(ConfigError, match=r"plain\(\) does not fit"):
        connector.check(replace(tool("plain"), bind={"who": Binding("user")}))


@pytest.mark.parametrize(
    ("text", "words"),
    [("\n\ndef f(:\n", r"functions\.py:3: "), ("x = 1\nx / 0\n", r"functions\.py:2: ")],
)
def test_a_module_that_cannot_be_loaded(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "functions.py"
    context = ConnectorContext(tmp_path, tmp_path)
    with pytest.raises(ConfigError, match="no such Python file"):
        FunctionConnector(path, context)
    path.write_text(text)
    with pytest.raises(ConfigError, match=words):
        FunctionConnector(path, context)


# --- the demo's functions -------------------------------------------------------------------


async def test_a_ticket_is_opened_once(company: Company) -> None:
    made = invocation(TOOLS["create_ticket"], {"title": "打印机卡纸"}, CUSTOMER)
    answers = await asyncio.gather(*(company.run(made) for _ in range(5)))
    assert answers == [{"ticket_id": "T00001", "title": "打印机卡纸", "priority": "normal"}] * 5
    second = replace(made, idempotency_key="key-2", arguments={"title": "x", "priority": "high"})
    assert (await company.run(second))["ticket_id"] == "T00002"
    desk = company.context.desk
    assert isinstance(desk, FakeDesk)
    assert [r.principal.user for r in desk.requests] == ["customer"] * 6
    assert [t.title for t in desk.filed.values()] == ["打印机卡纸", "x"]
    blank = replace(made, arguments={"title": "  "})
    assert (await refusal(company.connector(made.tool), blank)).code == "refused"


async def test_transactions_are_scored_by_the_risk_engine(
    company: Company, company_risk: RiskService
) -> None:
    found = await company.call("assess_transaction", RISK, transaction_id="TX204913")
    assert (found["transaction_id"], found["level"], found["proposal"]) == (
        "TX204913", "high", "hold",
    )  # fmt: skip
    assert found["score"] > 50
    assert {"amount", "new_device", "new_counterparty"} <= set(found["reasons"])
    assert set(found["reasons"]) <= set(TOOLS["assess_transaction"].result.values["reasons"])
    assert "28,600.00" in found["account"]["zh"] and "28,600.00" in found["account"]["en"]
    assert found["model"] == version_of(await company_risk.made())
    again = await company.call("assess_transaction", RISK, transaction_id="TX204913")
    assert again == found
    assert await company.call("assess_transaction", RISK, transaction_id="TX999999") is None
    ordinary = await company.call("assess_transaction", RISK, transaction_id="TX204700")
    assert (ordinary["level"], ordinary["proposal"]) == ("low", "allow")


async def test_only_who_may_is_told_of_a_transaction(
    company: Company, company_risk: RiskService
) -> None:
    made = invocation(TOOLS["assess_transaction"], {"transaction_id": "TX204913"}, STAFF)
    assert (await refusal(company.connector(made.tool), made)).code == "refused"


async def test_a_closed_risk_engine_is_unavailable(company: Company) -> None:
    made = invocation(TOOLS["assess_transaction"], {"transaction_id": "TX204913"}, RISK)
    assert (await refusal(company.connector(made.tool), made)).code == "unavailable"


async def test_without_a_desk_no_ticket_is_said_to_be_opened(company: Company) -> None:
    made = invocation(TOOLS["create_ticket"], {"title": "打印机卡纸"}, CUSTOMER)
    company.context = replace(company.context, desk=None)
    assert (await refusal(company.connector(made.tool), made)).code == "unavailable"


def earlier(name: str, result: Any, **arguments: Any) -> dict[str, Any]:
    return {"name": name, "arguments": arguments, "result": result}


async def draw(company: Company, *evidence: Any, **arguments: Any) -> Any:
    made = invocation(TOOLS["generate_comparison_chart"], arguments, STAFF, evidence=evidence)
    return await company.run(made)


async def test_a_chart_of_two_budgets(company: Company) -> None:
    evidence = [
        earlier(
            "fetch_department_budget",
            {
                "dept": d,
                "dept_name": n,
                "quarter": "2025-Q1",
                "budget": b,
                "spent": s,
                "used_rate": "9%",
            },
        )
        for d, n, b, s in (
            ("marketing", "市场部", 800000, 920000),
            ("rd", "研发部", 1200000, 1140000),
        )
    ]
    chart = await draw(company, *evidence, kind="bar", results=["2", "3"])
    assert chart["title"] == "市场部 / 研发部 2025-Q1"
    assert chart["kind"] == "bar"
    assert chart["categories"] == ["市场部", "研发部"]
    assert [(s["field"], s["data"]) for s in chart["series"]] == [
        ("budget", [800000, 1200000]),
        ("spent", [920000, 1140000]),
    ]
    assert chart["series"][0]["labels"] == {"zh": "预算(元)", "en": "budget (CNY)"}


async def test_a_chart_of_one_department_over_quarters(company: Company) -> None:
    evidence = [
        earlier(
            "fetch_department_budget", {"dept_name": "HR", "quarter": q, "budget": 1, "spent": 2}
        )
        for q in ("2024-Q4", "2025-Q1")
    ]
    chart = await draw(company, *evidence, kind="line")
    assert chart["categories"] == ["2024-Q4", "2025-Q1"]


async def test_charts_of_lists(company: Company) -> None:
    march = await company.call("query_sales_data", month="2025-03", top=3)
    february = await company.call("query_sales_data", month="2025-02", top=3)
    one = await draw(company, earlier("query_sales_data", march, month="2025-03"))
    assert one["categories"] == [row["name"] for row in march["rows"]]
    assert one["series"][0]["data"] == [row["amount"] for row in march["rows"]]
    assert one["title"].endswith("2025-03")
    two = await draw(
        company,
        earlier("get_weather", {"city": "上海", "low": 1, "high": 2}),
        earlier("query_sales_data", february, month="2025-02"),
        earlier("query_sales_data", march, month="2025-03"),
    )
    assert [s["name"] for s in two["series"]] == ["2025-02", "2025-03"]
    phones = [
        earlier("search_product", await company.call("search_product", name=name))
        for name in ("iPhone 15", "Galaxy S24")
    ]
    products = await draw(company, *phones)
    assert products["categories"] == ["iPhone 15", "Samsung Galaxy S24"]
    assert [(s["field"], s["data"]) for s in products["series"]] == [("price", [5999, 5499])]


@pytest.mark.parametrize(
    "result", [None, "text", {}, {"rows": []}, {"quote": "x"}, {"name": "x", "amount": "12"}]
)
async def test_nothing_to_draw(company: Company, result: Any) -> None:
    assert await draw(company, earlier("t", result)) is None


async def test_no_results_no_chart(company: Company) -> None:
    with pytest.raises(ConnectorError, match="no earlier results"):
        await draw(company)
