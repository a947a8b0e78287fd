"""Who is who right now: accounts, and the company file's users beside them, from memory.

What is kept is as old as the last look at the version (see ``changes``), so answers cost no
database, and a change made by this process is seen at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from dazi.access.accounts import Account, Accounts
from dazi.access.changes import Changes
from dazi.access.users import Directory, expand
from dazi.core.company import DemoUser
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

FILE = "file"
"""The source of accounts that stand in the company's file; they are read-only here."""


class People:
    """Accounts by tenant and name. A user of the company's file keeps the name from others."""

    def __init__(
        self,
        directory: Directory,
        included: Mapping[str, frozenset[str]],
        accounts: Accounts,
        changes: Changes,
    ) -> None:
        self._included = included
        self._accounts = accounts
        self._changes = changes
        self._file = {u.user: _of_file(u) for u in directory.users}
        self._by_name: dict[tuple[str, str], Account] = {}
        self._seen = 0
        self._principals: dict[tuple[str, str, str], Principal] = {}
        changes.follow(self.learn)

    async def learn(self) -> None:
        """Read what has changed."""
        for version, account, gone in await self._accounts.since(self._seen):
            key = (account.tenant, account.user)
            if gone:
                self._by_name.pop(key, None)
            else:
                self._by_name[key] = account
            self._seen = version
        self._principals.clear()

    def account(self, tenant: str, user: str) -> Account | None:
        """From the company's file or the accounts; also one that is disabled."""
        held = self._file.get(user) if tenant == "default" else None
        return held or self._by_name.get((tenant, user))

    def of_tenant(self, tenant: str) -> list[Account]:
        """Everybody there, by name, those of the company's file first."""
        file: Iterable[Account] = self._file.values() if tenant == "default" else ()
        own = [a for (where, _), a in self._by_name.items() if where == tenant]
        return [*sorted(file, key=_name), *sorted(own, key=_name)]

    def principal(self, user: str, channel: str, tenant: str = "default") -> Principal:
        """Raises ``AccessError`` for nobody and for a disabled account, alike, and
        ``OperatorError`` where what is known here has become too old."""
        key = (tenant, user, channel)
        if user not in self._file or tenant != "default":
            self._changes.require_fresh()
        known = self._principals.get(key)
        if known is None:
            account = self.account(tenant, user)
            if account is None or account.disabled:
                raise AccessError("unknown_user", f"没有用户 {user}", f"there is no user {user}")
            known = self._principals[key] = principal_of(account, self._included, channel)
        return known

    def roles(self, tenant: str, user: str) -> frozenset[str]:
        """Roles with all that they include; none for nobody."""
        account = self.account(tenant, user)
        if account is None or account.disabled:
            return frozenset()
        return expand(account.roles, self._included)

    def expand(self, roles: Iterable[str]) -> frozenset[str]:
        return expand(roles, self._included)


def principal_of(
    account: Account, included: Mapping[str, frozenset[str]], channel: str
) -> Principal:
    attributes = dict(account.attributes)
    if account.department:
        attributes["department"] = account.department
    return Principal(
        account.user,
        expand(account.roles, included),
        MappingProxyType(attributes),
        account.tenant,
        channel,
    )


def _of_file(user: DemoUser) -> Account:
    attributes = MappingProxyType(dict(user.attributes))
    return Account(user.user, user.name, frozenset(user.roles), attributes=attributes, source=FILE)


def _name(account: Account) -> str:
    return account.user
