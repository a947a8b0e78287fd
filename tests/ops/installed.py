"""An installation with something in it: threads, effects, a ticket, people with passwords."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from dazi.access.accounts import Account
from dazi.access.sign_in import Attempt
from dazi.agent.asking import Ask
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Invocation
from dazi.core.turn import ConfirmationNeeded
from dazi.main import backing
from dazi.main.auditing import check
from dazi.main.backing import BackupOptions, RestoreOptions
from dazi.main.company import load_company
from dazi.main.runtime import Runtime, assemble
from dazi.main.settings import Settings, demo_folder
from dazi.ops.backup.backup import BackedUp
from dazi.ops.backup.restore import Restored
from tests.lab.scripted import Scripted

ORDER = "我的订单 ORD12345 到哪了?"
REFUND = "请给订单 ORD12345 退款,原因是少发了一件"
ARGUMENTS = {"order_id": "ORD12345", "reason": "少发了一件"}
SCRIPT = {
    ORDER: [[("get_order_status", {"order_id": "ORD12345"})], "订单 ORD12345 已发货。"],
    REFUND: [[("request_refund", ARGUMENTS)], "好的。"],
}
PASSWORD = "Kx7-mauerwerk"
PASSPHRASE = "correct horse battery"
TODAY = date(2025, 4, 3)


@dataclass
class Systems:
    """Whatever is behind the tools; notes what arrives."""

    arrived: list[Invocation] = field(default_factory=list)

    async def execute(self, invocation: Invocation) -> Any:
        self.arrived.append(invocation)
        return invocation.tool.example or {"value": "ok"}

    async def close(self) -> None:
        return None


def settings(data: Path, **more: Any) -> Settings:
    return Settings(company=demo_folder(), data=data, today=TODAY, **more)


@asynccontextmanager
async def running(chosen: Settings) -> AsyncIterator[Runtime]:
    company = load_company(chosen.company_folder())
    systems = dict.fromkeys(company.connectors, Systems())
    data = chosen.data_folder(company.folder)
    runtime = await assemble(chosen, company, dict(systems), Scripted(SCRIPT), data)
    try:
        yield runtime
    finally:
        await runtime.close()


def person(runtime: Runtime, user: str) -> Principal:
    return runtime.access.people.principal(user, "api")


async def ask(runtime: Runtime, user: str, text: str, thread: str) -> str:
    """The ticket that the turn waits for, if it waits for one."""
    principal = person(runtime, user)
    events = [e async for e in runtime.service.ask(Ask(principal, thread, text))]
    return next((e.ticket for e in events if isinstance(e, ConfirmationNeeded)), "")


async def fill(runtime: Runtime) -> str:
    """A read, a refund that was agreed to, and one that waits; its ticket. Li Hua has a password."""
    await ask(runtime, "customer", ORDER, "thread-1")
    done = await ask(runtime, "finance", REFUND, "thread-2")
    async for _ in runtime.service.decide(person(runtime, "finance"), done, True):
        pass
    stores = runtime.access.stores
    await stores.accounts.create(
        Account("lihua", Text("李华", "Li Hua"), frozenset({"staff"}), "HR")
    )
    await stores.passwords.set("default", "lihua", PASSWORD)
    await runtime.access.changes.look()
    return await ask(runtime, "finance", REFUND, "thread-3")


async def sign_in(runtime: Runtime, password: str = PASSWORD) -> str:
    begun = await runtime.access.sign_in.with_password(
        Attempt("lihua", password, "web", "127.0.0.1")
    )
    return begun.session.user


async def seen(runtime: Runtime, ticket: str) -> Mapping[str, Any]:
    """What there is, as its owners see it."""
    finance = person(runtime, "finance")
    kept = await runtime.service.threads.load("thread-1", person(runtime, "customer"))
    async with runtime.database.read() as connection:
        intents = await connection.exec_driver_sql("SELECT tool, state FROM intents ORDER BY at")
        effects = [tuple(row) for row in intents]
    return {
        "threads": [t.id for t in await runtime.service.threads.list(finance)],
        "said": [m.message.content for m in kept],
        "tickets": [t.id for t in await runtime.service.pending(finance)],
        "state": (await runtime.service.ticket_state(finance, ticket))["state"],
        "effects": effects,
        "account": runtime.access.people.account("default", "lihua"),
        "content": [(r.kind, r.body) for r in await runtime.audit.rows()],
    }


def with_installation(chosen: Settings, work: Callable[[Runtime], Any]) -> Any:
    async def main() -> Any:
        async with running(chosen) as runtime:
            return await work(runtime)

    return asyncio.run(main())


def look(chosen: Settings, ticket: str) -> dict[str, Any]:
    return with_installation(chosen, lambda runtime: seen(runtime, ticket))


def back_up(chosen: Settings, file: Path, **more: Any) -> BackedUp:
    options = {"keys": None, "company_folder": False, "passphrase_file": None, **more}
    return asyncio.run(backing.make(chosen, BackupOptions(file, **options), _nobody, _silent))


def bring_back(chosen: Settings, file: Path, **more: Any) -> Restored:
    options = {
        "keys": None, "without_keys": False, "passphrase_file": None, "keys_passphrase_file": None,
        "company_folder": None, "replace": False, **more,
    }  # fmt: skip
    options_ = RestoreOptions(file, **options)
    return asyncio.run(backing.bring_back(chosen, options_, _nobody, _silent))[0]


def sound(chosen: Settings) -> tuple[bool, str]:
    return asyncio.run(check(chosen, "en", None, None))


def _nobody(twice: bool) -> str:
    raise AssertionError("asked")


def _silent(text: Text) -> None:
    assert text.zh and text.en
