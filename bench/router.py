"""What governing one call costs, without the model and without the tool's own time."""

from __future__ import annotations

import itertools
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import uvloop

from bench.options import Options
from bench.tables import Table
from dazi.access.cedar import CedarPolicy
from dazi.access.policy import Facts
from dazi.access.users import Directory
from dazi.audit.ledger import Ledger, MemorySink, SqlSink
from dazi.audit.private import Private
from dazi.core.company import Company, PolicySource
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import Invocation
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.grounding import Evidence
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore
from dazi.store.database import Database

TODAY = date(2025, 4, 3)
MANY = 200
"""Policies about other tools, to see that they cost nothing."""


class _Trivial:
    """Answers at once: what is measured is everything else."""

    async def execute(self, invocation: Invocation) -> Any:
        return {"order_id": invocation.arguments.get("order_id"), "status": "packed"}

    async def close(self) -> None:
        return None


def run(options: Options) -> list[Table]:
    rounds, times = options.rounds, 20 if options.quick else 2_000
    company = load_company(demo_folder())
    return [
        _decisions(company, rounds, times),
        uvloop.run(_calls(company, rounds, max(times // 4, 10))),
    ]


def _decisions(company: Company, rounds: int, times: int) -> Table:
    table = Table(
        "policy", "One policy decision, processor time", ("decision", "us", "goal (us)"), []
    )
    directory = Directory(company, "127.0.0.1")
    finance = directory.principal("finance", "api")
    customer = directory.principal("customer", "api")
    other = "\n".join(
        f'@id("p{i}") forbid (principal, action == Action::"get_weather", resource) '
        f'when {{ principal == User::"nobody{i}" }};'
        for i in range(MANY)
    )
    larger = replace(company, policies=(*company.policies, PolicySource("many.cedar", other)))
    refund, status = company.tools["request_refund"], company.tools["get_order_status"]
    facts = Facts(
        {"order_id": "ORD12345", "amount": 100, "reason": "漏发"},
        {"order_id": ("person",), "amount": ("person",), "reason": ("person",)},
        datetime(2025, 4, 3, 9),
    )
    plain, many = CedarPolicy(company), CedarPolicy(larger)
    numbers = itertools.count()

    def stranger() -> Principal:
        return replace(customer, user=f"c{next(numbers)}")

    cents = itertools.count(10_000)

    def another() -> Facts:
        return replace(facts, arguments={**facts.arguments, "amount": next(cents) / 100})

    cases: list[tuple[str, Callable[[int], object]]] = [
        ("by role, asked before", lambda _: plain.decide(customer, status, facts)),
        ("by role, a new person", lambda _: plain.decide(stranger(), status, facts)),
        ("by arguments (a refund), asked before", lambda _: plain.decide(finance, refund, facts)),
        ("by arguments, a new amount", lambda _: plain.decide(finance, refund, another())),
        (
            f"the same beside {MANY} other policies",
            lambda _: many.decide(finance, refund, another()),
        ),
    ]
    for name, case in cases:
        found = []
        for _ in range(rounds):
            plain._answers.clear()
            began = time.process_time()
            for i in range(times):
                case(i)
            found.append((time.process_time() - began) / times * 1e6)
        table.rows.append((name, statistics.median(found), 100))
    table.notes.append("Cedar policies of the demo company; median of rounds.")
    return table


async def _calls(company: Company, rounds: int, times: int) -> Table:
    table = Table(
        "router",
        "One call through the router, without the tool's own time, processor time",
        ("call", "audit", "ms", "goal (ms)"),
    )
    supervisor = Directory(company, "127.0.0.1").principal("supervisor", "api")
    read = ("get_order_status", {"order_id": "ORD12345"})
    write = ("update_order_note", {"order_id": "ORD12345", "note": "周末送"})
    with tempfile.TemporaryDirectory(prefix="dazi-bench-") as folder:
        for durable in (False, True):
            database = Database.at(Path(folder) / f"{durable}.sqlite")
            await database.create()
            private = Private.at(Path(folder) / str(durable))
            ledger = Ledger(SqlSink(database) if durable else MemorySink())
            router = FunctionRouter(
                company,
                dict.fromkeys(company.connectors, _Trivial()),
                CedarPolicy(company),
                ledger,
                IntentStore(database, private),
                TicketStore(database, private, 900.0),
            )
            audit = "durable" if durable else "in memory"
            for name, arguments in (read, write):
                found = []
                for _ in range(rounds):
                    found.append(await _timed(router, ledger, supervisor, name, arguments, times))
                table.rows.append((name, audit, statistics.median(found), 1))
            await database.close()
    table.notes.append(
        "Name, schema, grounding, normalisation, identity, policy, audit, result; for the write also "
        "its intent and its outcome as rows of SQLite, committed before and after. Median of rounds."
    )
    return table


async def _timed(
    router: FunctionRouter,
    ledger: Ledger,
    who: Principal,
    name: str,
    arguments: dict[str, Any],
    times: int,
) -> float:
    text = json.dumps(arguments, ensure_ascii=False)
    turns = [_turn(who, f"t{time.monotonic_ns()}{i}") for i in range(times)]
    began = time.process_time()
    for i, turn in enumerate(turns):
        record = await router.call(CallText(f"c{i}", name, text), turn)
        if record.outcome != "ok":
            raise RuntimeError(f"the call went wrong: {record}")
    await ledger.flush()
    return (time.process_time() - began) / times * 1000


def _turn(who: Principal, number: str) -> TurnContext:
    evidence = Evidence(TODAY)
    evidence.said("给 ORD12345 加条备注:周末送")
    who = replace(who, attributes=MappingProxyType(dict(who.attributes)))
    return TurnContext(
        number, "t", who, "zh", evidence, frozenset({"get_order_status", "update_order_note"})
    )
