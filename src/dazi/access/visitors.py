"""Who visits a site: strangers, known by a token of ours alone, and those whom the site vouches for.

A visitor's token is sealed with the installation's key (AES-256-GCM), and opens on its own site only.
What the site said of somebody is kept as well, sealed for that person, so that what they asked for
can be decided, and answered by a person, after they have gone.
"""

from __future__ import annotations

import base64
import binascii
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

import msgspec
from sqlalchemy import (
    Column,
    ColumnElement,
    Float,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from dazi.access.sealing import Sealer
from dazi.access.sites import CHANNEL, GUEST, SIGNED, Site
from dazi.access.visitor_tokens import Vouched
from dazi.audit.private import Private
from dazi.core.errors import AccessError, OperatorError
from dazi.core.principal import Principal
from dazi.store.database import Database, metadata

PREFIX = "dzv_"
LONGEST_TOKEN = 16_384
KEPT = 20_000
"""Visitors that are known without a look at the database."""
NOTED_S = 3600.0
"""When somebody was here last is written down no more often than this."""
FRESH_S = 30.0
"""So long it is believed that no other process was told something else of them."""

site_visitors = Table(
    "site_visitors",
    metadata,
    Column("user", String(200), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("content", Text, nullable=False),
    Column("seen", Float, nullable=False, index=True),
)


class _Told(msgspec.Struct, frozen=True, array_like=True):
    """What is in a token, and of those who are vouched for in their row."""

    user: str
    name: str
    attributes: dict[str, str]
    until: float


@dataclass(frozen=True, slots=True)
class Visitor:
    """``name``: as the site calls them, empty for strangers. ``until``: seconds since the epoch."""

    principal: Principal
    site: Site
    name: str
    until: float

    @property
    def guest(self) -> bool:
        return self.principal.user.startswith(f"{GUEST}:")


@dataclass(frozen=True, slots=True)
class _Known:
    """``noted``: when it was written down, ``read``: when that was looked at."""

    name: str
    attributes: Mapping[str, str] = field(repr=False)
    noted: float
    read: float = 0.0


class VisitorRecords:
    """What sites said of visitors, sealed with each one's key."""

    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    async def find(self, user: str) -> _Known | None:
        query = select(site_visitors).where(site_visitors.c.user == user)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            return None
        found = self._private.open(_place(user), row["content"])
        if found.state != "open":
            return None
        name, attributes = found.content
        return _Known(name, attributes, row["seen"])

    async def put(self, user: str, name: str, attributes: Mapping[str, str], now: float) -> None:
        content = self._private.seal(user, _place(user), [name, dict(attributes)])
        values: dict[str, Any] = {"tenant": "default", "content": content, "seen": now}
        change = update(site_visitors).where(site_visitors.c.user == user).values(**values)
        async with self._database.write() as connection:
            if not (await connection.execute(change)).rowcount:
                await connection.execute(insert(site_visitors).values(user=user, **values))

    async def forget(self, user: str) -> int:
        """Delete what was kept of somebody who is erased; how many rows."""
        return await self._delete(site_visitors.c.user == user)

    async def prune(self, before: float) -> int:
        """Delete whoever was last here before then, in seconds since the epoch; how many."""
        return await self._delete(site_visitors.c.seen < before)

    async def _delete(self, which: ColumnElement[bool]) -> int:
        async with self._database.write() as connection:
            return (await connection.execute(delete(site_visitors).where(which))).rowcount


class Visitors:
    """``clock``: seconds since the epoch."""

    def __init__(
        self,
        sites: Mapping[str, Site],
        sealer: Sealer,
        records: VisitorRecords,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.sites = sites
        self.clock = clock
        self.records = records
        self._sealer = sealer
        self._known: OrderedDict[str, _Known] = OrderedDict()

    # --- coming in ------------------------------------------------------------------------------

    def welcome_guest(self, site: Site, token: str = "") -> Visitor:
        """A stranger: the one whose ``token`` still holds, else a new one. Raises ``AccessError`` where
        the site wants none."""
        if site.guests is None:
            raise AccessError(
                "unauthenticated",
                "请先在网站上登录,再使用对话",
                "sign in to the site first, then chat",
            )
        user = f"{GUEST}:{site.name}:{secrets.token_hex(12)}"
        try:
            known = self.by_token(site, token) if token else None
        except AccessError:
            known = None
        if known is not None and known.guest:
            user = known.principal.user
        told = _Told(user, "", {}, self.clock() + site.guest_s)
        return self._visitor(site, told)

    async def welcome(self, site: Site, vouched: Vouched) -> Visitor:
        """Somebody whom the site's server vouches for."""
        user = f"{SIGNED}:{site.name}:{vouched.subject}"
        told = _Told(user, vouched.name, dict(vouched.attributes), vouched.until)
        await self._keep(told)
        return self._visitor(site, told)

    def token(self, visitor: Visitor) -> str:
        p = visitor.principal
        told = _Told(p.user, visitor.name, dict(p.attributes), visitor.until)
        sealed = self._sealer.seal(msgspec.json.encode(told), _belongs(visitor.site))
        return PREFIX + base64.urlsafe_b64encode(sealed).decode().rstrip("=")

    def by_token(self, site: Site, token: str) -> Visitor:
        """Raises ``AccessError`` for one that is over, another site's, or none of ours."""
        if not token.startswith(PREFIX) or len(token) > LONGEST_TOKEN:
            raise _over()
        text = token.removeprefix(PREFIX)
        try:
            sealed = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
            told = msgspec.json.decode(self._sealer.open(sealed, _belongs(site)), type=_Told)
        except (binascii.Error, ValueError, OperatorError, msgspec.MsgspecError):
            raise _over() from None
        if told.until <= self.clock():
            raise _over()
        visitor = self._visitor(site, told)
        if visitor.guest and site.guests is None:
            raise _over()
        return visitor

    # --- somebody who is not here now -----------------------------------------------------------

    def site_of(self, user: str) -> Site | None:
        """The site that ``user`` is a visitor of; ``None`` for accounts, and for sites of the past."""
        kind, _, rest = user.partition(":")
        return self.sites.get(rest.partition(":")[0]) if kind in (SIGNED, GUEST) else None

    def served(self, user: str) -> bool | None:
        """May the visitors of that site be given to a person? ``None`` for accounts."""
        if not user.startswith((f"{SIGNED}:", f"{GUEST}:")):
            return None
        site = self.site_of(user)
        return site is not None and site.hand_over

    async def recall(self, user: str) -> None:
        """Bring to mind what ``principal`` is then to tell; nothing for accounts."""
        known, now = self._known.get(user), self.clock()
        if not user.startswith(f"{SIGNED}:") or (known and known.read > now - FRESH_S):
            return
        found = await self.records.find(user)
        if found is None:
            self._known.pop(user, None)
        else:
            self._remember(user, replace(found, read=now))

    def principal(self, user: str) -> Principal:
        """With the rights of this moment. Raises ``AccessError`` for nobody that is known."""
        site = self.site_of(user)
        known = self._known.get(user)
        guest = user.startswith(f"{GUEST}:")
        if site is None or (known is None and not guest) or (guest and site.guests is None):
            raise AccessError("unknown_user", f"没有用户 {user}", f"there is no user {user}")
        attributes = dict(known.attributes) if known is not None else {}
        return self._visitor(site, _Told(user, "", attributes, 0.0)).principal

    def name(self, user: str) -> str:
        """What the site calls them, as far as that is known here."""
        known = self._known.get(user)
        return known.name if known is not None else ""

    # --- inner ----------------------------------------------------------------------------------

    def _visitor(self, site: Site, told: _Told) -> Visitor:
        guest = told.user.startswith(f"{GUEST}:")
        roles = (site.guests or frozenset()) if guest else site.roles
        attributes = dict(site.guest_attributes) if guest else told.attributes
        principal = Principal(told.user, roles, MappingProxyType(attributes), channel=CHANNEL)
        return Visitor(principal, site, told.name, told.until)

    async def _keep(self, told: _Told) -> None:
        now = self.clock()
        await self.recall(told.user)
        known = self._known.get(told.user)
        same = known is not None and (known.name, dict(known.attributes)) == (
            told.name,
            told.attributes,
        )
        if known is not None and same and known.noted > now - NOTED_S:
            return
        await self.records.put(told.user, told.name, told.attributes, now)
        self._remember(told.user, _Known(told.name, told.attributes, now, now))

    def _remember(self, user: str, known: _Known) -> None:
        self._known[user] = known
        self._known.move_to_end(user)
        while len(self._known) > KEPT:
            self._known.popitem(last=False)


def _place(user: str) -> str:
    return f"site_visitors.content:{user}"


def _belongs(site: Site) -> str:
    return f"visitor:{site.name}"


def _over() -> AccessError:
    return AccessError(
        "unauthenticated",
        "对话已过期,请刷新页面重新开始",
        "this conversation has expired; reload the page to begin again",
    )
