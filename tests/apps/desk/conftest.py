"""A desk over a database in a file, with people and conversations that a test can script."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from dazi.apps.desk.assignment import Agent
from dazi.apps.desk.ports import Parts, Spoken
from dazi.apps.desk.records import DeskStore
from dazi.apps.desk.rules import OrderCheck, rules_of
from dazi.apps.desk.service import DeskService, NewTicket, View
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.errors import AccessError
from dazi.core.language import Language
from dazi.core.messages import CallText, Message
from dazi.core.principal import Principal
from dazi.main.company import load_company
from dazi.main.database import declare_tables
from dazi.main.settings import demo_folder
from dazi.store.database import Database

ROLES = {
    "lin": "customer", "he": "customer", "zhou": "agent", "wu": "agent", "li": "supervisor",
}  # fmt: skip
OWN = {"lin": {"ORD12345"}, "he": {"ORD20001"}}
NOON = 1_793_592_000.0
"""Monday 2026-11-02, 12:00 in Shanghai."""


def who(user: str, tenant: str = "default") -> Principal:
    return Principal(user, frozenset({ROLES[user]}), tenant=tenant, channel="web")


LIN, HE, ZHOU, WU, LI = map(who, ROLES)


@dataclass
class House:
    service: DeskService
    store: DeskStore
    database: Database
    threads: dict[tuple[str, str], list[Spoken]] = field(default_factory=dict)
    looked: list[tuple[str, str]] = field(default_factory=list)
    worded: str = ""

    async def open(self, by: Principal = LIN, title: str = "屏幕碎了", **more: Any) -> View:
        at = more.pop("at", NOON)
        return await self.service.open(by, NewTicket(title, **more), at)

    def say(self, user: str, thread: str, *messages: Message) -> None:
        said = self.threads.setdefault((user, thread), [])
        said += [Spoken(NOON + i, m) for i, m in enumerate(messages)]


def asked(text: str) -> Message:
    return Message("user", text)


def called(order: str, answer: Any, name: str = "get_order_status") -> tuple[Message, Message]:
    call = CallText(f"{name}-{order}", name, json.dumps({"order_id": order}))
    told = json.dumps(answer, ensure_ascii=False)
    return Message("assistant", "", (call,)), Message("tool", told, (), call.id)


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    declare_tables()
    database = Database.at(tmp_path / "d.sqlite")
    await database.create()
    keys = SubjectKeys(tmp_path / "audit")
    store = DeskStore(database, Private(keys))

    def people(user: str, channel: str, tenant: str) -> Principal:
        if user not in ROLES:
            raise AccessError("unknown", "没有", "no such user")
        return replace(who(user, tenant), channel=channel)

    class Conversations:
        async def read(self, customer: Principal, thread: str) -> Sequence[Spoken]:
            return home.threads.get((customer.user, thread), [])

        async def say(self, customer: Principal, thread: str, text: str) -> None:
            home.say(customer.user, thread, Message("assistant", text))

    async def look(
        principal: Principal, tool: str, arguments: dict[str, str], language: Language
    ) -> str | None:
        order = arguments["order_id"]
        home.looked.append((principal.user, order))
        mine = OWN.get(principal.user, set())
        everything = principal.has_role("agent", "supervisor")
        found = order in mine or (everything and any(order in o for o in OWN.values()))
        return f"订单 {order}:已打包" if found else None

    async def word(text: str, language: Language) -> str:
        return home.worded

    rules = replace(
        rules_of({}),
        agents=(Agent("zhou", frozenset({"damaged", "refund"})), Agent("wu")),
        orders=OrderCheck("get_order_status", "order_id"),
    )
    tools = load_company(demo_folder()).tools
    parts = Parts(people, Conversations(), look, lambda text: "damaged", tools, word)
    home = House(DeskService(store, rules, parts), store, database)
    yield home
    await database.close()
    keys.close()
