"""The HTTP connector: against the demo's real services, and against servers that misbehave."""

from __future__ import annotations

import asyncio
import gzip
import json
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.connectors.credentials import Credential
from dazi.connectors.http import MAX_BODY, HttpConnector
from dazi.connectors.openapi import read_operations
from dazi.connectors.registry import make_connector
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.tools import Binding, Tool
from tests.connectors.systems import FOLDER, TOOLS, Company, Talk, invocation

ERP = FOLDER / "services" / "erp.openapi.json"
INVENTORY, REFUND = TOOLS["get_inventory"], TOOLS["request_refund"]
Listen = Callable[[Talk], Awaitable[int]]


async def refusal(connector: Any, made: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await connector.execute(made)
    return caught.value


def paid_back(database: Path, order: str) -> list[int]:
    with closing(sqlite3.connect(database)) as connection:
        query = "SELECT cents FROM refunds WHERE order_id = ?"
        return [cents for (cents,) in connection.execute(query, (order,))]


# --- the demo's services --------------------------------------------------------------------


async def test_reading_from_the_erp(company: Company, services: str) -> None:
    assert await company.call("get_inventory", sku="SKU-1001") == {
        "sku": "SKU-1001",
        "item": "iPhone 15",
        "quantity": 42,
        "warehouse": "上海一号仓",
    }
    assert await company.call("get_inventory", sku="SKU-9999") is None
    budget = await company.call("fetch_department_budget", dept="marketing", quarter="2025-Q1")
    lines, year_before = budget.pop("lines"), budget.pop("year_before_spent")
    assert budget == {
        "dept": "marketing",
        "quarter": "2025-Q1",
        "budget": 800000,
        "spent": 920000,
        "previous_spent": 600000,
    }
    cents = [(round(x["amount"] * 100), round(x["year_before"] * 100)) for x in lines]
    assert [sum(column) for column in zip(*cents, strict=True)] == [
        92_000_000,
        round(year_before * 100),
    ]
    assert await company.call("fetch_department_budget", dept="hr", quarter="2019-Q1") is None


async def test_weather_is_the_same_whenever_asked(company: Company, services: str) -> None:
    first = await company.call("get_weather", city="上海", date="2025-04-04")
    assert first["demo"] == "demo data"
    assert first == await company.call("get_weather", city="上海", date="2025-04-04")
    english = await company.call("get_weather", city="Shanghai", date="2025-04-04")
    assert first | {"city": "Shanghai"} == english
    today = await company.call("get_weather", city="Reykjavík & co/?#")
    assert (today["city"], today["date"]) == ("Reykjavík & co/?#", "2025-04-03")
    for day in range(1, 29):
        found = await company.call("get_weather", city="哈尔滨", date=f"2025-01-{day:02d}")
        assert found["low"] < found["high"]
        assert found["condition"] in TOOLS["get_weather"].result.values["condition"]
        assert found["advice"] in TOOLS["get_weather"].result.values["advice"]


async def test_a_refund_happens_once(company: Company, services: str, database: Path) -> None:
    made = invocation(REFUND, {"order_id": "ORD12345", "reason": "客户取消"})
    answers = await asyncio.gather(*(company.run(made) for _ in range(10)))
    assert {json.dumps(answer) for answer in answers} == {json.dumps(answers[0])}
    assert answers[0]["amount"] == 299
    assert paid_back(database, "ORD12345") == [29900]
    status = await company.call("get_order_status", order_id="ORD12345")
    assert status["status"] == "refunded"
    other = replace(made, idempotency_key="key-00000002")
    error = await refusal(company.connector(REFUND), other)
    assert (error.code, error.effect_possible) == ("refused", False)
    assert error.message("zh") == "这个订单已经全额退款"
    assert error.message("en") == "This order is already fully refunded"


async def test_refunds_in_parts(company: Company, services: str, database: Path) -> None:
    def part(amount: float, key: str) -> Any:
        arguments = {"order_id": "ORD12345", "amount": amount, "reason": "少发配件"}
        return invocation(REFUND, arguments, idempotency_key=key)

    assert (await company.run(part(99.5, "part-0001")))["amount"] == 99.5
    error = await refusal(company.connector(REFUND), part(200, "part-0002"))
    assert (error.code, error.message("en")) == ("refused", "Only CNY 199.50 can still be refunded")
    assert (await company.call("get_order_status", order_id="ORD12345"))["status"] == "packed"
    same_key = await refusal(company.connector(REFUND), part(50, "part-0001"))
    assert same_key.code == "refused"
    assert (await company.run(part(199.5, "part-0003")))["amount"] == 199.5
    assert paid_back(database, "ORD12345") == [9950, 19950]
    assert (await company.call("get_order_status", order_id="ORD12345"))["status"] == "refunded"


async def test_refunds_race_for_the_same_money(
    company: Company, services: str, database: Path
) -> None:
    made = [
        invocation(
            REFUND,
            {"order_id": "ORD12345", "amount": 100, "reason": "x"},
            idempotency_key=f"racing-{n:04d}",
        )
        for n in range(12)
    ]
    answers = await asyncio.gather(*map(company.run, made), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in answers) == 2
    assert sum(paid_back(database, "ORD12345")) == 20000


@pytest.mark.parametrize("amount", [0, -5, 0.001, 1e12, 299.01])
async def test_refunds_of_impossible_amounts(
    company: Company, services: str, database: Path, amount: float
) -> None:
    made = invocation(REFUND, {"order_id": "ORD12345", "amount": amount, "reason": "x"})
    assert (await refusal(company.connector(REFUND), made)).code == "refused"
    assert paid_back(database, "ORD12345") == []


async def test_a_refund_of_an_unknown_order(company: Company, services: str) -> None:
    assert await company.call("request_refund", order_id="ORD99999", reason="x") is None


@pytest.mark.parametrize(
    "value",
    ["../budgets/hr/2025-Q1", "..", ".", "a/b", "a\\b", "%2e%2e", "a%2fb", "", "a\nb", "a..b"],
)
async def test_a_path_argument_stays_where_it_is(
    company: Company, services: str, value: str
) -> None:
    made = invocation(INVENTORY, {"sku": value})
    assert (await refusal(company.connector(INVENTORY), made)).code == "refused"


async def test_a_strange_path_argument_is_encoded(company: Company, services: str) -> None:
    assert await company.call("get_inventory", sku="SKU 1001?x=1#&;库存@:") is None


# --- servers that misbehave -----------------------------------------------------------------


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_ERP_TOKEN", "t0ken")


@pytest.fixture
async def erp_at() -> AsyncIterator[Callable[[int], HttpConnector]]:
    made: list[HttpConnector] = []

    def at(port: int) -> HttpConnector:
        made.append(
            HttpConnector(f"http://127.0.0.1:{port}/base/", ERP, Credential("TEST_ERP_TOKEN"))
        )
        return made[-1]

    yield at
    for connector in made:
        await connector.close()


async def read_request(reader: asyncio.StreamReader) -> tuple[str, dict[str, str], bytes]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {k.lower(): v for k, _, v in (line.partition(": ") for line in head[1:] if line)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return head[0], headers, body


def replying(status: str, body: bytes, *headers: str) -> Talk:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
        writer.write("\r\n".join(lines).encode() + body)
        await writer.drain()

    return talk


def asking(tool: Tool = INVENTORY, **changes: Any) -> Any:
    arguments = {
        "get_inventory": {"sku": "SKU-1001"},
        "request_refund": {"order_id": "ORD12345", "amount": 20.5, "reason": "破损"},
    }
    return invocation(tool, arguments[tool.name], **changes)


async def test_what_is_sent(listen: Listen, erp_at: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, dict[str, str], bytes]] = []

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await read_request(reader))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    monkeypatch.setenv("TEST_ERP_TOKEN", "secret-token")
    assert await erp_at(await listen(talk)).execute(asking(REFUND)) == {}
    line, headers, body = seen[0]
    assert line == "POST /base/orders/ORD12345/refunds HTTP/1.1"
    assert headers["idempotency-key"] == "key-00000001"
    assert headers["authorization"] == "Bearer secret-token"
    assert json.loads(body) == {"amount": 20.5, "reason": "破损"}


@pytest.mark.parametrize(
    ("status", "body", "read_code", "write_possible"),
    [
        ("200 OK", b"<html>hello</html>", "bad_response", True),
        ("200 OK", b"", "bad_response", True),
        ("200 OK", b"[1, 2]", "bad_response", True),
        ("200 OK", b'{"a": NaN}', "bad_response", True),
        ("200 OK", b"[" * 100_000, "bad_response", True),
        ("200 OK", gzip.compress(b"{}", mtime=0), "bad_response", True),
        ("200 OK", json.dumps({"a": "x" * 300_000}).encode(), "too_large", True),
        ("500 Oops", b'{"detail": "SECRET at line 5"}', "unavailable", True),
        ("503 Busy", b"", "unavailable", True),
        ("401 Who", b"{}", "unavailable", False),
        ("429 Slow", b"{}", "unavailable", False),
        ("400 Bad", b"{}", "bad_response", False),
        ("409 Conflict", b"{}", "refused", False),
        ("422 No", b'{"detail": ["a", 1]}', "refused", False),
    ],
)
async def test_answers_that_are_no_use(
    listen: Listen, erp_at: Any, status: str, body: bytes, read_code: str, write_possible: bool
) -> None:
    connector = erp_at(await listen(replying(status, body)))
    error = await refusal(connector, asking())
    assert (error.code, error.effect_possible) == (read_code, False)
    assert "SECRET" not in error.message("en")
    error = await refusal(connector, asking(REFUND))
    assert (error.code, error.effect_possible) == (read_code, write_possible)


async def test_a_refusals_own_words_are_cleaned(listen: Listen, erp_at: Any) -> None:
    detail = "不行\u202e\u200b\x1b[31m" + "很" * 400
    connector = erp_at(await listen(replying("422 No", json.dumps({"detail": detail}).encode())))
    message = (await refusal(connector, asking(REFUND))).message("zh")
    assert message.startswith("不行[31m很")
    assert len(message) == 300


async def test_redirects_are_not_followed(listen: Listen, erp_at: Any) -> None:
    reached = []

    async def target(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        reached.append(True)

    port = await listen(target)
    there = f"Location: http://127.0.0.1:{port}/"
    for status in ("301 Moved", "302 Found", "307 There", "308 Gone"):
        connector = erp_at(await listen(replying(status, b"", there)))
        for tool in (INVENTORY, REFUND):
            assert (await refusal(connector, asking(tool))).code == "bad_response"
    assert not reached


async def test_ten_megabytes_are_not_read(listen: Listen, erp_at: Any) -> None:
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await read_request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10485760\r\n\r\n")
        for _ in range(160):
            writer.write(b" " * 65536)
            await writer.drain()
            sent += 65536

    error = await refusal(erp_at(await listen(talk)), asking())
    assert error.code == "too_large"
    assert sent < MAX_BODY * 8


@pytest.mark.parametrize("silent_after", ["nothing", "headers"])
async def test_slow_answers(listen: Listen, erp_at: Any, silent_after: str) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await read_request(reader)
        if silent_after == "headers":
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
        await asyncio.sleep(30)

    connector = erp_at(await listen(talk))
    for tool, possible in ((INVENTORY, False), (REFUND, True)):
        async with asyncio.timeout(25):
            error = await refusal(connector, asking(tool, deadline_s=0.2))
        assert (error.code, error.effect_possible) == ("timeout", possible)


@pytest.mark.parametrize("port", [0, 1])
async def test_nobody_listens(erp_at: Any, port: int) -> None:
    error = await refusal(erp_at(port), asking(REFUND))
    assert (error.code, error.effect_possible) == ("unavailable", False)


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00\xff" * 50, b"HTTP/1.1 200 OK\r\nX: " + b"y" * 99_999]
)
async def test_garbage_and_hanging_up(listen: Listen, erp_at: Any, garbage: bytes) -> None:
    requests = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal requests
        await read_request(reader)
        requests += 1
        writer.write(garbage)

    connector = erp_at(await listen(talk))
    error = await refusal(connector, asking(REFUND))
    assert (error.code, error.effect_possible) == ("unavailable", True)
    assert requests == 1  # a write is never sent twice


async def test_an_empty_answer_is_an_answer(listen: Listen, erp_at: Any) -> None:
    assert await erp_at(await listen(replying("204 Done", b""))).execute(asking(REFUND)) == {}


# --- declarations ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"operation": {"operation": "noSuch"}}, "no operationId noSuch"),
        ({"operation": {}}, "no operationId"),
        ({"parameters": ()}, "getInventory requires sku"),
        ({"bind": {"tenant": Binding("tenant")}}, "does not take tenant"),
        (
            {"operation": {"operation": "requestRefund"}, "parameters": REFUND.parameters},
            "POST cannot be a read",
        ),
    ],
)
def test_declarations_are_checked(company: Company, changes: dict[str, Any], words: str) -> None:
    config = {"service": "erp", "openapi": "services/erp.openapi.json"}
    with pytest.raises(ConfigError, match=words):
        make_connector("http", config, company.context, [replace(INVENTORY, **changes)])


@pytest.mark.parametrize(
    "url",
    [
        "",
        "erp",
        "ftp://h/",
        "http://",
        "http://user:pw@h/",
        "http://h/?a=1",
        "http://h:x/",
    ],
)
def test_base_urls_that_cannot_be_used(company: Company, url: str) -> None:
    context = replace(company.context, services={"erp": url})
    with pytest.raises(ConfigError, match="service erp") as caught:
        make_connector("http", {"service": "erp", "openapi": "services/erp.openapi.json"}, context)
    assert "pw" not in str(caught.value)


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("{\n\n nonsense", ":3: not valid JSON"),
        ("[]", "not a valid OpenAPI 3 document"),
        ('{"paths": {"/a/{b}": {"get": {"operationId": "x"}}}}', "path parameters of x"),
        ('{"paths": {"/a": {"get": {"operationId": "x"}, "put": {"operationId": "x"}}}}', "twice"),
        (
            '{"paths": {"/a": {"get": {"operationId": "x", "parameters": [{"$ref": "http://h/x"}]}}}}',
            "not a valid",
        ),
    ],
)
def test_documents_are_checked(tmp_path: Path, document: str, words: str) -> None:
    (tmp_path / "api.json").write_text(document)
    with pytest.raises(ConfigError, match=words):
        read_operations(tmp_path / "api.json")
    with pytest.raises(ConfigError, match="cannot be read"):
        read_operations(tmp_path / "none.json")


def test_the_demos_documents_tell_the_truth() -> None:
    erp = read_operations(ERP)
    weather = read_operations(FOLDER / "services" / "weather.openapi.json")
    assert erp.keys() == {"getInventory", "getBudget", "requestRefund"}
    assert weather.keys() == {"getWeather"}
    assert erp["requestRefund"].names == {"order_id", "amount", "reason"}
    assert erp["requestRefund"].writes
    assert (
        weather["getWeather"].target({"city": "上海 &/"})
        == "/weather?city=%E4%B8%8A%E6%B5%B7+%26%2F"
    )


async def test_a_large_refund_names_its_amount(
    company: Company, services: str, database: Path
) -> None:
    """Whoever agrees to it must have seen how much it is: policies look at the amount."""
    connection = sqlite3.connect(database, isolation_level=None)
    connection.execute("UPDATE orders SET amount = 80000 WHERE order_id = 'ORD12345'")
    connection.close()
    unnamed = invocation(REFUND, {"order_id": "ORD12345", "reason": "漏发"})
    error = await refusal(company.connector(REFUND), unnamed)
    assert (error.code, error.message("zh")) == ("refused", "五万元以上的退款要写明金额")
    done = await company.call("request_refund", order_id="ORD12345", amount=80000, reason="漏发")
    assert done["amount"] == 80000
