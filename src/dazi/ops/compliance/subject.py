"""What is looked at: the parts of an installation, opened and handed in by ``main``."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import select

from dazi.access.accounts import Account, accounts
from dazi.access.cedar import CedarPolicy
from dazi.access.control import Access, AccessRules
from dazi.access.keys import ApiKey
from dazi.audit.ledger import Ledger
from dazi.audit.sealing import Sealing
from dazi.audit.search import Found, Query, search
from dazi.audit.signing import SigningKeys
from dazi.core.company import Company
from dazi.core.language import Language
from dazi.guard.engine import Guard
from dazi.store.database import Database

DAY_S = 86_400.0
RECENT = 500
"""Of the ledger, so many of the latest records are opened and looked at one by one."""


@dataclass(frozen=True, slots=True)
class Books:
    """The ledger. ``mode``: ``durable``, ``synced`` or ``memory``, as it is set for the service."""

    database: Database
    ledger: Ledger
    sealing: Sealing
    keys: SigningKeys
    mode: str
    retention_days: int
    thread_days: int


@dataclass(frozen=True, slots=True)
class Serving:
    """How the service is reached, and what bounds it. ``systems``: URLs, without credentials, of
    what it leans on itself: a model's server, a database, counters."""

    host: str
    tls_cert: Path | None = None
    tls_key: Path | None = None
    systems: tuple[str, ...] = ()
    bounds: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LabelledAnswer:
    """A generated answer as it left by one way: header names in lower case, and the ``dazi``
    objects of its body."""

    way: str
    headers: Mapping[str, str]
    metadata: tuple[Mapping[str, Any], ...]


@dataclass(frozen=True, slots=True)
class SeenLabels:
    """``page``: the texts that the page shows around a generated answer."""

    answers: tuple[LabelledAnswer, ...]
    page: Mapping[Language, tuple[str, ...]]


LabelProbe = Callable[[], Awaitable[SeenLabels]]
"""Lets a sentence through the real response paths, and tells how it came out."""


@dataclass(frozen=True, slots=True)
class Subject:
    """``access`` is open. ``period_days``: how far back the ledger is looked at. ``now`` in seconds
    since the epoch."""

    company: Company
    policy: CedarPolicy
    guard: Guard
    access: Access
    books: Books
    serving: Serving
    data: Path
    backups: tuple[Path, ...]
    labels: LabelProbe
    now: float
    period_days: float = 90.0

    @property
    def since(self) -> float:
        return self.now - self.period_days * DAY_S


def rules_in_force(access: Access) -> AccessRules:
    """As the opened parts have them, however they were configured."""
    stores = access.stores
    return AccessRules(
        stores.passwords.rules,
        stores.lockout.rules,
        access.sessions.rules,
        access.sign_in.rules,
        stores.keys.longest_days,
        access.changes.poll_s,
    )


async def tenants(s: Subject) -> list[str]:
    async with s.books.database.read() as connection:
        found = await connection.scalars(select(accounts.c.tenant).distinct())
        return sorted({"default", *found})


async def everybody(s: Subject) -> list[Account]:
    """Every account, and the users of the company's file, disabled ones among them."""
    return [a for tenant in await tenants(s) for a in s.access.people.of_tenant(tenant)]


async def every_key(s: Subject) -> list[ApiKey]:
    keys = s.access.stores.keys
    return [k for tenant in await tenants(s) for k in await keys.of_tenant(tenant)]


async def recent(s: Subject, kind: str = "") -> list[Found]:
    """The latest records of the period, opened, oldest first."""
    query = Query(kind=kind, since=s.since)
    return await search(s.books.database, s.books.sealing, query, RECENT)
