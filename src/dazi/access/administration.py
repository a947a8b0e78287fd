"""What administrators do with accounts: allowed by their duties, recorded, then done.

Everything is within the administrator's own tenant: whom another tenant has does not exist.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal

from dazi.access.accounts import LOCAL, Account, Accounts, Edit, check, unknown_user
from dazi.access.duties import SEPARATED, Action, check_separation, may, require
from dazi.access.keys import Keys
from dazi.access.lockout import Lockout, Subject
from dazi.access.passwords import Passwords
from dazi.access.people import FILE, People
from dazi.access.recording import Record, recorded, refuse
from dazi.access.role_requests import RoleChange, RoleRequest, RoleRequests
from dazi.access.sessions import Session, Sessions
from dazi.access.totp import SecondFactor
from dazi.core.errors import AccessError, CallerError
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Stores:
    accounts: Accounts
    people: People
    passwords: Passwords
    second_factor: SecondFactor
    sessions: Sessions
    keys: Keys
    requests: RoleRequests
    lockout: Lockout


@dataclass(frozen=True, slots=True)
class NewUser:
    """``password``: a one-time one, empty for a service. ``request``: of the roles that wait for a
    security administrator."""

    account: Account
    password: str = field(default="", repr=False)
    request: RoleRequest | None = None


@dataclass(frozen=True, slots=True)
class Locks:
    """When the pause after wrong passwords ends, and that after wrong codes: seconds since the
    epoch, 0 for none."""

    password: float
    code: float


SETTING_UP: frozenset[Action] = frozenset(
    {"accounts.read", "accounts.create", "passwords.reset", "roles.propose", "requests.read"}
)
"""What whoever runs the machine may do while there are no administrators who could."""


class Authority:
    """Who may administer. ``setup``: commands on the machine itself, which must make the first
    administrators: an administrative role that nobody has may be given, and nothing else."""

    def __init__(self, stores: Stores, record: Record, *, setup: bool = False) -> None:
        self.stores = stores
        self.record = record
        self.setup = setup

    async def require(self, by: Principal, action: Action, act: str) -> None:
        """Raises ``AccessError``, and records that."""
        if may(by, action) or (action in SETTING_UP and self.setting_up(by)):
            return
        try:
            require(by, action)
        except AccessError as e:
            await refuse(self.record, by, act, e)

    def setting_up(self, by: Principal) -> bool:
        return self.setup and not by.roles and bool(self.vacant(by.tenant))

    def vacant(self, tenant: str) -> frozenset[str]:
        """Administrative roles that nobody has who could act."""
        out = set(SEPARATED)
        for account in self.stores.people.of_tenant(tenant):
            if not account.disabled:
                out -= self.stores.people.expand(account.roles)
        return frozenset(out)

    def find(self, by: Principal, user: str) -> Account:
        """Raises ``NotFound`` for whoever is not in the administrator's tenant."""
        found = self.stores.people.account(by.tenant, user)
        if found is None:
            raise unknown_user(user)
        return found

    def own(self, by: Principal, user: str) -> Account:
        """As ``find``. Raises ``CallerError`` for a user of the company's file: read-only here."""
        found = self.find(by, user)
        if found.source == FILE:
            raise CallerError(
                "file_user",
                f"{user} 写在 dazi.toml 里,请在那里修改",
                f"{user} stands in dazi.toml; change it there",
            )
        return found


class Administration:
    """Acts on accounts. Roles and keys have modules of their own."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._stores = authority.stores
        self._record = authority.record

    async def users(self, by: Principal) -> list[Account]:
        await self._authority.require(by, "accounts.read", "user.list")
        return self._stores.people.of_tenant(by.tenant)

    async def show(self, by: Principal, user: str) -> Account:
        await self._authority.require(by, "accounts.read", "user.show")
        return self._authority.find(by, user)

    async def create(self, by: Principal, account: Account) -> NewUser:
        """The account has no roles yet: those of ``account`` are asked for, and a security
        administrator gives them. Raises ``AccessError`` and ``CallerError``."""
        await self._authority.require(by, "accounts.create", "user.create")
        wanted = replace(account, tenant=by.tenant, source=LOCAL, subject="", disabled=False)
        check(wanted)
        check_separation(self._stores.people.expand(wanted.roles))
        if self._stores.people.account(by.tenant, wanted.user) is not None:
            raise CallerError(
                "user_taken",
                f"用户名 {wanted.user} 已经有人用",
                f"the user name {wanted.user} is taken",
            )
        body = {"of": wanted.user, "roles": sorted(wanted.roles), "kind": wanted.kind}
        async with recorded(self._record, by, "user.create", **body):
            made = await self._stores.accounts.create(replace(wanted, roles=frozenset()))
            password = ""
            if made.kind == "person":
                password = await self._stores.passwords.make_initial(by.tenant, made.user)
            request = None
            if wanted.roles:
                change = RoleChange(by.tenant, made.user, wanted.roles, give=True)
                request = await self._stores.requests.ask(change, by.user)
        return NewUser(made, password, request)

    async def edit(self, by: Principal, user: str, edit: Edit) -> Account:
        await self._authority.require(by, "accounts.change", "user.edit")
        self._authority.own(by, user)
        async with recorded(self._record, by, "user.edit", of=user, fields=_named(edit)):
            return await self._stores.accounts.edit(by.tenant, user, edit)

    async def disable(self, by: Principal, user: str) -> None:
        """Sessions end with it, and keys stop to work while it lasts."""
        await self._authority.require(by, "accounts.disable", "user.disable")
        self._not_oneself(by, user)
        self._authority.own(by, user)
        async with recorded(self._record, by, "user.disable", of=user):
            await self._stores.accounts.set_disabled(by.tenant, user, True)
            await self._stores.sessions.end_all(by.tenant, user)

    async def enable(self, by: Principal, user: str) -> None:
        await self._authority.require(by, "accounts.disable", "user.enable")
        self._not_oneself(by, user)
        self._authority.own(by, user)
        async with recorded(self._record, by, "user.enable", of=user):
            await self._stores.accounts.set_disabled(by.tenant, user, False)

    async def delete(self, by: Principal, user: str) -> None:
        """The rights go first, so that what is left if this breaks off is of no use."""
        await self._authority.require(by, "accounts.delete", "user.delete")
        self._not_oneself(by, user)
        self._authority.own(by, user)
        stores, tenant = self._stores, by.tenant
        async with recorded(self._record, by, "user.delete", of=user):
            await stores.accounts.delete(tenant, user)
            await stores.sessions.end_all(tenant, user)
            await stores.keys.revoke_all(tenant, user, by.user)
            await stores.passwords.forget(tenant, user)
            await stores.second_factor.forget(tenant, user)

    async def reset_password(self, by: Principal, user: str) -> str:
        """A one-time password; the old one and all sessions end."""
        await self._authority.require(by, "passwords.reset", "user.password")
        account = self._authority.own(by, user)
        if account.kind == "service" or account.source != LOCAL:
            raise CallerError(
                "no_password",
                f"{user} 不用密码登录({account.kind}, {account.source})",
                f"{user} does not sign in with a password ({account.kind}, {account.source})",
            )
        if self._authority.setting_up(by) and not may(by, "passwords.reset"):
            self._only_administrators(by, account)
        async with recorded(self._record, by, "user.password", of=user):
            made = await self._stores.passwords.make_initial(by.tenant, user)
            await self._stores.sessions.end_all(by.tenant, user)
            await self._stores.lockout.unlock(Subject("account", f"{by.tenant}/{user}"))
        return made

    async def reset_second_factor(self, by: Principal, user: str) -> None:
        await self._authority.require(by, "second_factor.reset", "user.second_factor")
        self._not_oneself(by, user)
        self._authority.own(by, user)
        async with recorded(self._record, by, "user.second_factor", of=user):
            await self._stores.second_factor.forget(by.tenant, user)
            await self._stores.sessions.end_all(by.tenant, user)

    async def locked(self, by: Principal, user: str) -> Locks:
        """Whether guessing has brought a pause upon them. Raises ``AccessError``."""
        await self._authority.require(by, "accounts.read", "user.show")
        self._authority.find(by, user)
        lockout, name = self._stores.lockout, f"{by.tenant}/{user}"
        return Locks(
            await lockout.until(Subject("account", name)),
            await lockout.until(Subject("code", name)),
        )

    async def unlock(self, by: Principal, user: str) -> None:
        """Whoever resets passwords ends the pause of the password, whoever resets second factors
        that of the code; each recorded, for it lets guessing go on."""
        kinds: list[Literal["account", "code"]] = []
        if may(by, "passwords.reset"):
            kinds.append("account")
        if may(by, "second_factor.reset"):
            kinds.append("code")
        if not kinds:
            await self._authority.require(by, "passwords.reset", "user.unlock")
            kinds.append("account")
        self._not_oneself(by, user)
        self._authority.own(by, user)
        async with recorded(self._record, by, "user.unlock", of=user, locks=kinds):
            for kind in kinds:
                await self._stores.lockout.unlock(Subject(kind, f"{by.tenant}/{user}"))

    async def second_factor(self, by: Principal, user: str) -> bool:
        """Whether they have one. One's own without any duty."""
        if user != by.user:
            await self._authority.require(by, "accounts.read", "user.show")
            self._authority.find(by, user)
        return await self._stores.second_factor.enrolled(by.tenant, user)

    async def sessions(self, by: Principal, user: str) -> list[Session]:
        """One's own without any duty."""
        if user != by.user:
            await self._authority.require(by, "sessions.end", "session.list")
            self._authority.find(by, user)
        return await self._stores.sessions.of_user(by.tenant, user)

    async def end_sessions(self, by: Principal, user: str, id: str = "") -> int:
        """One, or all of them; how many there were. One's own without any duty."""
        if user != by.user:
            await self._authority.require(by, "sessions.end", "session.end")
            self._authority.find(by, user)
        async with recorded(self._record, by, "session.end", of=user, session=id):
            if id:
                return int(await self._stores.sessions.end(by.tenant, user, id))
            return await self._stores.sessions.end_all(by.tenant, user)

    def _not_oneself(self, by: Principal, user: str) -> None:
        if by.user == user:
            raise AccessError(
                "not_oneself", "不能对自己的账号这样做", "this cannot be done to one's own account"
            )

    def _only_administrators(self, by: Principal, account: Account) -> None:
        """Setting up reaches those who are to administer, and nobody else's account."""
        if account.roles and not account.roles <= SEPARATED:
            raise AccessError(
                "duty",
                "请由系统管理员重置这个密码(--as)",
                "a system administrator resets this password (--as)",
            )


def _named(edit: Edit) -> list[str]:
    return [n for n in Edit.__dataclass_fields__ if getattr(edit, n) is not None]
