"""A running company whose answers people say something of."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dazi.access.accounts import Account
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.turn import TurnStarted
from dazi.main.learning import Learning
from dazi.main.runtime import open_runtime
from dazi.main.settings import Settings
from dazi.ops.feedback.model import Entry, Given
from tests.agent.conftest import House, Said
from tests.fakes.engine import Reply, ScriptedEngine, call

TODAY = date(2025, 4, 3)
ASKED = "我三天前下的订单 ORD12345 还没发货,怎么回事?"
TOLD = "您的订单已打包,预计明天发出。"


@dataclass
class World(House):
    """``give`` says something of a turn as the customer whose it is."""

    learning: Learning

    def __init__(self, runtime: Any, engine: ScriptedEngine) -> None:
        super().__init__(runtime, engine)
        assert runtime.learning is not None
        self.learning = runtime.learning

    def who(self, user: str) -> Principal:
        return self.runtime.access.people.principal(user, "web")

    def says(self, *replies: Reply) -> None:
        self.engine.say(*replies)

    async def answered(self, user: str = "customer", thread: str = "") -> Said:
        self.says(call("get_order_status", order_id="ORD12345"), TOLD)
        return await self.ask(user, ASKED, thread)

    async def give(self, said: Said, given: Given, user: str = "customer") -> Entry:
        return await self.learning.feedback.give(self.who(user), turn_of(said), given)

    async def ledger(self, act: str) -> list[dict[str, Any]]:
        return [body for _, body in await self.audit("admin") if body.get("act") == act]


def turn_of(said: Said) -> str:
    return next(e.turn for e in said.events if isinstance(e, TurnStarted))


Start = Callable[..., Awaitable[World]]


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[Start]:
    opened: list[World] = []

    async def start(**options: Any) -> World:
        engine = ScriptedEngine()
        settings = Settings(data=tmp_path / f"d{len(opened)}", today=TODAY, **options)
        made = World(await open_runtime(settings, engine=engine), engine)
        opened.append(made)
        sysadmin = Account("sys", Text("系统员", "Sys"), frozenset({"sysadmin"}))
        await made.runtime.access.stores.accounts.create(sysadmin)
        return made

    yield start
    for made in opened:
        await made.runtime.close()
