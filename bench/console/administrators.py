"""How long the administrators' pages take with a big company: ``python -m bench.console.administrators``.

A hundred thousand ledger records and five thousand accounts are made in a folder of their own, then each
page is asked for over HTTP as whoever may see it. Prints the median and the worst time in milliseconds
until the whole page has come, and how long a verification of the whole ledger took.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import statistics
import tempfile
import time
from pathlib import Path

import aiohttp
import uvicorn
from sqlalchemy import insert

from dazi.access.accounts import Account, _row, accounts
from dazi.core.engine import ModelProfile
from dazi.core.language import Text
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.serve import build_app
from dazi.main.settings import Settings
from tests.fakes.engine import ScriptedEngine


def pages(records: int, people: int) -> tuple[tuple[str, str], ...]:
    """Who asks for what."""
    return (
        ("wang", "/people"),
        ("wang", "/people?q=4711&sort=name"),
        ("wang", f"/people?after=u{people - 100:05}"),
        ("wang", f"/people/u/u{people // 2:05}"),
        ("chen", "/people/requests"),
        ("chen", "/keys?show=all"),
        ("wang", "/limits"),
        ("u00007", "/account"),
        ("zhou", "/audit"),
        ("zhou", "/audit?before=500"),
        ("zhou", "/audit?user=u00007"),
        ("zhou", "/audit?tool=request_refund&outcome=forbidden"),
        ("zhou", "/audit?q=ORD99"),
        ("zhou", "/audit?q=nobody+said+so"),
        ("zhou", f"/audit/turn/turn_{records // 10}"),
    )


async def fill(runtime: Runtime, records: int, people: int) -> None:
    made = [
        Account(f"u{n:05}", Text(f"员工{n}", f"Person {n}"), frozenset({"staff"}), f"D{n % 40}")
        for n in range(people)
    ]
    made += [
        Account("wang", Text("王", "W"), frozenset({"sysadmin"})),
        Account("chen", Text("陈", "C"), frozenset({"secadmin"})),
        Account("zhou", Text("周", "Z"), frozenset({"auditadmin"})),
    ]
    async with runtime.access.changes.write() as change:
        rows = [_row(a) | {"version": change.version} for a in made]
        await change.connection.execute(insert(accounts), rows)
    put = runtime.ledger.put
    for n in range(records // 5):
        user, turn = f"u{n % people:05}", f"turn_{n}"
        tool = "request_refund" if n % 500 == 0 else "get_order_status"
        call = {"call": "c1", "tool": tool, "arguments": {"order_id": f"ORD{n:05}"}, "policy": "p"}
        stopped = {"outcome": "forbidden"} if n % 500 == 0 else {"outcome": "ok"}
        put("turn", user, turn, {"said": f"ORD{n:05} 到哪了?", "thread": f"th_{n}", "model": "m"})
        put("call", user, turn, {**call, **stopped})
        put("outcome", user, turn, {**call, **stopped, "result": "0" * 64})
        put("decision", user, turn, {**call, "outcome": "ungrounded", "reason": "no ground"})
        last = put("answer", user, turn, {"answer": "已经发货。", "tokens": [800, 40], "ms": 900.0})
        if n % 200 == 0:
            await last
    await runtime.ledger.flush()


async def measured(
    runtime: Runtime, url: str, asked: tuple[tuple[str, str], ...], times: int
) -> None:
    for user, path in asked:
        begun = await runtime.access.sessions.begin(("default", user), "web", "127.0.0.1")
        taken: list[float] = []
        size = 0
        async with aiohttp.ClientSession(cookies={"dazi_session": begun.token}) as session:
            for _ in range(times):
                at = time.perf_counter()
                async with session.get(url + path) as answer:
                    size = len(await answer.read())
                    assert answer.status == 200, (path, answer.status)
                taken.append((time.perf_counter() - at) * 1000)
        row = {
            "page": path,
            "median_ms": round(statistics.median(taken)),
            "worst_ms": round(max(taken)),
            "kilobytes": size // 1000,
        }
        print(json.dumps(row, ensure_ascii=False), flush=True)


async def verified(runtime: Runtime) -> None:
    """How long it takes, and how long others wait meanwhile."""
    reading = runtime.reading()
    assert reading is not None
    by = runtime.access.people.principal("zhou", "web")
    waits: list[float] = []

    async def beside() -> None:
        while True:
            at = time.perf_counter()
            await asyncio.sleep(0)
            waits.append((time.perf_counter() - at) * 1000)
            await asyncio.sleep(0.005)

    task = asyncio.create_task(beside())
    at = time.perf_counter()
    found = await reading.verify(by, lambda _: None)
    seconds = time.perf_counter() - at
    task.cancel()
    waits.sort()
    told = {
        "verified": found.records,
        "bad": found.bad,
        "seconds": round(seconds, 1),
        "others_waited_ms_p99": round(waits[int(len(waits) * 0.99)], 1),
    }
    print(json.dumps(told), flush=True)


async def run(records: int, people: int, times: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        engine = ScriptedEngine(lambda _: "x", ModelProfile("m", 8192, bundled=True))
        runtime = await open_runtime(Settings(data=Path(folder)), engine=engine)
        at = time.perf_counter()
        await fill(runtime, records, people)
        print(json.dumps({"filled_s": round(time.perf_counter() - at, 1)}), flush=True)
        listening = socket.create_server(("127.0.0.1", 0))
        server = uvicorn.Server(uvicorn.Config(build_app(runtime), log_level="warning"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        while not server.started:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        await measured(runtime, url, pages(records, people), times)
        await verified(runtime)
        server.should_exit = True
        await serving
        await runtime.close()


if __name__ == "__main__":
    given = argparse.ArgumentParser(description=__doc__)
    given.add_argument("--records", type=int, default=100_000)
    given.add_argument("--people", type=int, default=5_000)
    given.add_argument("--times", type=int, default=5)
    chosen = given.parse_args()
    asyncio.run(run(chosen.records, chosen.people, chosen.times))
