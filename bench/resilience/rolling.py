"""Servers that share a database are restarted one after the other while people go on asking.

Callers come in through a balancer that asks ``/readyz``; each keeps its connection for a few
questions, as clients do, and a good part of the answers are streams that last.
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path

from bench import postgres
from bench.resilience.balancer import Balancer
from bench.resilience.client import Caller, Heard, Question, raw
from bench.resilience.house import House, build
from bench.resilience.model import Model
from bench.resilience.report import Report
from bench.resilience.served import Served
from bench.tables import Table
from dazi.audit.records import first_broken

DRAIN_S = 3.0
CALLERS = 6
"""Half of them take a new connection every few questions, the others keep theirs for as long as they
are let."""
KEPT = 5
STREAMS = 3
PIECES = 60
READY_S = 60.0


@dataclass
class Load:
    """Callers until ``stop``; ``answers`` by what came of them, ``whole``: streams that came to their
    end, ``across``: of those, how many lived through a signal."""

    port: int
    stop: bool = False
    answers: Counter[str] = field(default_factory=Counter)
    whole: int = 0
    across: int = 0
    signals: list[float] = field(default_factory=list)
    marks: set[str] = field(default_factory=set)

    async def short(self, number: int) -> None:
        caller, asked = Caller(self.port), 0
        while not self.stop:
            mark = f"s{number}-{asked}."
            question = (
                Question(mark, user=f"clerk{number % 4}", request=mark)
                if asked % 2
                else raw(mark, request=mark)
            )
            heard = await self._ask(caller, question)
            if heard.ok:
                self.marks.add(mark)
            asked += 1
            if number % 2 and asked % KEPT == 0:
                caller.close()
            await asyncio.sleep(0.02)
        caller.close()

    async def stream(self, number: int) -> None:
        while not self.stop:
            caller, began = Caller(self.port), time.monotonic()
            heard = await self._ask(caller, raw("[slow]", stream=True), 60.0)
            caller.close()
            if heard.ok and heard.body.endswith(b"data: [DONE]\n\n"):
                self.whole += 1
                self.across += any(began < at < time.monotonic() for at in self.signals)
            elif heard.ok:
                self.answers["a stream without its end"] += 1

    async def _ask(self, caller: Caller, question: Question, seconds: float = 30.0) -> Heard:
        heard = await caller.ask(question, seconds)
        said = "ok" if heard.ok else f"{heard.status} {heard.code or heard.failed}"
        self.answers[said] += 1
        return heard


async def run(
    rounds: int = 3,
    servers: int = 2,
    drain_s: float = DRAIN_S,
    database: str = "",
) -> Report:
    """``rounds``: how often each is restarted; ``database``: a PostgreSQL database's URL, without
    one they share a file."""
    report = Report(of=f"requests while {servers} servers are restarted {rounds} times each")
    table = Table(
        "rolling", 
        f"Rolling restarts on {'PostgreSQL' if database else 'SQLite'}, behind a balancer that asks "
        "/readyz",
        (
            "servers", "restarts", "requests", "failed", "streams whole", "of them across a signal",
            "readiness first", "drain s",
        ),
    )  # fmt: skip
    report.tables.append(table)
    with tempfile.TemporaryDirectory(prefix="dazi-rolling-") as folder:
        root = Path(folder)
        async with Model(keeps=False, delay_s=0.02, pieces=PIECES).running() as model:
            house = replace(build(root, model.port), url=database)
            more = {"DAZI_DRAIN_SECONDS": str(drain_s), "DAZI_DATABASE": database}
            all_of_them = [Served(house, root, more) for _ in range(servers)]
            try:
                for served in all_of_them:  # the first makes the tables
                    served.start()
                    await served.ready()
                balancer = Balancer([s.port for s in all_of_them])
                async with balancer.running():
                    load, flips = await _roll(all_of_them, balancer, rounds, report)
            finally:
                for served in all_of_them:
                    if served.running():
                        await served.stop()
        await _on_record(house, load, report)
    failed = {k: n for k, n in load.answers.items() if k != "ok"}
    for what, count in failed.items():
        report.violations[f"a request came to: {what}"] += count
    report.violations["a connection was refused by a server that had said it was ready"] += (
        balancer.refused
    )
    report.violations["no server was ready"] += balancer.nobody
    report.expect(load.across > 0, "no stream was under way at a restart")
    report.tried = load.answers.total()
    table.rows.append((
        servers, rounds * servers, report.tried, sum(failed.values()), load.whole, load.across,
        f"{flips}/{rounds * servers}", drain_s,
    ))  # fmt: skip
    return report


async def on_postgresql(rounds: int = 3) -> Report:
    binaries = postgres.programs()
    if binaries is None:
        return Report(of="PostgreSQL is not installed")
    server = postgres.Server(binaries)
    try:
        server.start()
        postgres.create(server.url, "dazi")
        return await run(rounds, database=f"{server.url}/dazi")
    finally:
        server.remove()


async def _roll(
    servers: list[Served], balancer: Balancer, rounds: int, report: Report
) -> tuple[Load, int]:
    while len(balancer.ready) < len(servers):  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    load = Load(balancer.port)
    callers = [asyncio.create_task(load.short(n)) for n in range(CALLERS)]
    callers += [asyncio.create_task(load.stream(n)) for n in range(STREAMS)]
    flips = 0
    for _ in range(rounds):
        for served in servers:
            await asyncio.sleep(1.0)
            load.signals.append(time.monotonic())
            served.term()
            flips += await _readiness_first(served)
            ended = await served.ended(READY_S)
            report.expect(ended, "a server did not end after it was told to")
            complaints = served.complaints()
            report.expect(not complaints, f"in the log: {complaints[:1]}")
            served.start()
            await served.ready()
            await asyncio.sleep(0.5)
    report.expect(
        flips == rounds * len(servers), "a server closed its door before it said it was not ready"
    )
    load.stop = True
    await asyncio.gather(*callers)
    return load, flips


async def _readiness_first(served: Served) -> bool:
    """Whether it is seen to say no while it still answers."""
    for _ in range(40):
        status, parts = await served.readiness()
        if status == 503 and parts.get("draining") is False:
            return True
        if status == 0:
            return False
        await asyncio.sleep(0.02)
    return False


async def _on_record(house: House, load: Load, report: Report) -> None:
    report.expect(first_broken(await house.sealed()) is None, "the ledger's chain is broken")
    records = [(r, json.loads(r.body)) for r in await house.records()]
    turns = {r.turn: b["from"]["request"] for r, b in records if r.kind == "turn"}
    answered = {turns.get(r.turn) for r, _ in records if r.kind == "answer"}
    report.violations["answered, and not on record"] += len(load.marks - answered)
