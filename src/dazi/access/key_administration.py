"""Making and revoking API keys: people's own, and service accounts' by a security administrator."""

from __future__ import annotations

from dataclasses import replace

from dazi.access.administration import Authority
from dazi.access.duties import SEPARATED, may
from dazi.access.keys import ApiKey, Draft, Made
from dazi.access.recording import recorded
from dazi.core.errors import AccessError, NotFound
from dazi.core.principal import Principal


class KeyAdministration:
    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._stores = authority.stores
        self._record = authority.record

    async def create(self, by: Principal, draft: Draft) -> Made:
        """Nobody makes a key that speaks for another person. Its roles are some of its owner's, and
        none of the administrative ones: a key has no second factor. Raises ``AccessError``,
        ``CallerError`` and ``NotFound``."""
        owner = self._authority.find(by, draft.user)
        if by.user != draft.user:
            await self._authority.require(by, "keys.create", "key.create")
            if owner.kind != "service":
                raise _refused(
                    "key_owner",
                    "不能替别人做密钥;只能给自己或服务账号做",
                    "a key is made for oneself or for a service account, not for somebody else",
                )
        held = self._stores.people.roles(by.tenant, draft.user)
        if by.user == draft.user:
            held &= by.roles  # who came by a narrow key makes no wider one
        asked = self._stores.people.expand(draft.scope.roles)
        if not asked or not asked <= held or not asked.isdisjoint(SEPARATED):
            raise _refused(
                "key_roles",
                "密钥的角色只能是本人角色的一部分,不能有管理员角色",
                "a key's roles are some of its owner's, and none of the administrative ones",
            )
        self._stores.keys.check(draft)
        body = {"of": draft.user, "name": draft.name, "roles": sorted(draft.scope.roles)}
        async with recorded(self._record, by, "key.create", **body):
            return await self._stores.keys.create(replace(draft, tenant=by.tenant), by.user)

    def possible_roles(self, by: Principal, user: str) -> frozenset[str]:
        """The most that a key of ``user`` may have. Raises ``NotFound``."""
        self._authority.find(by, user)
        return self._stores.people.roles(by.tenant, user) - SEPARATED

    async def keys(self, by: Principal, user: str | None = None) -> list[ApiKey]:
        """One's own without any duty; all of the tenant's where ``user`` is ``None``."""
        if user != by.user:
            await self._authority.require(by, "keys.read", "key.list")
            if user is not None:
                self._authority.find(by, user)
        return await self._stores.keys.of_tenant(by.tenant, user)

    async def revoke(self, by: Principal, id: str) -> None:
        """One's own without any duty; others' do not exist for whoever has none."""
        key = await self._stores.keys.get(by.tenant, id)
        if key.user != by.user and not may(by, "keys.revoke"):
            raise NotFound("key", "没有这个密钥", "no such key")
        async with recorded(self._record, by, "key.revoke", of=key.user, key=id):
            await self._stores.keys.revoke(by.tenant, id, by.user)


def _refused(code: str, zh: str, en: str) -> AccessError:
    return AccessError(code, zh, en)
