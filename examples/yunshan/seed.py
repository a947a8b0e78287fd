"""Fills the demo company's database. Dates count from ``today``: ORD12345 was always ordered
three days ago and is always expected to ship tomorrow. The same ``today`` gives the same data.

Run it alone: ``python seed.py DATABASE [TODAY]``.
"""

from __future__ import annotations

import csv
import importlib.util
import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
Row = tuple[object, ...]

FIRST_ORDER, FLAGSHIP, LAST_ORDER = 12101, 12345, 12360
CUSTOMER, CUSTOMER_2 = "C10001", "C10002"
CARRIERS = ("顺丰速运", "中通快递", "京东物流", "圆通速递")
CITIES = ("北京", "上海", "深圳", "杭州", "成都")
WAREHOUSES = ("上海一号仓", "深圳二号仓", "成都三号仓")
REGIONS = {
    "广东": 1.9, "浙江": 1.6, "江苏": 1.55, "上海": 1.5, "北京": 1.4, "山东": 1.1,
    "四川": 1.0, "福建": 0.9, "湖北": 0.85, "河南": 0.8, "陕西": 0.6, "辽宁": 0.5,
}  # fmt: skip
QUARTERLY_BUDGET = {
    "marketing": 780_000, "rd": 1_180_000, "sales": 900_000, "hr": 320_000, "finance": 260_000,
}  # fmt: skip
COST_LINES = {
    "marketing": {"广告投放": 46, "市场活动": 24, "渠道佣金": 16, "差旅": 8, "办公": 6},
    "rd": {"人员外包": 40, "云服务与设备": 30, "软件许可": 16, "差旅": 8, "办公": 6},
    "sales": {"销售提成": 52, "客户招待": 16, "差旅": 24, "办公": 8},
    "hr": {"招聘": 46, "培训": 34, "差旅": 8, "办公": 12},
    "finance": {"审计与咨询": 56, "软件许可": 22, "差旅": 8, "办公": 14},
}
"""What a department's spending is made of, in percent of an ordinary quarter."""
ROOMS: tuple[Row, ...] = (
    ("A301", "北京", "Beijing", 3, 6, "whiteboard"),
    ("A302", "北京", "Beijing", 3, 12, "projector,whiteboard,video"),
    ("A501", "北京", "Beijing", 5, 20, "projector,video"),
    ("B201", "上海", "Shanghai", 2, 4, "whiteboard"),
    ("B204", "上海", "Shanghai", 2, 8, "projector,whiteboard"),
    ("B305", "上海", "Shanghai", 3, 16, "projector,whiteboard,video"),
    ("C101", "深圳", "Shenzhen", 1, 6, "projector"),
    ("C208", "深圳", "Shenzhen", 2, 10, "projector,whiteboard,video"),
    ("D102", "杭州", "Hangzhou", 1, 8, "projector,whiteboard"),
    ("D306", "杭州", "Hangzhou", 3, 14, "projector,video"),
    ("E201", "成都", "Chengdu", 2, 6, "whiteboard,video"),
    ("E203", "成都", "Chengdu", 2, 10, "projector,whiteboard"),
)
SEEDED = (
    "customers", "products", "orders", "refunds", "inventory", "sales", "budgets", "budget_lines",
    "employees", "leave_balances", "rooms", "transactions",
)  # fmt: skip


def seed(database: Path, today: date, force: bool = False) -> bool:
    """Fill ``database`` unless it already holds the data of ``today``; tells whether it did.

    Filling it again on another day keeps what people made: tickets, and bookings of rooms.
    """
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        columns = {row[1] for row in connection.execute("PRAGMA table_info(transactions)")}
        if columns and "outcome" not in columns:  # of a version whose accounts had no past
            connection.execute("DROP TABLE IF EXISTS transactions")
            force = True
        connection.executescript((HERE / "data" / "schema.sql").read_text("utf-8"))
        connection.execute("BEGIN IMMEDIATE")
        seeded = connection.execute("SELECT value FROM meta WHERE name = 'today'").fetchone()
        if seeded == (today.isoformat(),) and not force:
            connection.execute("ROLLBACK")
            return False
        for table in SEEDED:
            connection.execute(f"DELETE FROM {table}")  # a name from the constant above
        connection.execute("DELETE FROM bookings WHERE key IS NULL")
        for table, rows in _tables(today).items():
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('today', ?)", (today.isoformat(),))
        connection.execute("COMMIT")
    return True


def _tables(today: date) -> dict[str, list[Row]]:
    products = _read("products.csv")
    prices = {str(row["sku"]): float(row["price"]) for row in products}
    people = _read("people.csv")
    orders = list(_orders(prices, today))
    return {
        "customers": list(_customers()),
        "products": [
            (
                *(row[k] for k in list(row)[:6]),
                float(row["price"]),
                float(row["rating"]),
                row["review"],
            )
            for row in products
        ],
        "orders": orders,
        "refunds": list(_refunds(orders)),
        "inventory": list(_inventory(prices)),
        "sales": list(_sales(prices, today)),
        "budgets": list(_budgets(today)),
        "budget_lines": list(_budget_lines(today)),
        "employees": [tuple(row.values()) for row in people],
        "leave_balances": list(_leave([str(row["employee_id"]) for row in people])),
        "rooms": list(ROOMS),
        "bookings": list(_bookings(today)),
        "transactions": list(_transactions(today)),
    }


def _read(name: str) -> list[dict[str, str]]:
    with (HERE / "data" / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _customers() -> Iterator[Row]:
    yield CUSTOMER, "林致远", "上海"
    yield CUSTOMER_2, "何雨晴", "四川"
    dice = random.Random("customers")
    surnames, given = (
        "林黄何郭马罗梁宋唐许邓傅沈曾彭吕苏卢蒋蔡",
        "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超秀霞平",
    )
    for number in range(10003, 10041):
        name = dice.choice(surnames) + dice.choice(given)
        yield f"C{number}", name, dice.choice([*REGIONS])


def _orders(prices: dict[str, float], today: date) -> Iterator[Row]:
    """Numbers rise with dates. The customer owns ORD12345 and every twentieth besides."""
    dice = random.Random("orders")
    older = sorted((dice.randint(8, 180) for _ in range(FIRST_ORDER, 12330)), reverse=True)
    days = dict(zip(range(FIRST_ORDER, 12330), older, strict=True))
    days |= {n: 7 - (n - 12330) // 3 for n in range(12330, FLAGSHIP)}
    days |= {n: 2 - (n - 12346) // 5 for n in range(FLAGSHIP + 1, LAST_ORDER + 1)}
    days[FLAGSHIP] = 3
    skus = list(prices)
    for number in range(FIRST_ORDER, LAST_ORDER + 1):
        sku, quantity, ago = dice.choice(skus), dice.choice((1, 1, 1, 2, 3)), days[number]
        status = _status(number, ago, dice)
        customer = f"C{dice.randint(10003, 10040)}"
        if number % 20 == 1 or number in (12335, 12352):
            customer = CUSTOMER
        elif number % 20 == 8:
            customer = CUSTOMER_2
        if number == FLAGSHIP:
            customer, sku, quantity = CUSTOMER, "SKU-1008", 1
        ordered = today - timedelta(ago)
        expected = shipped = carrier = tracking = delivered = None
        if status in ("placed", "packed"):
            expected = today + timedelta(1 if status == "packed" else 2)
        else:
            shipped = ordered + timedelta(dice.randint(1, 2))
            carrier = dice.choice(CARRIERS)
            tracking = f"YS{dice.randint(2_000_000_000, 9_999_999_999)}"
        if status in ("delivered", "refunded") and shipped:
            delivered = shipped + timedelta(dice.randint(2, 4))
        yield (
            f"ORD{number}", customer, sku, quantity, round(prices[sku] * quantity, 2), status,
            ordered.isoformat(), _iso(expected), _iso(shipped), carrier, tracking,
            _iso(delivered), None,
        )  # fmt: skip


def _status(number: int, ago: int, dice: random.Random) -> str:
    if number == FLAGSHIP:
        return "packed"
    if ago > 7:
        return "refunded" if number in (12181, 12261) or dice.random() < 0.03 else "delivered"
    if ago > 3:
        return "shipped"
    return "packed" if ago > 1 else "placed"


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None


def _refunds(orders: list[Row]) -> Iterator[Row]:
    """What was paid back for the orders that are refunded."""
    refunded = [order for order in orders if order[5] == "refunded"]
    for number, order in enumerate(refunded, 1):
        cents = round(float(str(order[4])) * 100)
        yield f"RF{number:05d}", order[0], cents, "客户退货", order[11], None


def _inventory(prices: dict[str, float]) -> Iterator[Row]:
    dice = random.Random("inventory")
    for sku in prices:
        quantity = dice.choice((0, 3, 8, 15, 26, 42, 80, 120, 260))
        yield (sku, 42, WAREHOUSES[0]) if sku == "SKU-1001" else (
            sku, quantity, dice.choice(WAREHOUSES)
        )  # fmt: skip


def _months(today: date) -> list[tuple[str, float]]:
    """The 24 months before this one, whole, and this one as far as it has come."""
    first = today.year * 12 + today.month - 1
    months = [(f"{n // 12}-{n % 12 + 1:02d}", 1.0) for n in range(first - 24, first)]
    return [*months, (f"{today:%Y-%m}", today.day / 30)]


def _sales(prices: dict[str, float], today: date) -> Iterator[Row]:
    dice = random.Random("sales")
    favour = {sku: dice.uniform(0.4, 1.6) for sku in prices}
    for index, (month, share) in enumerate(_months(today)):
        season = {"06": 1.3, "11": 1.5, "12": 1.2, "02": 0.75}.get(month[-2:], 1.0)
        trend = (1 + index * 0.008) * season * share
        for region, weight in REGIONS.items():
            for sku, price in prices.items():
                units = round(
                    24_000 / (price + 400) * weight * favour[sku] * trend * dice.uniform(0.7, 1.3)
                )
                yield month, region, sku, round(units * price, 2)


def _budgets(today: date) -> Iterator[Row]:
    """Nine quarters up to this one: some overspent, some far off the quarter before."""
    dice = random.Random("budgets")
    now = today.year * 4 + (today.month - 1) // 3
    year = today.year
    told = {
        ("marketing", f"{year - 1}-Q4"): (790_000, 600_000),
        ("marketing", f"{year}-Q1"): (800_000, 920_000),
        ("rd", f"{year - 1}-Q4"): (1_150_000, 1_050_000),
        ("rd", f"{year}-Q1"): (1_200_000, 1_140_000),
        ("sales", f"{year - 1}-Q1"): (880_000, 985_000),
        ("hr", f"{year - 1}-Q2"): (310_000, 180_000),
        ("finance", f"{year - 1}-Q3"): (250_000, 262_500),
    }
    for number in range(now - 8, now + 1):
        quarter = f"{number // 4}-Q{number % 4 + 1}"
        for dept, base in QUARTERLY_BUDGET.items():
            budget = round(base * (1 + dice.uniform(-0.05, 0.05)), -4)
            spent = round(budget * dice.uniform(0.84, 0.99), -2)
            yield dept, quarter, *told.get((dept, quarter), (budget, spent))


def _budget_lines(today: date) -> Iterator[Row]:
    """What the spending of each quarter went on; the lines of a quarter add up to it. Of this year's
    first quarter marketing's advertising and R&D's cloud services are far from what is usual."""
    dice = random.Random("budget lines")
    odd = {
        ("marketing", f"{today.year}-Q1", "广告投放"): 1.45,
        ("marketing", f"{today.year}-Q1", "差旅"): 0.55,
        ("rd", f"{today.year}-Q1", "云服务与设备"): 1.6,
    }
    for dept, quarter, _, spent in _budgets(today):
        cents = round(float(str(spent)) * 100)
        weights = {
            category: part
            * dice.uniform(0.94, 1.06)
            * odd.get((str(dept), str(quarter), category), 1)
            for category, part in COST_LINES[str(dept)].items()
        }
        whole, left = sum(weights.values()), cents
        *others, last = weights
        for category in others:
            part = round(cents * weights[category] / whole)
            left -= part
            yield dept, quarter, category, part / 100
        yield dept, quarter, last, left / 100


def _leave(employees: list[str]) -> Iterator[Row]:
    dice = random.Random("leave")
    for number, employee in enumerate(employees):
        yield employee, "annual", 7.5 if employee == "E1003" else dice.randint(0, 30) / 2
        yield employee, "sick", dice.randint(4, 24) / 2
        if number % 3 == 2:
            yield employee, "parental", float(dice.randint(2, 10))


def _bookings(today: date) -> Iterator[Row]:
    """Forty bookings of the next two weeks, none overlapping another."""
    dice = random.Random("bookings")
    taken: set[tuple[str, int, int]] = set()
    number = 0
    while number < 40:
        room, day, hour = str(dice.choice(ROOMS)[0]), dice.randint(0, 13), dice.randint(9, 16)
        hours = {(room, day, hour + n) for n in range(dice.choice((1, 1, 2)))}
        if taken & hours:
            continue
        taken |= hours
        number += 1
        yield (
            f"BK{number:05d}", room, (today + timedelta(day)).isoformat(), f"{hour:02d}:00",
            f"{hour + len(hours):02d}:00", f"E{dice.randint(1008, 1040)}", None,
        )  # fmt: skip


def _transactions(today: date) -> Iterator[Row]:
    """Those of ``transactions.py``, which stands beside this file and in no package."""
    spec = importlib.util.spec_from_file_location("yunshan_payments", HERE / "transactions.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    rows: Iterator[Row] = module.rows(today)
    return rows


if __name__ == "__main__":
    day = date.fromisoformat(sys.argv[2]) if len(sys.argv) > 2 else date.today()
    print("seeded" if seed(Path(sys.argv[1]), day) else "already seeded")
