"""Fills the finance pack's tables for a demonstration. Dates count from ``today``; the same day gives
the same data. Cards that people froze since stay frozen.

Run it alone: ``python seed.py DATABASE [TODAY]``.
"""

from __future__ import annotations

import random
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import date, datetime, time, timedelta
from pathlib import Path

HERE = Path(__file__).resolve().parent
Row = tuple[object, ...]

DAYS, UNSETTLED = 110, 14
"""Of transactions; of the last ones nobody has found out yet what they were."""
NAMES = ("林晓", "何佳", "王建国", "陈丽", "张伟", "刘洋", "赵敏", "孙浩", "周婷", "吴磊")
CITIES = ("上海", "北京", "深圳", "杭州", "成都")
CUSTOMERS, PLAIN = 40, 2
"""The first two customers are those that the demonstration's users are."""
FLAGGED = "TX300999"
"""A payment of three nights ago, by a new device to a new payee: what the examples ask about."""
FIRST_NUMBER = 310_001


def seed(database: Path, today: date, force: bool = False) -> bool:
    """Fill ``database`` unless it already holds the data of ``today``; tells whether it did."""
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
            keep = "OR IGNORE " if table == "cards" else ""
            if not keep:
                connection.execute(f"DELETE FROM {table}")  # a name from this module
            marks = ", ".join("?" * len(rows[0]))
            connection.executemany(f"INSERT {keep}INTO {table} VALUES ({marks})", rows)
        connection.execute("INSERT OR REPLACE INTO meta VALUES ('today', ?)", (today.isoformat(),))
        connection.execute("COMMIT")
    return True


def _tables(today: date) -> dict[str, list[Row]]:
    dice = random.Random("finance")
    customers = [
        (f"C{20001 + n}", NAMES[n] if n < len(NAMES) else f"客户{n:03}", CITIES[n % len(CITIES)])
        for n in range(CUSTOMERS)
    ]
    accounts, cards = [], []
    for n, (customer, _, _) in enumerate(customers):
        balance = round(dice.uniform(800, 90_000), 2)
        opened = today - timedelta(dice.randint(200, 2400))
        accounts.append(
            (f"AC{200101 + n}", customer, "current", balance, round(balance - dice.choice((0, 500)), 2),
             "active", opened.isoformat())
        )  # fmt: skip
        for k in range(1 + n % 2):
            status = "frozen" if n == 5 and k == 1 else "active"
            expires = f"{today.year + 3}-{1 + n % 12:02}"
            cards.append(
                (f"CD{500101 + 2 * n + k}", f"AC{200101 + n}", f"{dice.randint(0, 9999):04}",
                 ("debit", "credit")[k], status, expires, None, None, None)
            )  # fmt: skip
    loans, instalments = _loans([c for c, _, _ in customers], today)
    return {
        "customers": list(customers),
        "accounts": list(accounts),
        "cards": list(cards),
        "loans": loans,
        "instalments": instalments,
        "transactions": list(_transactions(dice, today)),
    }


def _loans(customers: list[str], today: date) -> tuple[list[Row], list[Row]]:
    """Equal parts of principal each month, and interest on what is left; the second loan is overdue."""
    loans: list[Row] = []
    instalments: list[Row] = []
    for n, customer in enumerate(customers[:8]):
        principal, rate, months = 50_000.0 * (1 + n % 4), 0.0435 + 0.002 * (n % 3), 24
        begun = today - timedelta(30 * 9 + 15)
        loans.append((f"LN{70001 + n}", customer, principal, rate, months, begun.isoformat()))
        part, left = round(principal / months, 2), principal
        for number in range(1, months + 1):
            due = begun + timedelta(30 * number)
            now = round(left, 2) if number == months else part
            paid = due.isoformat() if due < today and not (n == 1 and number == 9) else None
            instalments.append(
                (f"LN{70001 + n}", number, due.isoformat(), now, round(left * rate / 12, 2), paid)
            )
            left -= part
    return loans, instalments


def _transactions(dice: random.Random, today: date) -> Iterator[Row]:
    """Everyday payments, wages, and two tricks: an account that was taken over, and one that hands
    money on."""
    begin = datetime.combine(today - timedelta(DAYS), time())
    made: list[tuple[datetime, Row]] = []

    def pay(account: int, day: float, amount: float, to: str, **told: str | None) -> None:
        given = {
            "direction": "out", "category": "shopping", "channel": "app", "device": f"D{account}",
            "ip": f"I{account}", "city": CITIES[account % len(CITIES)], "outcome": None, **told,
        }  # fmt: skip
        at = begin + timedelta(days=day)
        made.append(
            (at, (f"AC{200101 + account}", at.isoformat(timespec="seconds"), round(max(amount, 1.0), 2),
                  given["direction"], given["channel"], "CN", given["city"], given["device"], given["ip"],
                  to, given["category"], given["outcome"]))
        )  # fmt: skip

    for account in range(CUSTOMERS):
        usual, shops = dice.choice((60, 150, 400)), [f"M{1000 + 7 * account + s}" for s in range(6)]
        for day in range(DAYS):
            for _ in range(dice.choice((0, 1, 1, 2))):
                hour = min(23.0, max(7.0, dice.gauss(15, 4))) / 24
                pay(account, day + hour, usual * dice.lognormvariate(0, 0.5), dice.choice(shops))
            if day % 30 == 9:
                wage = dice.uniform(7_000, 22_000)
                pay(account, day + 0.4, wage, "工资", direction="in", category="salary")
                pay(account, day + 0.8, wage * 0.3, f"P{account}", category="rent")
    honest = list(range(PLAIN, CUSTOMERS))
    for n, day in enumerate(range(12, DAYS - 1, 3)):
        known = "fraud" if day < DAYS - UNSETTLED else None
        account, other = dice.choice(honest), f"P{9000 + n}"
        if n % 2:
            for k in range(dice.randint(2, 4)):
                pay(account, day + (1 + k / 4) / 24, dice.uniform(2_500, 9_000), other, category="transfer",
                    device=f"D{9000 + n}", ip=f"I{9000 + n}", outcome=known)  # fmt: skip
        else:
            for k in range(4):
                pay(account, day + (9 + k / 3) / 24, dice.uniform(800, 5_000), f"P{9500 + 4 * n + k}",
                    direction="in", category="transfer")  # fmt: skip
            for k in range(2):
                pay(account, day + (12 + k) / 24, dice.uniform(4_000, 8_000), other, category="transfer",
                    outcome=known)  # fmt: skip
    night = DAYS - 3 + 2.2 / 24
    flagged = begin + timedelta(days=night)
    pay(7, night, 18_600.0, "P9999", category="transfer", device="D9999", ip="I9999")
    numbers = iter(range(FIRST_NUMBER, FIRST_NUMBER + len(made)))
    for at, row in sorted(made, key=lambda m: (m[0], str(m[1]))):
        named = at == flagged and row[9] == "P9999"
        yield (FLAGGED if named else f"TX{next(numbers)}", *row)


if __name__ == "__main__":
    given = sys.argv[2:] and date.fromisoformat(sys.argv[2])
    print(seed(Path(sys.argv[1]), given or date.today()))
