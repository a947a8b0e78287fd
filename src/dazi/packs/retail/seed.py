"""A few rows for the retail pack's tables, so that a folder made with ``dazi init --pack retail`` works at
once. Dates count from ``today``."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
PRODUCTS = (
    (
        "SKU-1001",
        "蓝牙耳机",
        "Bluetooth earphones",
        "耳机",
        "耳机",
        "headphones",
        299.0,
        4.7,
        "音质清楚",
    ),
    (
        "SKU-1002",
        "机械键盘",
        "Mechanical keyboard",
        "键盘",
        "键盘",
        "keyboards",
        459.0,
        4.6,
        "手感好",
    ),
    ("SKU-1003", "移动硬盘", "Portable disk", "硬盘", "存储", "storage", 529.0, 4.5, "小巧"),
)
REGIONS = {"上海": 1.5, "广东": 1.9, "北京": 1.3}
MONTHS = 14


def seed(database: Path, today: date, force: bool = False) -> bool:
    """Fill ``database`` unless it already holds the data of ``today``; tells whether it did. Refunds stay."""
    database.parent.mkdir(parents=True, exist_ok=True)
    with closing(sqlite3.connect(database, timeout=30, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.executescript((HERE / "data" / "schema.sql").read_text("utf-8"))
        connection.execute("BEGIN IMMEDIATE")
        seeded = connection.execute("SELECT value FROM meta WHERE name = 'today'").fetchone()
        if seeded == (today.isoformat(),) and not force:
            connection.execute("ROLLBACK")
            return False
        for table, rows in _tables(today).items():
            connection.execute(f"DELETE FROM {table}")  # a name from this module
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('today', ?)", (today.isoformat(),))
        connection.execute("COMMIT")
    return True


def _tables(today: date) -> dict[str, list[tuple[object, ...]]]:
    def day(ago: int) -> str:
        return (today - timedelta(ago)).isoformat()

    orders: list[tuple[object, ...]] = [
        ("ORD12345", "C10001", "蓝牙耳机", 299.0, "packed", day(3), day(-1), None, None),
        ("ORD12346", "C10001", "机械键盘", 459.0, "delivered", day(20), day(18), day(18), day(15)),
        ("ORD12347", "C10002", "移动硬盘", 529.0, "shipped", day(5), day(3), day(2), None),
        ("ORD12348", "C10002", "蓝牙耳机", 299.0, "placed", day(1), day(-2), None, None),
    ]
    months = [_month(today, back) for back in range(1, MONTHS + 1)]
    return {
        "products": list(PRODUCTS),
        "orders": orders,
        "inventory": [(p[0], 40 * n + 2, "上海一号仓") for n, p in enumerate(PRODUCTS)],
        "sales": [
            (month, region, p[0], round(20_000 * weight * (1 + k / 3) * (1 + m % 5 / 20), 2))
            for m, month in enumerate(months)
            for region, weight in REGIONS.items()
            for k, p in enumerate(PRODUCTS)
        ],
    }


def _month(today: date, back: int) -> str:
    number = today.year * 12 + today.month - 1 - back
    return f"{number // 12}-{number % 12 + 1:02}"
