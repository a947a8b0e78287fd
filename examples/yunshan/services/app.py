"""The demo company's own services: an ERP and a weather service, as one ASGI application.

``/erp`` and ``/weather`` are described by the OpenAPI documents beside this file; ``/shop`` is a page
of the company's own site with the assistant on it. Answers use
status codes the way real services do, and a refund happens once per ``Idempotency-Key``.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

NAMED_ABOVE = 5_000_000
"""Cents: who agrees to more has seen how much it is."""
CONDITIONS = ("sunny", "cloudy", "overcast", "light_rain", "heavy_rain")
MEAN_HIGH = (6, 9, 14, 20, 25, 29, 33, 32, 28, 22, 15, 9)
CITY_NAMES = {
    "beijing": "北京", "shanghai": "上海", "shenzhen": "深圳", "hangzhou": "杭州",
    "chengdu": "成都", "guangzhou": "广州", "nanjing": "南京", "wuhan": "武汉",
    "suzhou": "苏州", "xi'an": "西安", "xian": "西安", "chongqing": "重庆", "tianjin": "天津",
    "qingdao": "青岛", "dalian": "大连", "xiamen": "厦门", "changsha": "长沙", "kunming": "昆明",
    "harbin": "哈尔滨",
}  # fmt: skip


def create_app(database: Path, today: date) -> Starlette:
    """The services over the seeded ``database``; ``today`` is the day they think it is."""
    erp = Erp(database, today)
    return Starlette(
        routes=[
            Mount(
                "/erp",
                routes=[
                    Route("/inventory/{sku}", erp.inventory),
                    Route("/budgets/{dept}/{quarter}", erp.budget),
                    Route("/orders/{order_id}/refunds", erp.refund, methods=["POST"]),
                ],
            ),
            Mount("/shop", routes=_sibling("shop").routes(database.parent)),
            Mount("/weather", routes=[Route("/weather", Weather(today).forecast)]),
            Route("/health", lambda _: JSONResponse({"status": "ok"})),
        ]
    )


def _sibling(name: str) -> ModuleType:
    """Another file of this folder, which is no package."""
    path = Path(__file__).with_name(f"{name}.py")
    spec = spec_from_file_location(f"dazi_demo_{name}", path)
    assert spec is not None and spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class RefusalError(Exception):
    def __init__(self, status: int, zh: str, en: str) -> None:
        super().__init__(en)
        self.status = status
        self.detail = {"zh": zh, "en": en}

    def response(self) -> JSONResponse:
        return JSONResponse({"detail": self.detail}, self.status)


@dataclass(frozen=True)
class Refund:
    order_id: str
    cents: int | None
    reason: str

    @classmethod
    def of(cls, order_id: str, body: bytes) -> Refund:
        try:
            given = json.loads(body)
            reason, amount = given["reason"], given.get("amount")
            cents = None if amount is None else Decimal(str(amount)) * 100
        except (ValueError, KeyError, TypeError, AttributeError, InvalidOperation):
            raise RefusalError(400, "请求格式不对", "Malformed request") from None
        if not isinstance(reason, str) or not reason.strip():
            raise RefusalError(422, "请写明退款原因", "A refund needs a reason")
        if cents is not None and not (cents.is_finite() and cents >= 1 and cents % 1 == 0):
            raise RefusalError(422, "退款金额不对", "The amount is not valid")
        return cls(order_id, None if cents is None else int(cents), reason.strip()[:500])


class Erp:
    def __init__(self, database: Path, today: date) -> None:
        self._database = database
        self._today = today

    def inventory(self, request: Request) -> JSONResponse:
        with self._connection() as connection:
            row = connection.execute(
                "SELECT i.sku, p.name AS item, i.quantity, i.warehouse"
                " FROM inventory i JOIN products p ON p.sku = i.sku WHERE i.sku = ?",
                (request.path_params["sku"],),
            ).fetchone()
        return _found(row)

    def budget(self, request: Request) -> JSONResponse:
        """With the quarter before and the same quarter of the year before, the latter by line too."""
        dept, quarter = request.path_params["dept"], request.path_params["quarter"]
        with self._connection() as connection:
            row = connection.execute(
                "SELECT dept, quarter, budget, spent,"
                " (SELECT spent FROM budgets p WHERE p.dept = b.dept AND p.quarter = ?)"
                " AS previous_spent,"
                " (SELECT spent FROM budgets y WHERE y.dept = b.dept AND y.quarter = ?)"
                " AS year_before_spent FROM budgets b WHERE dept = ? AND quarter = ?",
                (_quarters_before(quarter, 1), _quarters_before(quarter, 4), dept, quarter),
            ).fetchone()
            lines = connection.execute(
                "SELECT l.category, l.spent AS amount, y.spent AS year_before FROM budget_lines l"
                " LEFT JOIN budget_lines y ON y.dept = l.dept AND y.category = l.category"
                " AND y.quarter = ? WHERE l.dept = ? AND l.quarter = ? ORDER BY l.rowid",
                (_quarters_before(quarter, 4), dept, quarter),
            ).fetchall()
        if row is None:
            return _found(None)
        return JSONResponse({**dict(row), "lines": [dict(line) for line in lines]})

    async def refund(self, request: Request) -> JSONResponse:
        key = request.headers.get("Idempotency-Key", "")
        try:
            if not 8 <= len(key) <= 200:
                raise RefusalError(400, "缺少 Idempotency-Key", "Idempotency-Key is missing")
            wanted = Refund.of(request.path_params["order_id"], await request.body())
            answer = await run_in_threadpool(self._pay_back, wanted, key)
        except RefusalError as refusal:
            return refusal.response()
        return JSONResponse(answer) if answer else _found(None)

    def _pay_back(self, wanted: Refund, key: str) -> dict[str, Any] | None:
        with self._connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            answer = self._refund(connection, wanted, key)
            connection.execute("COMMIT")
        return answer

    def _refund(
        self, connection: sqlite3.Connection, wanted: Refund, key: str
    ) -> dict[str, Any] | None:
        """What ``key`` paid back, now or before; ``None`` for an unknown order."""
        earlier = connection.execute(
            "SELECT refund_id, order_id, cents FROM refunds WHERE key = ?", (key,)
        ).fetchone()
        if earlier:
            if earlier["order_id"] != wanted.order_id or wanted.cents not in (
                None,
                earlier["cents"],
            ):
                zh, en = "这个请求编号已用于另一笔退款", "This key belongs to another refund"
                raise RefusalError(409, zh, en)
            return _refund_answer(*earlier)
        order = connection.execute(
            "SELECT o.amount, (SELECT COALESCE(SUM(cents), 0) FROM refunds r"
            " WHERE r.order_id = o.order_id) AS returned FROM orders o WHERE o.order_id = ?",
            (wanted.order_id,),
        ).fetchone()
        if order is None:
            return None
        remaining = round(order["amount"] * 100) - order["returned"]
        if remaining <= 0:
            raise RefusalError(422, "这个订单已经全额退款", "This order is already fully refunded")
        if wanted.cents is None and remaining > NAMED_ABOVE:
            zh, en = "五万元以上的退款要写明金额", "Name the amount of a refund above CNY 50,000"
            raise RefusalError(422, zh, en)
        cents = remaining if wanted.cents is None else wanted.cents
        if cents > remaining:
            left = f"{remaining / 100:.2f}"
            zh, en = f"退款金额超过可退的 {left} 元", f"Only CNY {left} can still be refunded"
            raise RefusalError(422, zh, en)
        (last,) = connection.execute(
            "SELECT COALESCE(MAX(CAST(substr(refund_id, 3) AS INTEGER)), 0) FROM refunds"
        ).fetchone()
        refund_id = f"RF{last + 1:05d}"
        connection.execute(
            "INSERT INTO refunds VALUES (?, ?, ?, ?, ?, ?)",
            (refund_id, wanted.order_id, cents, wanted.reason, self._today.isoformat(), key),
        )
        if cents == remaining:
            connection.execute(
                "UPDATE orders SET status = 'refunded', expected_ship_date = NULL"
                " WHERE order_id = ?",
                (wanted.order_id,),
            )
        return _refund_answer(refund_id, wanted.order_id, cents)

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        """Closed in any case; what was not committed is undone by that."""
        with closing(sqlite3.connect(self._database, timeout=5, isolation_level=None)) as opened:
            opened.row_factory = sqlite3.Row
            yield opened


def _refund_answer(refund_id: str, order_id: str, cents: int) -> dict[str, Any]:
    return {"refund_id": refund_id, "order_id": order_id, "amount": cents / 100}


def _found(row: sqlite3.Row | None) -> JSONResponse:
    if row is None:
        return RefusalError(404, "没有这条记录", "No such record").response()
    return JSONResponse(dict(row))


def _quarters_before(quarter: str, by: int) -> str:
    year, _, number = quarter.partition("-Q")
    if not (year.isdigit() and number in ("1", "2", "3", "4")):
        return ""
    count = int(year) * 4 + int(number) - 1 - by
    return f"{count // 4}-Q{count % 4 + 1}"


class Weather:
    """Made up from a hash of city and date, so that it is the same whenever it is asked for."""

    def __init__(self, today: date) -> None:
        self._today = today

    def forecast(self, request: Request) -> JSONResponse:
        city = request.query_params.get("city", "").strip()
        try:
            day = date.fromisoformat(request.query_params.get("date") or self._today.isoformat())
        except ValueError:
            return RefusalError(422, "日期不对", "The date is not valid").response()
        if not 1 <= len(city) <= 60:
            return RefusalError(422, "请写明城市", "Which city?").response()
        return JSONResponse({"city": city, "date": day.isoformat(), **_weather(city, day)})


def _weather(city: str, day: date) -> dict[str, Any]:
    name = city.casefold().removesuffix("市")
    name = CITY_NAMES.get(name, name)
    digest = hashlib.sha256(f"{name}|{day.isoformat()}".encode()).digest()
    climate = hashlib.sha256(name.encode()).digest()[0] % 9 - 4
    high = MEAN_HIGH[day.month - 1] + climate + digest[0] % 7 - 3
    low = high - 5 - digest[1] % 5
    condition = CONDITIONS[digest[2] % len(CONDITIONS)]
    if "rain" in condition and high <= 2:
        condition = "snow"
    if condition in ("light_rain", "heavy_rain"):
        advice = "umbrella"
    elif low <= 5 or condition == "snow":
        advice = "coat"
    else:
        advice = "sunscreen" if condition == "sunny" and high >= 28 else "fine"
    return {"condition": condition, "low": low, "high": high, "advice": advice, "demo": "demo data"}
