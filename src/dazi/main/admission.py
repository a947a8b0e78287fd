"""Who gets in, how much they may use, and the record of who changed that."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from dazi.access.control import Access, Installation
from dazi.access.limits.counters import Counters, ProcessCounters
from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import prices_of, rules_of
from dazi.access.limits.shared import SharedCounters
from dazi.access.limits.totals import DatabaseTotals
from dazi.access.recording import Record
from dazi.access.users import Directory
from dazi.audit.ledger import Kind, Ledger
from dazi.core.company import Company
from dazi.main.access_settings import access_settings
from dazi.main.settings import Settings
from dazi.store.database import Database


def recorder(ledger: Ledger) -> Record:
    """What administration writes its record with."""

    async def record(kind: str, who: str, body: Mapping[str, Any]) -> None:
        await ledger.append(cast(Kind, kind), who, "", body)

    return record


def make_access(
    company: Company, database: Database, ledger: Ledger, directory: Directory, data: Path
) -> Access:
    """Accounts and keys, beside the users of the company's file."""
    given, ldap = access_settings(company), None
    if given.ldap is not None:
        from dazi.access.ldap import Ldap

        ldap = Ldap(given.ldap)
    installation = Installation(
        database, directory, company.roles, data / "access.key", recorder(ledger), ldap, given.oidc
    )
    return Access(installation, given.rules)


async def make_limiter(settings: Settings, company: Company, database: Database) -> Limiter:
    """The company's limits, counted here or, with ``redis``, for all processes together."""
    rules = rules_of(company.settings, company.folder)
    prices = prices_of(company.settings, company.folder)
    shared = settings if rules else settings.model_copy(update={"redis": ""})
    return Limiter(rules, prices, await make_counters(shared, database))


async def make_counters(settings: Settings, database: Database) -> Counters:
    if settings.redis:
        return SharedCounters(settings.redis)
    counters = ProcessCounters(totals=DatabaseTotals(database))
    await counters.open()
    return counters
