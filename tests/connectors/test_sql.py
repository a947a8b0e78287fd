"""The SQL connector on real SQLite files."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dazi.connectors.context import ConnectorContext
from dazi.connectors.database import open_database
from dazi.connectors.registry import make_connector
from dazi.connectors.sql import SqlConnector
from dazi.core.errors import ConfigError, ConnectorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Parameter, Tool, ToolResultRules
from tests.connectors.systems import CUSTOMER, STAFF, TOOLS, Company, invocation

ENDLESS = (
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT COUNT(*) AS c FROM n"
)


def tool(sql: str, *parameters: str, shape: Any = "many", **operation: Any) -> Tool:
    return Tool(
        name="probe",
        system=Text("数据库", "database"),
        description=Text("", ""),
        parameters=tuple(Parameter(p, "string", Text("", "")) for p in parameters),
        roles=frozenset(),
        effect="write" if operation.get("write") else "read",
        connector="x",
        operation={"sql": sql, **operation},
        result=ToolResultRules(shape=shape),
    )


@pytest.fixture
async def sql(database: Path) -> AsyncIterator[SqlConnector]:
    connector = SqlConnector(
        open_database("x", "sqlite:///yunshan.sqlite", ConnectorContext(database, database.parent))
    )
    yield connector
    await connector.close()


def rows(database: Path, query: str) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query).fetchall()


async def refusal(connector: Any, made: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await connector.execute(made)
    return caught.value


async def test_an_order_of_ones_own(company: Company) -> None:
    found = await company.call("get_order_status", CUSTOMER, order_id="ORD12345")
    assert found == {
        "order_id": "ORD12345",
        "status": "packed",
        "item": "云杉蓝牙耳机 Air",
        "amount": 299,
        "ordered_on": "2025-03-31",
        "expected_ship_date": "2025-04-04",
        "shipped_on": None,
        "carrier": None,
        "tracking_no": None,
        "delivered_on": None,
        "note": None,
    }


async def test_a_foreign_order_looks_like_none(company: Company) -> None:
    other = Principal("customer2", frozenset({"customer"}), {"customer_id": "C10002"})
    assert await company.call("get_order_status", other, order_id="ORD12345") is None
    assert await company.call("get_order_status", CUSTOMER, order_id="ORD99999") is None
    assert await company.call("get_order_status", STAFF, order_id="ORD12345")


async def test_a_list_of_ones_own_orders(company: Company) -> None:
    found = await company.call("list_orders", CUSTOMER)
    assert found["count"] == len(found["orders"]) == 16
    assert found["orders"][0]["ordered_on"] >= found["orders"][-1]["ordered_on"]
    shipped = await company.call("list_orders", CUSTOMER, status="shipped", since="2025-03-01")
    assert {o["status"] for o in shipped["orders"]} == {"shipped"}
    assert await company.call("list_orders", CUSTOMER, since="2026-01-01") is None


@pytest.mark.parametrize(
    "given", ["ORD12345' OR '1'='1", "x'; DELETE FROM orders; --", "ORD12345\x00", "%", "\ud800"]
)
async def test_arguments_are_never_sql(company: Company, database: Path, given: str) -> None:
    try:
        assert await company.call("get_order_status", CUSTOMER, order_id=given) is None
    except ConnectorError as error:  # text that no database can hold
        assert error.code == "unavailable"
    assert rows(database, "SELECT COUNT(*) FROM orders") == [(260,)]


async def test_identity_wins_over_an_argument_of_the_same_name(company: Company) -> None:
    made = invocation(
        TOOLS["get_order_status"], {"order_id": "ORD12110", "customer_id": "C10003"}, CUSTOMER
    )
    assert await company.run(made) is None


async def test_a_required_identity_must_be_there(company: Company) -> None:
    made = invocation(TOOLS["get_leave_balance"], {}, CUSTOMER)
    assert (await refusal(company.connector(made.tool), made)).code == "refused"


async def test_totals_and_ranking(company: Company) -> None:
    found = await company.call("query_sales_data", month="2025-03", group_by="region", top=10)
    amounts = [row["amount"] for row in found["rows"]]
    assert found["count"] == 10
    assert amounts == sorted(amounts, reverse=True)
    assert found["total"] > sum(amounts) > found["previous_total"] / 2
    by_product = await company.call("query_sales_data", month="2025-03", group_by="product", top=3)
    assert by_product["count"] == 3
    assert by_product["total"] == found["total"]
    assert await company.call("query_sales_data", month="1999-01") is None


async def test_rooms_with_what_is_asked_for(company: Company) -> None:
    found = await company.call(
        "query_meeting_room", location="上海", date="2025-04-04", features=["projector", "video"]
    )
    assert [room["room"] for room in found["rooms"]] == ["B305"]
    english = await company.call("query_meeting_room", location="shanghai", date="2025-04-04")
    assert english["count"] == 3
    suffixed = await company.call("query_meeting_room", location="上海市", date="2025-04-04")
    assert suffixed == english
    assert await company.call("query_meeting_room", location="拉萨", date="2025-04-04") is None


async def test_booking_a_room_once(company: Company, database: Path) -> None:
    slot = {"room": "B204", "date": "2025-05-05", "start": "14:00", "end": "15:00"}
    first = await company.call("book_room", **slot)
    assert first == {"booking_id": "BK00041", **slot}
    assert await company.call("book_room", **slot) == first  # the same intent again
    other = invocation(TOOLS["book_room"], slot, idempotency_key="key-00000002")
    error = await refusal(company.connector(other.tool), other)
    assert (error.code, error.effect_possible) == ("refused", False)
    assert "已被预订" in error.message("zh")
    assert rows(database, "SELECT COUNT(*) FROM bookings WHERE key IS NOT NULL") == [(1,)]
    seen = await company.call("query_meeting_room", location="上海", date="2025-05-05")
    assert {r["room"]: r["booked"] for r in seen["rooms"]}["B204"] == "14:00-15:00"


@pytest.mark.parametrize("change", [{"room": "Z999"}, {"start": "16:00", "end": "15:00"}])
async def test_bookings_that_cannot_be(company: Company, change: dict[str, str]) -> None:
    slot = {"room": "B204", "date": "2025-05-05", "start": "14:00", "end": "15:00"} | change
    with pytest.raises(ConnectorError, match="Not booked"):
        await company.call("book_room", **slot)


async def test_rooms_are_never_double_booked(company: Company, database: Path) -> None:
    slot = {"room": "A302", "date": "2025-05-06", "start": "10:00", "end": "11:00"}
    made = [
        invocation(TOOLS["book_room"], slot, idempotency_key=f"racing-{n:04d}") for n in range(20)
    ]
    done = await asyncio.gather(*map(company.run, made), return_exceptions=True)
    assert sum(isinstance(answer, dict) for answer in done) == 1
    assert rows(
        database, "SELECT COUNT(*) FROM bookings WHERE date = '2025-05-06' AND key IS NOT NULL"
    ) == [(1,)]


async def test_a_note_on_an_order(company: Company, database: Path) -> None:
    done = await company.call("update_order_note", order_id="ORD12345", note="客户要求加急; DROP")
    assert done == {"order_id": "ORD12345", "note": "客户要求加急; DROP"}
    assert rows(database, "SELECT note FROM orders WHERE order_id = 'ORD12345'") == [
        (done["note"],)
    ]
    assert await company.call("update_order_note", order_id="ORD99999", note="x") is None


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM orders",
        "UPDATE orders SET note = 'x' RETURNING order_id",
        "INSERT INTO meta VALUES ('a', 'b')",
        "DROP TABLE orders",
        "CREATE TABLE t (a)",
        "WITH d AS (SELECT 1) DELETE FROM orders",
        "PRAGMA journal_mode = DELETE",
        "PRAGMA user_version = 7",
        "VACUUM INTO 'copy.sqlite'",
        "ATTACH DATABASE 'file:evil.sqlite?mode=rwc' AS evil",
        "SELECT 1; DELETE FROM orders",
        "SELECT load_extension('x')",
    ],
)
async def test_reading_never_writes(
    sql: SqlConnector, database: Path, statement: str, tmp_path: Path
) -> None:
    before = rows(database, "SELECT COUNT(*) FROM orders UNION ALL SELECT COUNT(*) FROM meta")
    with suppress(ConnectorError):  # even where this works, the file is open for reading only
        await sql.execute(invocation(tool("PRAGMA query_only = 0"), {}))
    try:
        await sql.execute(invocation(tool(statement), {}))
    except ConnectorError as error:
        assert error.code == "unavailable"
        assert not error.effect_possible
    assert (
        rows(database, "SELECT COUNT(*) FROM orders UNION ALL SELECT COUNT(*) FROM meta") == before
    )
    assert rows(database, "PRAGMA user_version") == [(0,)]
    assert not {"evil.sqlite", "copy.sqlite"} & set(os.listdir(tmp_path))
    assert not {"evil.sqlite", "copy.sqlite"} & set(os.listdir())


async def test_a_deadline_stops_the_statement_itself(sql: SqlConnector) -> None:
    made = invocation(tool(ENDLESS), {}, deadline_s=0.2)
    async with asyncio.timeout(30):
        assert (await refusal(sql, made)).code == "timeout"
    for _ in range(8):  # more than the pool holds: nothing was left behind
        await refusal(sql, replace(made, deadline_s=0.05))
    assert await sql.execute(invocation(tool("SELECT 1 AS one", shape="value"), {})) == 1


async def test_a_cancelled_call_stops_its_statement(sql: SqlConnector) -> None:
    task = asyncio.create_task(sql.execute(invocation(tool(ENDLESS), {}, deadline_s=30)))
    await asyncio.sleep(0.1)
    task.cancel()
    done, _ = await asyncio.wait({task}, timeout=25)  # its own deadline comes later
    assert done and task.cancelled()
    assert await sql.execute(invocation(tool("SELECT 1 AS one", shape="value"), {})) == 1


async def test_the_tools_own_limit_counts_too(sql: SqlConnector) -> None:
    made = invocation(replace(tool(ENDLESS), timeout_s=0.1), {}, deadline_s=60)
    assert (await refusal(sql, made)).code == "timeout"


async def test_a_locked_database_is_waited_for_no_longer_than_allowed(
    sql: SqlConnector, database: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dazi.connectors.database.LOCK_WAIT_S", 120.0)
    update = tool("UPDATE orders SET note = 'x'", write=True)
    with closing(sqlite3.connect(database, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        async with asyncio.timeout(60):
            error = await refusal(sql, invocation(update, {}, deadline_s=0.3))
        assert error.code in ("timeout", "unavailable")
        assert not error.effect_possible
        assert await sql.execute(invocation(tool("SELECT COUNT(*) AS n FROM orders"), {}))
    assert await sql.execute(invocation(update, {})) == {"count": 260}


async def test_a_write_that_fails_half_way_is_undone(sql: SqlConnector, database: Path) -> None:
    made = tool(
        "UPDATE orders SET note = 'half'", write=True, returning="SELECT no_such FROM orders"
    )
    error = await refusal(sql, invocation(made, {}))
    assert (error.code, error.effect_possible) == ("unavailable", False)
    assert rows(database, "SELECT COUNT(*) FROM orders WHERE note = 'half'") == [(0,)]


async def test_the_same_key_twice_where_only_a_constraint_forbids_it(sql: SqlConnector) -> None:
    insert = tool(
        "INSERT INTO tickets VALUES ('T' || :idempotency_key, 't', 'low', 'open', 'x', :today, :idempotency_key)",
        shape="one",
        write=True,
        returning="SELECT ticket_id, opened_on FROM tickets WHERE key = :idempotency_key",
    )
    first = await sql.execute(invocation(insert, {}))
    assert first == {"ticket_id": "Tkey-00000001", "opened_on": "2025-04-03"}
    assert await sql.execute(invocation(insert, {})) == first
    taken = tool(
        "INSERT INTO tickets VALUES ('Tkey-00000001', 't', 'low', 'open', 'x', '', 'y')", write=True
    )
    assert (await refusal(sql, invocation(taken, {}))).code == "refused"


async def test_many_rows_are_cut_and_said_to_be(sql: SqlConnector) -> None:
    found = await sql.execute(invocation(tool("SELECT sku, month FROM sales ORDER BY month"), {}))
    assert found["count"] == len(found["rows"]) == 200
    assert found["truncated"] is True


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("SELECT hex(zeroblob(400000)) AS big", "too_large"),
        ("SELECT x'00ff' AS bytes", "bad_response"),
        ("SELECT 9e999 AS infinite", "bad_response"),
        ("SELECT no_such FROM orders", "unavailable"),
    ],
)
async def test_results_that_cannot_be_passed_on(sql: SqlConnector, query: str, code: str) -> None:
    assert (await refusal(sql, invocation(tool(query), {}))).code == code


async def test_numbers_as_money(sql: SqlConnector) -> None:
    query = "SELECT 299.0 AS whole, 0.1 + 0.2 AS cents, 7.5 AS half, 12345678901234 AS big, NULL AS none"
    found = await sql.execute(invocation(tool(query, shape="one"), {}))
    assert found == {"whole": 299, "cents": 0.3, "half": 7.5, "big": 12345678901234, "none": None}


async def test_absent_arguments_are_null_and_lists_are_json(sql: SqlConnector) -> None:
    query = tool("SELECT :a AS a, :b IS NULL AS b_null, :today AS today", "a", "b", shape="one")
    found = await sql.execute(invocation(query, {"a": ["投影", "x"]}))
    assert found == {"a": '["投影", "x"]', "b_null": 1, "today": "2025-04-03"}


async def test_a_missing_file_is_unavailable_until_it_is_there(tmp_path: Path) -> None:
    connector = SqlConnector(
        open_database("x", "sqlite:///new.sqlite", ConnectorContext(tmp_path, tmp_path))
    )
    probe = invocation(tool("SELECT a FROM t", shape="value"), {})
    write = invocation(tool("UPDATE t SET a = 2", write=True), {})
    assert (await refusal(connector, probe)).code == "unavailable"
    assert (await refusal(connector, write)).code == "unavailable"
    assert not os.listdir(tmp_path)
    with closing(sqlite3.connect(tmp_path / "new.sqlite")) as connection:
        connection.executescript("CREATE TABLE t (a); INSERT INTO t VALUES (5)")
    assert await connector.execute(probe) == 5
    await connector.close()


@pytest.mark.parametrize("url", ["nonsense", "sqlite://", "sqlite:///:memory:", "mysql://h/db"])
def test_urls_that_cannot_be_used(company: Company, url: str) -> None:
    context = replace(company.context, databases={"crm": url})
    with pytest.raises(ConfigError, match=r"dazi\.toml"):
        make_connector("sql", {"database": "crm"}, context)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"sql": "SELECT :nobody AS x"}, "undeclared :nobody"),
        ({"sql": "SELECT 1", "totals": "SELECT :nobody"}, "totals uses undeclared"),
        ({"sql": "SELECT 1", "write": True}, "write: true"),
        ({}, "one of sql, search and views"),
        ({"search": {"table": "t"}}, "search needs"),
        ({"search": {"table": "t", "match": "m", "columns": ["m"]}}, "no parameter m"),
    ],
)
async def test_declarations_are_checked(
    sql: SqlConnector, changes: dict[str, Any], words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        sql.check(replace(tool(""), operation=changes))


@pytest.mark.parametrize(
    ("text", "first", "count"),
    [
        ("iPhone 15", "iPhone 15", 1),
        ("iphone15", "iPhone 15", 1),
        ("苹果 iPhone 15 手机", "iPhone 15", None),
        ("三星Galaxy S24", "Samsung Galaxy S24", None),
        ("galaxy s24", "Samsung Galaxy S24", None),
        ("三星 S24", "Samsung Galaxy S24", None),
        ("ｉＰｈｏｎｅ　１５", "iPhone 15", 1),
        ("耳机", "有线耳机 E10", 5),
        ("headphones", "云杉蓝牙耳机 Air", 5),
        ("蓝牙耳机", "云杉蓝牙耳机 Air", None),
        ("机械键盘", "机械键盘 K87", None),
        ("mechanical keyboard", "机械键盘 K87", None),
        ("wireless mouse", "无线鼠标 M2", None),
    ],
)
async def test_products_are_found_as_people_write_them(
    company: Company, text: str, first: str, count: int | None
) -> None:
    found = await company.call("search_product", name=text)
    assert found["products"][0]["name"] == first
    assert count is None or found["count"] == count
    assert set(found["products"][0]) == {"sku", "name", "price", "rating", "review"}


@pytest.mark.parametrize("text", ["iPhone 16", "galaxy s2", "冰箱", "", "   ", "%", "_", "zzz"])
async def test_products_that_do_not_exist_are_not_guessed(company: Company, text: str) -> None:
    assert await company.call("search_product", name=text) is None
