"""Whose key is this, and what may it do now? Answered from memory on every request.

All keys that stand are held here, so a key that nobody has costs a look into a dict and no memory:
there is nothing for a flood of them to fill. What is held is brought up to date by ``changes``.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from hmac import compare_digest

from dazi.access.changes import Changes
from dazi.access.duties import SEPARATED
from dazi.access.keys import PREFIX, ApiKey, Keys, digest_of
from dazi.access.people import People
from dazi.core.errors import AccessError
from dazi.core.principal import Principal
from dazi.net import embedded

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Grant:
    """Who a key speaks for, and how it is narrowed. ``tools`` and ``models``: only these, all of
    the principal's where there are none. ``until``: seconds since the epoch."""

    principal: Principal
    key: str
    until: float
    tools: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()

    def allows_tool(self, name: str) -> bool:
        return not self.tools or name in self.tools

    def allows_model(self, name: str) -> bool:
        return not self.models or name in self.models


@dataclass(frozen=True, slots=True)
class _Held:
    key: ApiKey
    networks: tuple[Network, ...]


class Keyring:
    """``clock``: seconds since the epoch."""

    def __init__(
        self,
        keys: Keys,
        people: People,
        changes: Changes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._keys = keys
        self._people = people
        self._changes = changes
        self._clock = clock
        self._held: dict[str, _Held] = {}
        self._grants: dict[tuple[str, str], Grant | None] = {}
        self._used: dict[str, float] = {}
        self._seen = 0
        changes.follow(self.learn)  # after ``people``, whose answers are asked for here

    async def learn(self) -> None:
        """Read what has changed."""
        for version, key in await self._keys.since(self._seen):
            if key.revoked_at is not None:
                self._held.pop(key.id, None)
            else:
                ranges = tuple(ipaddress.ip_network(n) for n in key.scope.networks)
                self._held[key.id] = _Held(key, ranges)
            self._seen = version
        self._grants.clear()

    def grant(self, text: str, channel: str, address: str = "") -> Grant | None:
        """``None`` for a key that is unknown, expired, revoked, not for this channel or address, or
        of nobody with any right left. Raises ``OperatorError`` where what is held is too old."""
        parts = text.split("_", 2)
        if len(parts) != 3 or parts[0] != PREFIX:
            return None
        self._changes.require_fresh()
        held = self._held.get(parts[1])
        if held is None or not compare_digest(digest_of(parts[2]), held.key.digest):
            return None
        now = self._clock()
        if now >= held.key.expires or (held.networks and not _within(address, held.networks)):
            return None
        cached = (held.key.id, channel)
        if cached not in self._grants:
            self._grants[cached] = self._made(held.key, channel)
        found = self._grants[cached]
        if found is not None:
            self._used[held.key.id] = now
        return found

    def principal(self, text: str, channel: str, address: str = "") -> Principal | None:
        """As ``grant``, for those who cannot heed a key's tools and models: ``None`` for a key that
        is narrowed to some, for the narrowing would be lost."""
        found = self.grant(text, channel, address)
        if found is None or found.tools or found.models:
            return None
        return found.principal

    def stands(self, id: str) -> bool:
        held = self._held.get(id)
        return held is not None and self._clock() < held.key.expires

    async def note_uses(self) -> None:
        """Write down which keys have been used since the last time."""
        used, self._used = self._used, {}
        await self._keys.used(used)

    def _made(self, key: ApiKey, channel: str) -> Grant | None:
        if key.scope.channels and channel not in key.scope.channels:
            return None
        try:
            owner = self._people.principal(key.user, channel, key.tenant)
        except AccessError:
            return None
        roles = (self._people.expand(key.scope.roles) & owner.roles) - SEPARATED
        if not roles:
            return None
        principal = replace(owner, roles=roles)
        return Grant(principal, key.id, key.expires, key.scope.tools, key.scope.models)


def _within(address: str, networks: tuple[Network, ...]) -> bool:
    try:
        given = embedded(ipaddress.ip_address(address.partition("%")[0]))
    except ValueError:
        return False
    return any(given in network for network in networks)
