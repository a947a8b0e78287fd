"""What counting, timing and tracing cost: whole turns and requests with it and without, interleaved in
one process, by processor time."""

from __future__ import annotations

import asyncio
import gc
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from statistics import median
from typing import Any, cast

import msgspec
import uvloop

from bench.agent_dazi import turn
from bench.options import Options
from bench.scripted import CUSTOMER, open_scripted
from bench.tables import Table
from dazi.access.users import Directory
from dazi.core.engine import Served, Usage
from dazi.core.principal import Principal
from dazi.gateway.app import StraightIn, create_app
from dazi.gateway.state import GatewayState, Limits
from dazi.main.runtime import Runtime
from dazi.observe.observer import Asking, Observer, TurnTold
from dazi.observe.tracing import Span, Tracer

BLOCK, ROUNDS = 100, 40
QUESTION = {"model": "dazi", "messages": [{"role": "user", "content": "我的订单 ORD12345 到哪了?"}]}


class OneKey:
    """Knows one person by one key."""

    def by_key(self, key: str, channel: str) -> Principal | None:
        return CUSTOMER if key == "dazi-demo-customer" else None


class BlindAsking(Asking):
    def __init__(self, observer: Observer, model: str, parent: str) -> None:
        self.span = observer.tracer.begin("", parent)

    def heard(self) -> None:
        pass

    def ended(self, usage: Usage, by: Served | None, error: str = "") -> None:
        pass


class Blind(Observer):
    """Is told all and does nothing: the program as it is without the counting."""

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        pass

    def turn(self, told: TurnTold) -> None:
        pass

    def used(self, model: str, tenant: str, usage: Usage, cost: float | None) -> None:
        pass

    def call(self, record: Any, known: bool) -> None:
        pass

    def recorded(self, kind: str) -> None:
        pass

    def asks(self, model: str, parent: str = "") -> Asking:
        return BlindAsking(self, model, parent)


def run(options: Options) -> list[Table]:
    return [uvloop.run(_measured(1 if options.quick else ROUNDS))]


async def _measured(rounds: int) -> Table:
    kept: deque[Span] = deque(maxlen=1_000)
    sides = {"nothing": Blind(), "metrics": Observer(), "metrics and traces": Observer()}
    sides["metrics and traces"].tracer = Tracer(kept.append)
    works: dict[str, dict[str, list[float]]] = {}
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder:
        runtime = await open_scripted(Path(folder), "memory")
        request = _requests(runtime)
        number = 0

        async def one_turn() -> None:
            nonlocal number
            number += 1
            await turn(runtime.service, number, kept=False)

        try:
            for name, work in (("turn: 2 model calls, 1 tool", one_turn), ("request", request)):
                spent = works[name] = {side: [] for side in sides}
                for _ in range(rounds + 1):
                    for side, observer in sides.items():
                        _watch(runtime, observer)
                        spent[side].append(await _block(work))
        finally:
            await runtime.close()
    table = Table(
        "observing",
        "Watching: processor time, microseconds",
        ("work", "nothing watched", "metrics", "more", "metrics and traces", "more"),
    )
    for name, spent in works.items():
        plain, counted, traced = (spent[s][1:] for s in sides)  # the first round warms up
        table.rows.append(
            (
                name,
                median(plain),
                median(counted),
                f"{_more(plain, counted):+.1%}",
                median(traced),
                f"{_more(plain, traced):+.1%}",
            )
        )
    table.notes.append(
        f"Medians of {rounds} interleaved blocks of {BLOCK}; `more`: median of the ratios of "
        "neighbouring blocks. Scripted model and audit in memory, so that nothing else is in it: "
        "of a real turn, whose model computes, the share is smaller."
    )
    table.notes.append(
        "request: a chat with the governed assistant through the ASGI application, without a "
        "socket; two scripted model calls and a tool."
    )
    return table


def _more(plain: list[float], watched: list[float]) -> float:
    return median(b / a for a, b in zip(plain, watched, strict=True)) - 1


def _watch(runtime: Runtime, observer: Observer) -> None:
    agent = runtime.service.agent
    agent.observer = agent.router.observer = observer
    runtime.ledger.tap = observer.recorded
    runtime.observer = observer


async def _block(work: Callable[[], Awaitable[None]]) -> float:
    """Microseconds of the processor for each."""
    gc.collect()
    gc.disable()
    began = time.process_time()
    for _ in range(BLOCK):
        await work()
    spent = time.process_time() - began
    gc.enable()
    return spent / BLOCK * 1e6


def _requests(runtime: Runtime) -> Callable[[], Awaitable[None]]:
    """Requests to the application, by whoever ``runtime.observer`` is at the moment."""
    apps: dict[int, StraightIn] = {}
    body = msgspec.json.encode(QUESTION)
    headers = [
        (b"host", b"127.0.0.1"),
        (b"authorization", b"Bearer dazi-demo-customer"),
        (b"content-type", b"application/json"),
        (b"traceparent", f"00-{'a' * 32}-{'b' * 16}-01".encode()),
    ]

    async def ready() -> dict[str, bool]:
        return {}

    def app() -> StraightIn:
        observer = runtime.observer
        if id(observer) not in apps:
            state = GatewayState(
                runtime.service, runtime.engine, runtime.company, cast(Directory, OneKey()),
                runtime.ledger, Limits(), ready, observer=observer,
            )  # fmt: skip
            apps[id(observer)] = StraightIn(create_app(state))
        return apps[id(observer)]

    async def one() -> None:
        statuses: list[int] = []
        given = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> MutableMapping[str, Any]:
            return given.pop() if given else await asyncio.Event().wait()  # type: ignore[return-value]

        async def send(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope = {
            "type": "http", "method": "POST", "path": "/v1/chat/completions", "headers": headers,
            "query_string": b"", "client": ("127.0.0.1", 1), "path_params": {},
        }  # fmt: skip
        await app()(scope, receive, send)
        if statuses != [200]:
            raise RuntimeError(f"answered {statuses}")

    return one
