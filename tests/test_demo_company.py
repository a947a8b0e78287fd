"""The demo company's folder: its seed data, its files, and that they agree with each other."""

from __future__ import annotations

import importlib.util
import sqlite3
import tomllib
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from dazi.router.declare import load_tools

FOLDER = Path(__file__).parents[1] / "examples" / "yunshan"
TODAY = date(2025, 4, 3)


def seed(database: Path, today: date = TODAY, force: bool = False) -> bool:
    spec = importlib.util.spec_from_file_location("yunshan_seed", FOLDER / "seed.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return bool(module.seed(database, today, force))


def ask(database: Path, query: str, *values: Any) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(query, values).fetchall()


def dump(database: Path) -> list[str]:
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.iterdump())


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "new" / "yunshan.sqlite"
    assert seed(path)
    return path


@pytest.mark.parametrize(
    ("table", "least"),
    [
        ("orders", 200), ("products", 60), ("employees", 40), ("rooms", 12), ("transactions", 300),
        ("customers", 40), ("bookings", 40), ("inventory", 60), ("refunds", 1),
    ],
)  # fmt: skip
def test_there_is_enough_of_everything(database: Path, table: str, least: int) -> None:
    assert ask(database, f"SELECT COUNT(*) FROM {table}")[0][0] >= least


def test_sales_of_two_years_by_region_and_product(database: Path) -> None:
    ((months, regions, products, first, last),) = ask(
        database,
        "SELECT COUNT(DISTINCT month), COUNT(DISTINCT region), COUNT(DISTINCT sku),"
        " MIN(month), MAX(month) FROM sales",
    )
    assert (months, products, first, last) == (25, 60, "2023-04", "2025-04")
    assert regions >= 10


def test_rooms_in_five_cities_with_every_kind_of_equipment(database: Path) -> None:
    cities = ask(database, "SELECT DISTINCT city, city_en FROM rooms")
    assert {city for city, _ in cities} == {"北京", "上海", "深圳", "杭州", "成都"}
    for city, _ in cities:
        features = {
            f
            for (t,) in ask(database, "SELECT features FROM rooms WHERE city = ?", city)
            for f in t.split(",")
        }
        assert features <= {"projector", "whiteboard", "video"}
        assert "projector" in features or city == "成都"
    clashes = 'SELECT COUNT(*) FROM bookings a JOIN bookings b ON a.room = b.room AND a.date = b.date AND a.booking_id < b.booking_id AND a.start < b."end" AND b.start < a."end"'
    assert ask(database, clashes) == [(0,)]


def test_every_account_has_a_past(database: Path) -> None:
    counts = [n for (n,) in ask(database, "SELECT COUNT(*) FROM transactions GROUP BY account_id")]
    assert len(counts) >= 60
    assert min(counts) >= 20 and max(counts) <= 200
    frauds = ask(database, "SELECT COUNT(*), MAX(at) FROM transactions WHERE outcome = 'fraud'")
    assert frauds[0][0] >= 100 and frauds[0][1] < (TODAY - timedelta(13)).isoformat()
    asked = "SELECT amount, outcome FROM transactions WHERE transaction_id = 'TX204913'"
    assert ask(database, asked) == [(28_600, None)]


def test_transactions_of_an_earlier_version_are_replaced(tmp_path: Path) -> None:
    database = tmp_path / "y.sqlite"
    seed(database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("DROP TABLE transactions")
        connection.execute("CREATE TABLE transactions (transaction_id TEXT, usual_amount NUMERIC)")
    assert seed(database)
    assert ask(database, "SELECT COUNT(*) FROM transactions")[0][0] > 1_000


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2025, 1, 1), date(2025, 12, 31), TODAY])
def test_dates_count_from_the_day_it_starts(tmp_path: Path, today: date) -> None:
    database = tmp_path / "y.sqlite"
    seed(database, today)
    columns = "customer_id, status, sku, amount, ordered_on, expected_ship_date, shipped_on"
    assert ask(database, f"SELECT {columns} FROM orders WHERE order_id = 'ORD12345'") == [
        (
            "C10001", "packed", "SKU-1008", 299,
            (today - timedelta(3)).isoformat(), (today + timedelta(1)).isoformat(), None,
        )
    ]  # fmt: skip
    for column in ("ordered_on", "shipped_on", "delivered_on"):
        assert ask(database, f"SELECT MAX({column}) FROM orders")[0][0] <= today.isoformat()
    assert ask(database, "SELECT MIN(expected_ship_date) FROM orders")[0][0] > today.isoformat()
    assert ask(database, "SELECT MIN(date) FROM bookings")[0][0] >= today.isoformat()
    assert ask(database, "SELECT MAX(at) FROM transactions")[0][0] < today.isoformat()
    quarters = [q for (q,) in ask(database, "SELECT DISTINCT quarter FROM budgets ORDER BY 1")]
    assert len(quarters) == 9
    assert quarters[-1] == f"{today.year}-Q{(today.month + 2) // 3}"
    assert {f"{today.year}-Q1", f"{today.year - 1}-Q1"} <= set(quarters)
    told = "SELECT budget, spent FROM budgets WHERE dept = ? AND quarter = ?"
    assert ask(database, told, "marketing", f"{today.year}-Q1") == [(800_000, 920_000)]
    assert ask(database, told, "rd", f"{today.year}-Q1") == [(1_200_000, 1_140_000)]


def test_budgets_hold_overspending_and_leaps(database: Path) -> None:
    assert len(ask(database, "SELECT 1 FROM budgets WHERE spent > budget")) >= 3
    leaps = (
        "SELECT COUNT(*) FROM budgets a JOIN budgets b ON a.dept = b.dept"
        " AND a.quarter = '2025-Q1' AND b.quarter = '2024-Q4' WHERE abs(a.spent / b.spent - 1.0) > 0.2"
    )
    assert ask(database, leaps)[0][0] >= 1


def test_orders_agree_with_themselves(database: Path) -> None:
    statuses = dict(ask(database, "SELECT status, COUNT(*) FROM orders GROUP BY 1"))
    assert statuses.keys() == {"placed", "packed", "shipped", "delivered", "refunded"}
    assert ask(
        database,
        "SELECT COUNT(*) FROM orders WHERE delivered_on < shipped_on OR shipped_on < ordered_on",
    ) == [(0,)]
    paid_back = ask(
        database,
        "SELECT o.order_id FROM orders o JOIN refunds r USING (order_id) WHERE r.cents = o.amount * 100",
    )
    assert len(paid_back) == statuses["refunded"]
    amounts = "SELECT COUNT(*) FROM orders o JOIN products p USING (sku) WHERE o.amount <> o.quantity * p.price"
    assert ask(database, amounts) == [(0,)]
    own = dict(
        ask(database, "SELECT status, COUNT(*) FROM orders WHERE customer_id = 'C10001' GROUP BY 1")
    )
    assert own.keys() == statuses.keys()
    assert sum(own.values()) == 16
    assert ask(database, "SELECT COUNT(*) FROM orders WHERE customer_id = 'C10002'")[0][0] >= 10


def test_the_same_day_gives_the_same_data(database: Path, tmp_path: Path) -> None:
    assert seed(tmp_path / "again.sqlite")
    assert dump(tmp_path / "again.sqlite") == dump(database)


def test_seeding_again_keeps_what_people_made(tmp_path: Path) -> None:
    database = tmp_path / "y.sqlite"
    assert seed(database)
    assert not seed(database)
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE orders SET note = 'mine' WHERE order_id = 'ORD12345'")
        connection.execute(
            "INSERT INTO tickets VALUES ('T00001', 't', 'low', 'open', 'x', '2025-04-03', 'k')"
        )
        connection.execute(
            "INSERT INTO bookings VALUES ('BK00041', 'B204', '2025-04-04', '19:00', '20:00', 'E1003', 'k')"
        )
    assert not seed(database)
    assert ask(database, "SELECT note FROM orders WHERE order_id = 'ORD12345'") == [("mine",)]
    assert seed(database, TODAY + timedelta(1))
    assert ask(database, "SELECT note FROM orders WHERE order_id = 'ORD12345'") == [(None,)]
    assert ask(database, "SELECT COUNT(*) FROM tickets") == [(1,)]
    assert ask(database, "SELECT COUNT(*) FROM bookings") == [(41,)]
    assert seed(database, TODAY + timedelta(1), force=True)


def test_the_settings_fit_the_tools_and_the_data(database: Path) -> None:
    settings = tomllib.loads((FOLDER / "dazi.toml").read_text("utf-8"))
    roles = yaml.safe_load((FOLDER / "roles.yaml").read_text("utf-8"))["roles"]
    tools, connectors = load_tools(FOLDER)
    assert settings["demo"] is True
    for spec in connectors.values():
        for key, section in (("database", "databases"), ("service", "services")):
            assert spec.config.get(key, next(iter(settings[section]))) in settings[section]
    for tool in tools.values():
        assert tool.roles <= roles.keys()
    for role in roles.values():
        assert set(role["name"]) == {"zh", "en"}
        assert set(role.get("includes", [])) <= roles.keys()
    for user in settings["users"]:
        assert set(user["roles"]) <= roles.keys()
        about = user["attributes"]
        if "customer_id" in about:
            query, key = "SELECT 1 FROM customers WHERE customer_id = ?", about["customer_id"]
            assert ask(database, query, key)
        else:
            query = "SELECT department, city FROM employees WHERE employee_id = ?"
            assert ask(database, query, about["employee_id"]) == [
                (about["department"], about["city"])
            ]
            leave = "SELECT COUNT(*) FROM leave_balances WHERE employee_id = ?"
            assert ask(database, leave, about["employee_id"])[0][0] >= 2
    assert {u["user"] for u in settings["users"]} == {
        "customer", "customer2", "agent", "supervisor", "staff", "manager", "finance", "risk", "admin",
    }  # fmt: skip


def test_documents_exist_in_both_languages_for_the_same_readers() -> None:
    files = sorted((FOLDER / "knowledge").glob("*.md"))
    fronts = {p.name: yaml.safe_load(p.read_text("utf-8").split("---\n")[1]) for p in files}
    chinese = [name for name in fronts if not name.endswith(".en.md")]
    assert len(chinese) == 12
    for name in chinese:
        english = fronts[name.replace(".md", ".en.md")]
        assert english.get("roles") == fronts[name].get("roles")
    assert fronts["contracts.md"]["roles"] == ["finance", "manager"]
    assert "roles" not in fronts["returns.md"]
