"""A whole tool turn with the bundled model: question, call, result, answer."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import quantiles
from types import MappingProxyType

from bench.options import Options
from bench.tables import Table
from dazi.agent.service import Ask, AssistantService
from dazi.core.principal import Principal
from dazi.core.turn import AnswerDelta, CallProposed, TurnFinished
from dazi.inference.catalog import BUNDLED
from dazi.main.runtime import Runtime, load_engine, open_runtime, warm_requests
from dazi.main.settings import Settings, demo_folder

QUESTION = "我三天前下的订单 {order} 还没发货,怎么回事?"
TODAY = date(2025, 4, 3)
USERS = (1, 8)
TURNS_EACH = {1: 24, 8: 8}
WARM_TURNS = 3


@dataclass(frozen=True, slots=True)
class Customer:
    principal: Principal
    orders: tuple[str, ...]


@dataclass(slots=True)
class Taken:
    """Milliseconds of one turn from the question. ``first_call``: until the call is seen;
    ``first_text``: until the first checked piece of the answer."""

    whole: float = 0.0
    first_call: float | None = None
    first_text: float | None = None
    right: bool = False
    replaced: bool = False


@dataclass(slots=True)
class Measured:
    users: int
    seconds: float = 0.0
    turns: list[Taken] = field(default_factory=list)


def run(options: Options) -> list[Table]:
    model = _model()
    if model is None:
        note = "not measured: no bundled model here, and DAZI_MODEL names no other"
        return [Table("turn", "Whole tool turn", ("users",), [], [note])]
    return asyncio.run(_measure(model, options))


def _model() -> str | None:
    """The bundled model's folder, else what ``DAZI_MODEL`` names."""
    if (BUNDLED / "openvino_model.xml").is_file():
        return str(BUNDLED)
    return os.environ.get("DAZI_MODEL") or None


async def _measure(model: str, options: Options) -> list[Table]:
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder:
        data = Path(folder)
        settings = Settings(company=demo_folder(), data=data, model=model, today=TODAY)
        began = time.perf_counter()
        engine = await asyncio.to_thread(load_engine, settings, data)
        loaded = time.perf_counter() - began
        runtime = await open_runtime(settings, engine=engine)
        try:
            for request in warm_requests(runtime):
                await runtime.engine.warm(request)
            ready = time.perf_counter() - began
            found = await _all(runtime, _customers(runtime), options)
            name = runtime.engine.profile.name
        finally:
            await runtime.close()
    return [_table(name, loaded, ready, found)]


async def _all(runtime: Runtime, customers: list[Customer], options: Options) -> list[Measured]:
    if options.quick:
        return [await _together(runtime.service, customers, users, 1) for users in USERS]
    await _together(runtime.service, customers[-1:], 1, WARM_TURNS)
    return [
        await _together(runtime.service, customers, users, TURNS_EACH[users]) for users in USERS
    ]


async def _together(
    service: AssistantService, customers: Sequence[Customer], users: int, each: int
) -> Measured:
    """``users`` customers, each asking ``each`` times, every time about another order and in a
    thread of its own."""
    measured = Measured(users)
    began = time.perf_counter()

    async def one(customer: Customer) -> None:
        for i in range(each):
            order = customer.orders[i % len(customer.orders)]
            measured.turns.append(await _turn(service, customer.principal, order, i))

    async with asyncio.TaskGroup() as group:
        for customer in customers[:users]:
            group.create_task(one(customer))
    measured.seconds = time.perf_counter() - began
    return measured


async def _turn(service: AssistantService, who: Principal, order: str, number: int) -> Taken:
    taken = Taken()
    began = time.perf_counter()
    thread = f"bench-{who.user}-{number}-{time.monotonic_ns()}"
    async for event in service.ask(Ask(who, thread, QUESTION.format(order=order))):
        ms = (time.perf_counter() - began) * 1000
        match event:
            case CallProposed() if taken.first_call is None:
                taken.first_call = ms
            case AnswerDelta() if taken.first_text is None:
                taken.first_text = ms
            case TurnFinished(calls=calls, replaced=replaced):
                taken.whole = ms
                taken.replaced = replaced > 0
                taken.right = [(c.name, c.outcome, c.arguments.get("order_id")) for c in calls] == [
                    ("get_order_status", "ok", order)
                ]
            case _:
                pass
    return taken


def _customers(runtime: Runtime) -> list[Customer]:
    """Customers of the demo company, those with most orders first."""
    assert runtime.demo is not None
    with closing(sqlite3.connect(runtime.demo.database)) as connection:
        rows = connection.execute("SELECT customer_id, order_id FROM orders ORDER BY order_id")
        orders: dict[str, list[str]] = {}
        for customer, order in rows:
            orders.setdefault(customer, []).append(order)
    ranked = sorted(orders.items(), key=lambda item: -len(item[1]))
    return [
        Customer(
            Principal(
                f"bench-{customer}",
                frozenset({"customer"}),
                MappingProxyType({"customer_id": customer, "city": "上海"}),
                channel="bench",
            ),
            tuple(own),
        )
        for customer, own in ranked
    ]


def _table(name: str, loaded: float, ready: float, found: Sequence[Measured]) -> Table:
    table = Table(
        "turn",
        f"Whole tool turn with the model {name}: question -> call -> result -> answer",
        (
            "users at once", "turns", "p50 ms", "p95 ms", "call seen p50 ms", "first text p50 ms",
            "turns/s", "right call", "sentence replaced",
        ),
    )  # fmt: skip
    for m in found:
        count = len(m.turns)
        table.rows.append(
            (
                m.users,
                count,
                _at(50, [t.whole for t in m.turns]),
                _at(95, [t.whole for t in m.turns]),
                _at(50, [t.first_call for t in m.turns if t.first_call is not None]),
                _at(50, [t.first_text for t in m.turns if t.first_text is not None]),
                count / m.seconds,
                f"{sum(t.right for t in m.turns)}/{count}",
                f"{sum(t.replaced for t in m.turns)}/{count}",
            )
        )
    table.notes.append(f"Model load {loaded:.2f} s; ready with warm prefixes after {ready:.2f} s.")
    table.notes.append(
        "Through the assistant's service with the demo company: its database, policy, audit and "
        "threads durable. Other users, threads and orders each; all of the machine's cores."
    )
    table.notes.append("Goal for the p50 of one user: 800 ms, aim 300 ms.")
    return table


def _at(percent: int, values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
