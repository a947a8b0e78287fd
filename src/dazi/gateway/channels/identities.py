"""Who a vendor's person is here, and what the vendor calls one of ours."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from dazi.access.people import People
from dazi.core.errors import AccessError
from dazi.core.principal import Principal
from dazi.gateway.channels.bindings import Bindings
from dazi.gateway.channels.config import PeopleSection
from dazi.gateway.channels.protocol import Channel, Undelivered

TENANT = "default"
FRESH_S = 5.0
"""So long is kept which account has which attribute."""
PROFILE_S = 600.0

log = logging.getLogger("dazi.channels")


@dataclass(slots=True)
class Identities:
    """Of one channel. The table of the file comes first, then the attribute, then what people bound
    themselves; an attribute that two accounts share tells nothing."""

    channel: Channel
    section: PeopleSection
    people: People
    bindings: Bindings
    _by_attribute: dict[str, str] = field(default_factory=dict)
    _read_at: float = float("-inf")
    _told: dict[str, tuple[float, str]] = field(default_factory=dict)

    async def find(self, sender: str, *, ask: bool = False) -> Principal | None:
        """``ask``: ask the vendor too. ``None`` for nobody, and for a disabled account. Raises
        ``Undelivered`` and ``Uncertain`` where the vendor cannot be asked."""
        if user := await self.declared(sender, ask=ask):
            return self._principal(user, TENANT)
        bound = await self.bindings.user_of(self.channel.name, sender)
        return self._principal(bound[1], bound[0]) if bound is not None else None

    async def declared(self, sender: str, *, ask: bool = False) -> str:
        """Whom the file or an attribute says that this is, whatever they bound; empty for nobody. Raises
        as ``find``."""
        if (user := self.section.table.get(sender)) is not None:
            return user
        if not self.section.attribute:
            return ""
        value = sender
        if self.section.vendor_field != "userid":
            value = await self._profile(sender) if ask else self._told.get(sender, (0.0, ""))[1]
        return self._accounts().get(value, "") if value else ""

    async def asks_vendor(self, sender: str) -> bool:
        """Can only the vendor tell who this is?"""
        remote = bool(self.section.attribute) and self.section.vendor_field != "userid"
        return remote and await self.find(sender) is None

    async def name_of(self, tenant: str, user: str) -> str:
        """What the vendor calls one of ours; empty where that is not known."""
        if tenant == TENANT:
            for sender, ours in self.section.table.items():
                if ours == user:
                    return sender
            if self.section.attribute and self.section.vendor_field == "userid":
                account = self.people.account(tenant, user)
                value = account.attributes.get(self.section.attribute, "") if account else ""
                if value and self._accounts().get(value) == user:
                    return value
        name = await self.bindings.name_of(self.channel.name, tenant, user)
        # The file comes first: it may have become somebody else's since.
        return name if name and await self.declared(name) in ("", user) else ""

    def allowed(self, principal: Principal) -> bool:
        return not self.section.roles or principal.has_role(*self.section.roles)

    def _principal(self, user: str, tenant: str) -> Principal | None:
        try:
            return self.people.principal(user, self.channel.name, tenant)
        except AccessError:
            return None

    def _accounts(self) -> dict[str, str]:
        """Users by their attribute."""
        now = time.monotonic()
        if now - self._read_at > FRESH_S:
            name = self.section.attribute
            given = [
                (a.attributes[name], a.user)
                for a in self.people.of_tenant(TENANT)
                if a.attributes.get(name) and not a.disabled
            ]
            often = Counter(value for value, _ in given)
            shared = {value for value, count in often.items() if count > 1}
            if shared:
                log.warning("%d values of %s belong to several accounts", len(shared), name)
            self._by_attribute = {v: u for v, u in given if v not in shared}
            self._read_at = now
        return self._by_attribute

    async def _of_vendor(self, sender: str) -> Mapping[str, str]:
        """Nothing where the vendor will never tell."""
        try:
            return await self.channel.profile(sender)
        except Undelivered as e:
            if e.retry_after is not None:
                raise
            log.warning("%s does not tell who somebody is: %s", self.channel.name, e.code)
            return {}

    async def _profile(self, sender: str) -> str:
        now = time.monotonic()
        known = self._told.get(sender)
        if known is None or now - known[0] > PROFILE_S:
            if len(self._told) > 10_000:
                self._told.clear()
            found = await self._of_vendor(sender)
            known = self._told[sender] = (now, found.get(self.section.vendor_field, ""))
        return known[1]
