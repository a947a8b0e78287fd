"""An office with three administrators and some people, on either database, with a clock to turn."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from argon2 import Parameters, Type

from dazi.access.accounts import Account, Accounts
from dazi.access.changes import Changes
from dazi.access.control import Access, AccessRules, Installation
from dazi.access.users import Directory
from dazi.core.company import Company, DemoUser
from dazi.core.errors import OperatorError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.database import Database
from tests.access.conftest import company
from tests.databases import Templates, nothing

CHEAP = Parameters(Type.ID, 19, 16, 32, time_cost=1, memory_cost=8, parallelism=1)
START = 1_760_000_000.0
GOOD = "Kx7-mauerwerk"


@dataclass
class Clock:
    now: float = START

    def __call__(self) -> float:
        return self.now


@dataclass
class Book:
    """A ledger that tests read, and that may be down."""

    rows: list[tuple[str, str, dict[str, Any]]] = field(default_factory=list)
    down: bool = False

    async def record(self, kind: str, user: str, body: Mapping[str, Any]) -> None:
        if self.down:
            raise OperatorError("audit", "账本不可用", "the ledger is down")
        self.rows.append((kind, user, dict(body)))

    def acts(self) -> list[str]:
        return [b["act"] for _, _, b in self.rows if "act" in b and "refused" not in b]


def account(user: str, *roles: str, **more: Any) -> Account:
    return Account(user, Text(user, user), frozenset(roles), **{"department": "", **more})


@dataclass
class Office:
    access: Access
    clock: Clock
    book: Book
    database: Database
    folder: Path

    def as_user(self, user: str, tenant: str = "default") -> Principal:
        return self.access.people.principal(user, "api", tenant)

    @property
    def sys(self) -> Principal:
        return self.as_user("sysop")

    @property
    def sec(self) -> Principal:
        return self.as_user("secop")

    async def add(self, user: str, *roles: str, **more: Any) -> Account:
        return await self.access.stores.accounts.create(account(user, *roles, **more))

    async def other_process(self, **more: Any) -> Access:
        """The same installation, as another process has it."""
        return await opened(self.database, self.folder, self.book, self.clock, **more)


def directory(*users: DemoUser) -> Directory:
    made = company()
    return Directory(
        Company(
            made.folder, made.name, made.tools, made.connectors, made.roles, made.role_names,
            {"demo": True}, users,
        ),
        "127.0.0.1",
    )  # fmt: skip


DEMO = DemoUser("demo", "demo", ("staff",), Text("演示", "demo"), {"employee_id": "E1"})


async def opened(
    database: Database, folder: Path, book: Book, clock: Clock, **rules: Any
) -> Access:
    installation = Installation(
        Database(database.url), directory(DEMO), company().roles, folder / "access.key", book.record
    )
    access = Access(installation, AccessRules(**rules), clock)
    access.changes._clock = lambda: 0.0  # what is read stays fresh: see test_changes
    await access.open(watch=False)
    return access


@pytest.fixture(autouse=True)
def cheap(monkeypatch: pytest.MonkeyPatch) -> None:
    """Argon2 with parameters that cost nothing; test_passwords looks at the real ones."""
    monkeypatch.setattr("dazi.access.passwords.RFC_9106_LOW_MEMORY", CHEAP)


@pytest.fixture(params=["sqlite", "postgresql"])
async def database(
    request: pytest.FixtureRequest, templates: Templates, tmp_path: Path
) -> AsyncIterator[Database]:
    """Empty, or with those who work in the office if there is to be one."""
    name, fill = ("office", staffed) if "office" in request.fixturenames else ("empty", nothing)
    made = Database(await templates.copied(request.param, name, fill, tmp_path))
    yield made
    await made.close()


async def staffed(database: Database) -> None:
    accounts = Accounts(Changes(database), Clock())
    for user, role, more in (
        ("sysop", "sysadmin", {}),
        ("secop", "secadmin", {}),
        ("auditor", "auditadmin", {}),
        ("li", "staff", {"department": "sales"}),
        ("wang", "manager", {}),
        ("there", "staff", {"tenant": "other"}),
        ("thereadmin", "sysadmin", {"tenant": "other"}),
    ):
        await accounts.create(account(user, role, **more))


@pytest.fixture
async def office(database: Database, tmp_path: Path) -> AsyncIterator[Office]:
    clock, book = Clock(), Book()
    access = await opened(database, tmp_path, book, clock)
    yield Office(access, clock, book, database, tmp_path)
    await access.close()
    await access.changes.database.close()
