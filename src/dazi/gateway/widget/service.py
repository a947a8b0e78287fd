"""The company's sites as the gateway serves them: visitors, their limits, their conversations."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass, field

from dazi.access.limits.counters import Counters, ProcessCounters, Refusal, Want
from dazi.access.sites import Site
from dazi.access.visitor_tokens import vouched
from dazi.access.visitors import Visitor, Visitors
from dazi.agent.service import AssistantService
from dazi.apps.desk.desk import Desk
from dazi.core.errors import AccessError, DaziError, NotFound, OverloadError
from dazi.core.principal import Principal
from dazi.gateway.gate import Gate
from dazi.gateway.widget.talk import Talks

BEGINS_TIMES = 2
"""So many times as an address may send messages, it may begin: a page that is opened begins anew."""


@dataclass(slots=True)
class Widget:
    """``gate``: places for turns, once there is an application. ``desk``: where people help."""

    visitors: Visitors
    service: AssistantService
    longest: int
    """Characters of a message."""
    desk: Desk | None = None
    counters: Counters = field(default_factory=ProcessCounters)
    gate: Gate | None = None
    talks: Talks = field(default_factory=Talks)

    @property
    def sites(self) -> Mapping[str, Site]:
        return self.visitors.sites

    def site(self, name: str) -> Site:
        """Raises ``NotFound``."""
        found = self.sites.get(name)
        if found is None:
            raise NotFound("site", "没有这个网站", "no such site")
        return found

    async def begin(self, site: Site, address: str, token: str, known: str) -> Visitor:
        """Let somebody in: with the site's signed ``token``, or as a stranger, the same one as before
        if ``known`` is a token of ours that still holds. Raises ``AccessError`` and
        ``OverloadError``."""
        most = site.per_address * BEGINS_TIMES
        await self._take(Want("window", f"widget:{site.name}:begin:{address}:requests", most, 1))
        if token:
            return await self.visitors.welcome(site, vouched(token, site, self.visitors.clock()))
        return self.visitors.welcome_guest(site, known)

    async def admit(self, visitor: Visitor, address: str) -> None:
        """Before a message. Raises ``OverloadError`` with the time to come again."""
        site, user = visitor.site, visitor.principal.user
        await self._take(
            Want("window", f"widget:{site.name}:visitor:{user}:requests", site.per_visitor, 1),
            Want("window", f"widget:{site.name}:address:{address}:requests", site.per_address, 1),
        )

    async def _take(self, *wants: Want) -> None:
        found = await self.counters.take(secrets.token_hex(8), wants)
        if isinstance(found, Refusal):
            seconds = max(1, round(found.retry_after))
            raise OverloadError(
                "rate_requests",
                f"发得太快,请 {seconds} 秒后再试",
                f"that was too fast; try again in {seconds} seconds",
                found.retry_after,
            )

    def place(self, principal: Principal) -> AbstractAsyncContextManager[None]:
        return self.gate.place(principal.tenant) if self.gate is not None else nullcontext()

    async def thread(self, principal: Principal) -> str:
        """The visitor's conversation, empty where there is none yet."""
        talk = self.talks.find(principal, "")
        if talk is not None:
            return talk.thread
        found = await self.service.threads.list(principal, 1)
        return found[0].id if found else ""

    def helps(self, visitor: Visitor) -> Desk:
        """The desk, for visitors that may be given to a person. Raises ``NotFound``."""
        if self.desk is None or not visitor.site.hand_over:
            raise NotFound("hand_over", "这里没有人工服务", "there are no people to talk to here")
        return self.desk

    async def close(self) -> None:
        await self.talks.close()
        await self.counters.close()


def new_thread() -> str:
    return f"site_{secrets.token_urlsafe(12)}"


def foreign() -> DaziError:
    """For pages of an origin that the site does not name, and for callers that are no page."""
    return AccessError(
        "origin",
        "这个网页的来源没有在 dazi.toml 的 origins 里",
        "the origin of this page is not among the site's origins in dazi.toml",
    )
