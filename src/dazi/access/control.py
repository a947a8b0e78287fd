"""Everything of this room, put together once for a process."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dazi.access.accounts import Accounts
from dazi.access.administration import Administration, Authority, Stores
from dazi.access.changes import POLL_S, Changes
from dazi.access.key_administration import KeyAdministration
from dazi.access.keyring import Keyring
from dazi.access.keys import Keys
from dazi.access.lockout import Lockout, LockoutRules
from dazi.access.oidc import Oidc
from dazi.access.password_rules import PasswordRules
from dazi.access.passwords import Passwords
from dazi.access.people import People
from dazi.access.provider import ProviderClient, ProviderConfig
from dazi.access.recording import Record
from dazi.access.role_requests import RoleRequests
from dazi.access.roles import RoleAdministration
from dazi.access.sealing import Sealer
from dazi.access.sessions import SessionRules, Sessions
from dazi.access.sign_in import SignIn, SignInRules
from dazi.access.totp import SecondFactor
from dazi.access.users import Directory
from dazi.access.watch import Watch
from dazi.store.database import Database

if TYPE_CHECKING:
    from dazi.access.ldap import Ldap

NOTE_USES_S = 60.0
log = logging.getLogger("dazi.access")


@dataclass(frozen=True, slots=True)
class AccessRules:
    """Every number of this room. ``setup``: see ``Authority``."""

    passwords: PasswordRules = field(default_factory=PasswordRules)
    lockout: LockoutRules = field(default_factory=LockoutRules)
    sessions: SessionRules = field(default_factory=SessionRules)
    sign_in: SignInRules = field(default_factory=SignInRules)
    key_days: float = 365.0
    poll_s: float = POLL_S
    setup: bool = False


@dataclass(frozen=True, slots=True)
class Installation:
    """What this room stands on. ``included``: the company's roles with all that each includes.
    ``sealing_key``: the file of the key that second factors are kept under."""

    database: Database
    directory: Directory
    included: Mapping[str, frozenset[str]]
    sealing_key: Path
    record: Record
    ldap: Ldap | None = None
    oidc: Sequence[ProviderConfig] = ()


class Access:
    """``clock``: seconds since the epoch."""

    def __init__(
        self,
        installation: Installation,
        rules: AccessRules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        rules = rules or AccessRules()
        database, record = installation.database, installation.record
        self.changes = Changes(database, rules.poll_s)
        accounts = Accounts(self.changes, clock)
        # Followers learn in the order in which they are made: who asks comes after who answers.
        self.people = People(installation.directory, installation.included, accounts, self.changes)
        keys = Keys(self.changes, rules.key_days, clock)
        self.keyring = Keyring(keys, self.people, self.changes, clock)
        self.sessions = Sessions(self.changes, rules.sessions, clock)
        self.watch = Watch(self.changes, self.people, self.keyring, self.sessions, clock)
        self.stores = Stores(
            accounts,
            self.people,
            Passwords(database, rules.passwords, clock),
            SecondFactor(database, Sealer.at(installation.sealing_key), clock),
            self.sessions,
            keys,
            RoleRequests(database, clock),
            Lockout(database, rules.lockout, clock),
        )
        self.authority = Authority(self.stores, record, setup=rules.setup)
        self.administration = Administration(self.authority)
        self.roles = RoleAdministration(self.authority, frozenset(installation.included))
        self.keys = KeyAdministration(self.authority)
        self.sign_in = SignIn(
            self.stores, installation.directory, rules.sign_in, record, installation.ldap
        )
        self.oidc = Oidc(database, map(ProviderClient, installation.oidc), clock)
        self.rules = rules
        self._ldap = installation.ldap
        self._running: list[asyncio.Task[None]] = []

    async def open(self, *, watch: bool = True) -> None:
        """Read who there is; with ``watch``, learn from now on of what other processes change."""
        await self.changes.look()
        if watch:
            await self.stores.passwords.prepare()
            self._running = [
                asyncio.create_task(self.changes.run()),
                asyncio.create_task(self._note_uses()),
            ]

    async def close(self) -> None:
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        with suppress(Exception):  # when a key was used last is worth no failed shutdown
            await self.keyring.note_uses()
        self.stores.passwords.close()
        if self._ldap is not None:
            self._ldap.close()

    async def _note_uses(self) -> None:
        while True:
            await asyncio.sleep(NOTE_USES_S)
            try:
                await self.keyring.note_uses()
            except Exception:
                log.exception("the last uses of keys could not be written")
