"""A router over the demo company's tools, and one system behind all of them that follows a script."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory
from dazi.audit.ledger import Ledger, MemorySink
from dazi.audit.private import Private
from dazi.core.company import Company
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.tools import Invocation
from dazi.core.turn import CallRecord
from dazi.guard.engine import Guard
from dazi.main.company import load_company
from dazi.main.settings import demo_folder
from dazi.router.approval import Ticket
from dazi.router.care import Care, CareRules
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.grounding import Evidence
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore
from dazi.store.database import Database

TODAY = date(2025, 4, 3)


@dataclass
class Systems:
    """``answer``: what is handed over, or raised, or called."""

    answer: Any = field(default_factory=lambda: {"order_id": "ORD12345"})
    asked: list[Invocation] = field(default_factory=list)

    async def execute(self, invocation: Invocation) -> Any:
        self.asked.append(invocation)
        if isinstance(self.answer, BaseException):
            raise self.answer
        return await self.answer() if callable(self.answer) else self.answer

    async def close(self) -> None: ...


@dataclass
class House:
    company: Company
    router: FunctionRouter
    systems: Systems
    sink: MemorySink
    ledger: Ledger
    intents: IntentStore
    database: Database
    private: Private

    @property
    def tickets(self) -> TicketStore:
        return self.router.tickets

    def turn(
        self, user: str, *said: str, language: Language = "zh", name: str = "t1"
    ) -> TurnContext:
        evidence = Evidence(TODAY)
        for text in said:
            evidence.said(text)
        who = Directory(self.company, "127.0.0.1").principal(user, "api")
        return TurnContext(name, "thread", who, language, evidence, frozenset(self.company.tools))

    async def call(self, turn: TurnContext, tool: str, arguments: str) -> CallRecord:
        return await self.router.call(CallText("c1", tool, arguments), turn)

    async def agreed(self, turn: TurnContext, tool: str, arguments: str) -> Ticket:
        """A ticket for the call that the requester has agreed to."""
        asked = await self.call(turn, tool, arguments)
        return await self.tickets.decide(asked.ticket, turn.principal, True)


Open = Callable[..., House]


@pytest.fixture(scope="session")
def demo() -> Company:
    return load_company(demo_folder())


@pytest.fixture
async def open_house(tmp_path: Path, demo: Company) -> AsyncIterator[Open]:
    database = Database.at(tmp_path / "dazi.sqlite")
    await database.create()
    company = replace(demo, tools=dict(demo.tools))
    private = Private.at(tmp_path / "audit")
    made: list[House] = []

    def opened(
        guard: Guard | None = None, *, execute: bool = True, rules: CareRules | None = None
    ) -> House:
        sink, systems = MemorySink(), Systems()
        ledger, intents = Ledger(sink), IntentStore(database, private)
        router = FunctionRouter(
            company,
            dict.fromkeys(company.connectors, systems),
            CedarPolicy(company),
            ledger,
            intents,
            TicketStore(database, private, 900.0),
            execute=execute,
            care=Care(rules or CareRules(attempts=1)),
            guard=guard,
        )
        made.append(House(company, router, systems, sink, ledger, intents, database, private))
        return made[-1]

    yield opened
    for house in made:
        await house.router.settle()
    await asyncio.sleep(0)
    await database.close()


@pytest.fixture
def house(open_house: Open) -> House:
    return open_house()
