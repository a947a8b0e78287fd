"""A whole tool turn with the bundled model: question, call, result, answer."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from statistics import quantiles
from types import MappingProxyType

from bench.options import Options
from bench.tables import Table
from dazi.agent.asking import Ask
from dazi.agent.service import AssistantService
from dazi.core.principal import Principal
from dazi.core.turn import AnswerDelta, CallProposed, TurnFinished
from dazi.inference.catalog import BUNDLED
from dazi.main.engines import load_engine
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.settings import Settings, demo_folder
from dazi.main.warming import warm_requests

QUESTION = "我三天前下的订单 {order} 还没发货,怎么回事?"
TODAY = date(2025, 4, 3)
USERS = (1, 8)
TURNS_EACH = {1: 60, 8: 16}
WARM_TURNS = 3


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
            found = await _all(runtime, iter(_orders(runtime)), options)
            name = runtime.engine.profile.name
        finally:
            await runtime.close()
    return [_table(name, loaded, ready, found)]


async def _all(
    runtime: Runtime, orders: Iterator[tuple[str, str]], options: Options
) -> list[Measured]:
    if options.quick:
        return [await _together(runtime.service, orders, users, 1) for users in USERS]
    await _together(runtime.service, orders, 1, WARM_TURNS)
    return [await _together(runtime.service, orders, users, TURNS_EACH[users]) for users in USERS]


async def _together(
    service: AssistantService, orders: Iterator[tuple[str, str]], users: int, each: int
) -> Measured:
    """``users`` at once, ``each`` questions one after another: no order is asked about twice, so
    that no answer comes whole from the prefix cache."""
    measured = Measured(users)
    began = time.perf_counter()

    async def one() -> None:
        for _ in range(each):
            customer, order = next(orders)
            measured.turns.append(await _turn(service, _principal(customer), order))

    async with asyncio.TaskGroup() as group:
        for _ in range(users):
            group.create_task(one())
    measured.seconds = time.perf_counter() - began
    return measured


async def _turn(service: AssistantService, who: Principal, order: str) -> Taken:
    taken = Taken()
    began = time.perf_counter()
    async for event in service.ask(Ask(who, f"bench-{order}", QUESTION.format(order=order))):
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


def _principal(customer: str) -> Principal:
    known = MappingProxyType({"customer_id": customer, "city": "上海"})
    return Principal(f"bench-{customer}", frozenset({"customer"}), known, channel="bench")


def _orders(runtime: Runtime) -> list[tuple[str, str]]:
    """Customers of the demo company and orders of theirs, each customer's first, then second, ..."""
    assert runtime.demo is not None
    with closing(sqlite3.connect(runtime.demo.database)) as connection:
        found = connection.execute(
            "SELECT customer_id, order_id FROM orders ORDER BY "
            "row_number() OVER (PARTITION BY customer_id ORDER BY order_id), customer_id"
        )
        return [(str(customer), str(order)) for customer, order in found]


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
        "threads durable. Every turn another order, in a thread of its own; all of the machine's cores."
    )
    table.notes.append("Goal for the p50 of one user: 800 ms, aim 300 ms.")
    return table


def _at(percent: int, values: Sequence[float]) -> float | None:
    if len(values) < 2:
        return values[0] if values else None
    return quantiles(values, n=100, method="inclusive")[percent - 1]
