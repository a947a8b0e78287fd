"""A throwaway installation under the rules in force, where mechanisms are tried without effect."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast

from dazi.access.accounts import Account
from dazi.access.control import Access, Installation
from dazi.access.password_rules import make_initial
from dazi.access.recording import Record
from dazi.access.sessions import Begun
from dazi.access.sign_in import Attempt
from dazi.access.users import Directory
from dazi.audit.ledger import Kind, Ledger, SqlSink
from dazi.audit.sealing import Sealing
from dazi.audit.signing import SigningKeys
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.ops.compliance.subject import Subject, rules_in_force
from dazi.store.database import Database

ADDRESS = "192.0.2.1"
"""Of nobody (RFC 5737)."""


@dataclass(slots=True)
class Clock:
    now: float

    def __call__(self) -> float:
        return self.now


@dataclass(frozen=True, slots=True)
class Trial:
    folder: Path
    database: Database
    ledger: Ledger
    sealing: Sealing
    keys: SigningKeys
    access: Access
    clock: Clock
    password: str = field(repr=False)
    """One that the rules accept."""

    async def person(self, user: str, *roles: str, password: str = "") -> Account:
        made = Account(user, Text(user, user), frozenset(roles))
        made = await self.access.stores.accounts.create(made)
        if password:
            await self.access.stores.passwords.set("default", user, password)
        return made

    async def sign_in(self, user: str, password: str) -> Begun:
        return await self.access.sign_in.with_password(Attempt(user, password, "probe", ADDRESS))

    async def administrator(self, role: str) -> Principal:
        """As one who is signed in."""
        await self.person(f"probe-{role}", role)
        return self.access.people.principal(f"probe-{role}", "cli")


@asynccontextmanager
async def trial(s: Subject, record: Record | None = None) -> AsyncIterator[Trial]:
    """``record``: instead of a ledger of its own."""
    with tempfile.TemporaryDirectory(prefix="dazi-compliance-") as name:
        folder = Path(name)
        database = Database.at(folder / "trial.sqlite")
        sealing = Sealing(folder / "audit")
        ledger = Ledger(SqlSink(database), sealing)

        async def into_ledger(kind: str, who: str, body: Mapping[str, Any]) -> None:
            await ledger.append(cast(Kind, kind), who, "", body)

        # The company's own users are not needed, and no address but loopback would take them.
        directory = Directory(replace(s.company, users=()), "127.0.0.1")
        installation = Installation(
            database, directory, s.company.roles, folder / "access.key", record or into_ledger
        )
        clock, rules = Clock(s.now), rules_in_force(s.access)
        pieces = rules.passwords.min_length // 16 + 1
        password = "".join(make_initial() for _ in range(pieces))
        try:
            await database.create()
            access = Access(installation, rules, clock)
            await access.open(watch=False)
            try:
                keys = SigningKeys(folder / "audit")
                yield Trial(folder, database, ledger, sealing, keys, access, clock, password)
            finally:
                await access.close()
        finally:
            await ledger.flush()
            sealing.close()
            await database.close()
