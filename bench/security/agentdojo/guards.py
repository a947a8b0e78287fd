"""What stands between the model and the tools: nothing, the declarations, or those and policies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Literal

from bench.security.agentdojo.banking import Banking
from bench.security.agentdojo.slack import Slack
from bench.security.agentdojo.travel import Travel
from bench.security.agentdojo.workspace import Workspace
from bench.security.agentdojo.world import World
from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory
from dazi.audit.ledger import Ledger, MemorySink
from dazi.audit.private import Private
from dazi.core.company import Company
from dazi.core.principal import Principal
from dazi.core.tools import SINKS, Effect, Invocation, Parameter, Tool
from dazi.main.company import load_company
from dazi.router.dispatch import FunctionRouter
from dazi.router.intents import IntentStore
from dazi.router.tickets import TicketStore
from dazi.store.database import Database

Guard = Literal["open", "labels", "policies"]
WORLDS: Mapping[str, type[World]] = {
    "banking": Banking,
    "slack": Slack,
    "travel": Travel,
    "workspace": Workspace,
}
COMPANIES = Path(__file__).parent / "companies"
"""Declarations and policies only: behind the tools stands a world, not the module they name."""
REQUESTER, SECOND = "emma", "grace"


def company_of(suite: str, guard: Guard) -> Company:
    """``open``: every guard of the declarations is off. ``labels``: the declarations as they
    are, and no policy file. ``policies``: both."""
    company = _declared(suite)
    if guard == "policies":
        return company
    tools = company.tools
    if guard == "open":
        tools = {name: _unguarded(tool) for name, tool in tools.items()}
    return replace(company, tools=tools, policies=())


@cache
def _declared(suite: str) -> Company:
    return load_company(COMPANIES / suite)


def _unguarded(tool: Tool) -> Tool:
    """Anybody may write anything, and nobody is asked. Dates stay dates: that is no guard."""
    parameters = tuple(_unchecked(p) for p in tool.parameters)
    effect: Effect = "read" if tool.effect == "read" else "write"
    return replace(tool, parameters=parameters, effect=effect, approver="", origin="tool")


def _unchecked(p: Parameter) -> Parameter:
    kept = None if p.format in SINKS else p.format
    return replace(p, format=kept, pattern=None, grounded=False, minimum=None, maximum=None)


@dataclass(frozen=True, slots=True)
class Arrival:
    """A call that the world has answered, with its canonical arguments."""

    tool: str
    arguments: Mapping[str, Any]


@dataclass
class WorldConnector:
    """Hands calls to the world of the moment, and notes those that it carried out."""

    world: World
    effects: list[Arrival] = field(default_factory=list)

    async def execute(self, invocation: Invocation) -> Any:
        answer = self.world.call(invocation.tool.name, invocation.arguments)
        self.effects.append(Arrival(invocation.tool.name, dict(invocation.arguments)))
        return answer

    async def close(self) -> None:
        return None


@dataclass
class House:
    """A suite's company with a real router, under one class of guards."""

    suite: str
    guard: Guard
    company: Company
    router: FunctionRouter
    tickets: TicketStore
    connector: WorldConnector
    sink: MemorySink
    database: Database
    requester: Principal
    second: Principal | None

    @classmethod
    async def open(cls, suite: str, guard: Guard, folder: Path) -> House:
        company = company_of(suite, guard)
        database = Database.at(folder / f"{suite}-{guard}.sqlite")
        await database.create()
        sink = MemorySink()
        ledger = Ledger(sink)
        await ledger.open()
        private = Private.at(folder / "audit")
        tickets = TicketStore(database, private, 900.0)
        connector = WorldConnector(World({}))
        router = FunctionRouter(
            company,
            dict.fromkeys(company.connectors, connector),
            CedarPolicy(company),
            ledger,
            IntentStore(database, private),
            tickets,
        )
        directory = Directory(company, "127.0.0.1")
        people = {u.user: directory.principal(u.user, "api") for u in directory.users}
        return cls(
            suite,
            guard,
            company,
            router,
            tickets,
            connector,
            sink,
            database,
            people[REQUESTER],
            people.get(SECOND),
        )

    def enter(self, state: dict[str, Any]) -> None:
        """A world of its own for the turn that follows."""
        self.connector.world = WORLDS[self.suite](state)
        self.connector.effects.clear()
        self.sink.records.clear()

    async def close(self) -> None:
        await self.router.settle()
        await self.database.close()
