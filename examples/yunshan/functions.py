"""The demo company's own functions: tickets, risk and charts.

Each is a tool of ``tools/python.yaml``. ``ctx`` tells who asks, what day it is, and where the
company's folder and databases are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, create_engine

from dazi.core.desk import TicketRequest
from dazi.core.errors import CallerError, ConnectorError

# --- service desk ---------------------------------------------------------------------------


async def create_ticket(title: str, ctx: Any, priority: str = "normal") -> dict[str, Any]:
    """File a ticket with the service desk; the same idempotency key files it once."""
    if ctx.desk is None:
        raise ConnectorError("unavailable", "这里没有服务台", "There is no service desk here")
    request = TicketRequest(
        ctx.principal, title, priority, ctx.idempotency_key, ctx.thread, ctx.heard, ctx.evidence
    )
    try:
        filed = await ctx.desk.file(request)
    except CallerError as error:
        raise ConnectorError("refused", error.text.zh, error.text.en) from error
    return {"ticket_id": filed.id, "title": filed.title, "priority": filed.priority}


@lru_cache
def _engine(url: str) -> Engine:
    return create_engine(url)


# --- risk -----------------------------------------------------------------------------------


async def assess_transaction(transaction_id: str, ctx: Any) -> dict[str, Any] | None:
    """What the risk engine says of it: a score in percent, reasons, and a proposal to a person."""
    if ctx.risk is None:
        raise ConnectorError("unavailable", "风险引擎没有打开", "the risk engine is not open")
    found = await ctx.risk.assess(transaction_id, ctx.principal)
    if found is None:
        return None
    return {
        "transaction_id": found.transaction,
        "level": found.level,
        "score": round(found.score),
        "reasons": [reason.code for reason in found.reasons] or ["none"],
        "proposal": found.action,
        "account": {"zh": found.account.zh, "en": found.account.en},
        "model": found.model,
    }


# --- charts ---------------------------------------------------------------------------------

MOST_CATEGORIES = 20
NAMES = ("dept_name", "dept", "name", "item", "city", "quarter", "month", "date", "kind_text",
         "room", "order_id", "sku", "transaction_id")  # fmt: skip
PERIODS = ("quarter", "month", "date")
# What may stand on one axis, most telling first: a unit, and fields with their names for people.
AXES: tuple[tuple[str, Mapping[str, tuple[str, str]]], ...] = (
    ("CNY", {"budget": ("预算(元)", "budget (CNY)"), "spent": ("已花费(元)", "spent (CNY)")}),
    ("CNY", {"amount": ("金额(元)", "amount (CNY)")}),
    ("CNY", {"price": ("价格(元)", "price (CNY)")}),
    ("°C", {"low": ("最低温(℃)", "low (°C)"), "high": ("最高温(℃)", "high (°C)")}),
    ("", {"quantity": ("库存", "in stock")}),
    ("", {"days": ("天数", "days")}),
    ("", {"rating": ("评分", "rating")}),
    ("", {"score": ("评分", "score")}),
    ("", {"capacity": ("人数", "seats")}),
)
Point = Mapping[str, Any]


def generate_comparison_chart(
    ctx: Any, kind: str = "bar", results: list[str] | None = None
) -> dict[str, Any] | None:
    """A chart of numbers that are in earlier results, never of numbers a model wrote.

    ``ctx.evidence`` already is what ``results`` chose. Several results of one tool stand side by
    side; of different tools, those of the last one are drawn.
    """
    drawable = [entry for entry in ctx.evidence if _points(entry)]
    if not drawable:
        return None
    chosen = [entry for entry in drawable if entry["name"] == drawable[-1]["name"]]
    groups = [_points(entry) for entry in chosen]
    unit, fields = next(axis for axis in AXES if _on_axis(groups[0][0], axis[1]))
    if len(groups) > 1 and not _same_names(groups):
        groups = [[group[0] for group in groups]]
    name = _telling_name(groups[0])
    categories = list(dict.fromkeys(str(p[name]) for group in groups for p in group))
    categories = categories[:MOST_CATEGORIES]
    series = [
        {
            "name": field if len(groups) == 1 else _period(chosen[n]) or f"{field} {n + 1}",
            "field": field,
            "labels": {"zh": zh, "en": en},
            "data": [_value(group, name, category, field) for category in categories],
        }
        for n, group in enumerate(groups)
        for field, (zh, en) in fields.items()
        if any(field in point for point in group)
    ]
    periods = list(dict.fromkeys(filter(None, map(_period, chosen))))
    title = " / ".join(categories[:4]) + (" …" if len(categories) > 4 else "")
    if name not in PERIODS and periods:
        title = f"{title} {', '.join(periods)}"
    return {"title": title, "kind": kind, "unit": unit, "categories": categories, "series": series}


def _points(entry: Mapping[str, Any]) -> list[Point]:
    """The things in a result that have a name and a number that can be drawn."""
    result = entry.get("result")
    if not isinstance(result, Mapping):
        return []
    rows = next((v for v in result.values() if isinstance(v, list)), None)
    own = any(_on_axis(result, fields) for _, fields in AXES)  # its list says more about itself
    points = [p for p in (rows if rows and not own else [result]) if isinstance(p, Mapping)]
    return [
        p
        for p in points
        if any(name in p for name in NAMES) and any(_on_axis(p, fields) for _, fields in AXES)
    ]


def _on_axis(point: Point, fields: Iterable[str]) -> bool:
    return any(isinstance(point.get(f), (int, float)) for f in fields)


def _same_names(groups: Sequence[Sequence[Point]]) -> bool:
    """Whether several lists are about the same things, as the regions of two months are."""
    names = [{str(p[_telling_name(group)]) for p in group} for group in groups]
    return min(map(len, names)) > 1 and len(set.intersection(*names)) * 2 >= min(map(len, names))


def _telling_name(points: Sequence[Point]) -> str:
    """The first field that tells the points apart, else the first that they have."""
    shared = [name for name in NAMES if all(name in p for p in points)]
    telling = [name for name in shared if len({p[name] for p in points}) == len(points)]
    return (telling or shared or [next(n for n in NAMES if n in points[0])])[0]


def _period(entry: Mapping[str, Any]) -> str | None:
    places = (entry["result"], entry.get("arguments", {}))
    return next((str(p[key]) for key in PERIODS for p in places if p.get(key)), None)


def _value(group: Iterable[Point], name: str, category: str, field: str) -> float | int | None:
    return next((p.get(field) for p in group if str(p.get(name)) == category), None)
