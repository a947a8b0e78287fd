"""Giving and taking roles: by a security administrator, and with a second person's word where the
role is an administrative one or where somebody else asks."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.access.administration import Authority
from dazi.access.duties import SEPARATED, check_separation, may, may_confirm
from dazi.access.recording import recorded, refuse
from dazi.access.role_requests import RoleChange, RoleRequest
from dazi.core.errors import AccessError, CallerError
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Outcome:
    """``request``: what now waits for another administrator; without one, it is done."""

    request: RoleRequest | None = None


class RoleAdministration:
    """``known``: the roles there are."""

    def __init__(self, authority: Authority, known: frozenset[str]) -> None:
        self._authority = authority
        self._stores = authority.stores
        self._record = authority.record
        self.known = known | SEPARATED

    async def change(
        self, by: Principal, user: str, roles: frozenset[str], *, give: bool
    ) -> Outcome:
        """Done at once by a security administrator for ordinary roles; else asked for. Raises
        ``AccessError``, ``CallerError`` and ``NotFound``."""
        change = RoleChange(by.tenant, user, roles, give)
        self._check(change)
        separated = not roles.isdisjoint(SEPARATED)
        if self._authority.setting_up(by) and give and roles <= self._authority.vacant(by.tenant):
            return await self._at_once(by, change, "setup")
        if may(by, "roles.change") and not separated:
            if by.user == user:
                await self._refuse(by, "not_oneself")
            return await self._at_once(by, change, "")
        if not may(by, "roles.change"):
            await self._authority.require(by, "roles.propose", "role.ask")
        async with recorded(self._record, by, "role.ask", **_said(change)):
            return Outcome(await self._stores.requests.ask(change, by.user))

    async def pending(self, by: Principal) -> list[RoleRequest]:
        await self._authority.require(by, "requests.read", "role.pending")
        return await self._stores.requests.pending(by.tenant)

    def may_confirm(self, by: Principal, request: RoleRequest) -> bool:
        """Whether ``by`` could be the second person."""
        return may_confirm(self._requester(request), by, request.change.user)

    async def decide(self, by: Principal, id: str, *, confirm: bool) -> RoleRequest:
        """A request is confirmed by somebody else than whoever asked and whoever it is about; one's
        own may be taken back. Raises ``AccessError``, ``CallerError`` and ``NotFound``."""
        request = await self._stores.requests.get(by.tenant, id)
        change = request.change
        act = "role.confirm" if confirm else "role.decline"
        setting_up = self._authority.setting_up(by) and change.roles <= self._authority.vacant(
            by.tenant
        )
        own = request.requester == by.user and not confirm
        if not own and not setting_up:
            await self._authority.require(by, "requests.read", act)
            if not may_confirm(self._requester(request), by, change.user):
                await self._refuse(by, "second_person")
        if confirm:
            self._check(change)
        async with recorded(self._record, by, act, request=id, **_said(change)):
            await self._stores.requests.settle(request, by.user, confirm=confirm)
            if confirm:
                await self._apply(change)
        return request

    async def _at_once(self, by: Principal, change: RoleChange, why: str) -> Outcome:
        more = {"why": why} if why else {}
        async with recorded(self._record, by, "role.change", **_said(change), **more):
            await self._apply(change)
        return Outcome()

    async def _apply(self, change: RoleChange) -> None:
        """Sessions end: rights belong to a sign-in, and a new one has a new token."""
        account = await self._stores.accounts.get(change.tenant, change.user)
        roles = account.roles | change.roles if change.give else account.roles - change.roles
        check_separation(self._stores.people.expand(roles))
        await self._stores.accounts.set_roles(change.tenant, change.user, roles)
        await self._stores.sessions.end_all(change.tenant, change.user)

    def _check(self, change: RoleChange) -> None:
        unknown = sorted(change.roles - self.known)
        if unknown or not change.roles:
            names = ", ".join(sorted(self.known))
            raise CallerError(
                "unknown_role",
                f"没有角色 {', '.join(unknown) or '(空)'};可用:{names}",
                f"no role {', '.join(unknown) or '(none)'}; there are: {names}",
            )
        everybody = Principal("", frozenset(), tenant=change.tenant)
        account = self._authority.own(everybody, change.user)
        if change.give:
            held = self._stores.people.expand(account.roles | change.roles)
            check_separation(held)
            if account.kind == "service" and not held.isdisjoint(SEPARATED):
                raise CallerError(
                    "service_role",
                    "服务账号不能担任管理员",
                    "a service account cannot be an administrator",
                )

    def _requester(self, request: RoleRequest) -> Principal:
        """With the roles they have now: nobody's word outlives their office."""
        tenant = request.change.tenant
        roles = self._stores.people.roles(tenant, request.requester)
        return Principal(request.requester, roles, tenant=tenant)

    async def _refuse(self, by: Principal, code: str) -> None:
        error = AccessError(
            code,
            "角色要由另一个有权的人来给或确认",
            "another administrator must give or confirm this role",
        )
        await refuse(self._record, by, "role.change", error)


def _said(change: RoleChange) -> dict[str, object]:
    return {"of": change.user, "roles": sorted(change.roles), "give": change.give}
