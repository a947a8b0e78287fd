"""Who a vendor's person is here: bindings, codes that make them, and each person's thread."""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.private import Private
from dazi.core.principal import Principal
from dazi.gateway.channels.inbox import person_of
from dazi.gateway.channels.tables import bindings, codes, conversations
from dazi.store.database import Database

CODE_S = 600.0
_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without what is easily taken for something else."""
CODE_CHARS = 8
"""40 bits: with the number of tries that a person has, guessing is hopeless in ten minutes."""


@dataclass(frozen=True, slots=True)
class Binding:
    """``name``: what the vendor calls the person; empty where it cannot be read."""

    channel: str
    tenant: str
    user: str
    name: str
    at: float


class Bindings:
    """``clock``: seconds since the epoch."""

    def __init__(
        self, database: Database, private: Private, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._private = private
        self._clock = clock

    async def user_of(self, channel: str, sender: str) -> tuple[str, str] | None:
        """Tenant and user."""
        b = bindings.c
        query = select(b.tenant, b.user).where(
            b.channel == channel, b.person == person_of(channel, sender)
        )
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return (row.tenant, row.user) if row is not None else None

    async def bind(self, channel: str, sender: str, tenant: str, user: str) -> None:
        """In place of what either of them was bound to in this channel."""
        async with self._database.write() as connection:
            await self._put(connection, channel, sender, (tenant, user))

    async def _put(
        self, connection: AsyncConnection, channel: str, sender: str, owner: tuple[str, str]
    ) -> None:
        tenant, user = owner
        b, person = bindings.c, person_of(channel, sender)
        row = {
            "channel": channel,
            "person": person,
            "tenant": tenant,
            "user": user,
            "name": self._private.seal(user, f"channel_bindings.name:{channel}/{person}", sender),
            "at": self._clock(),
        }
        of_user = (b.tenant == tenant) & (b.user == user)
        await connection.execute(
            delete(bindings).where(b.channel == channel, (b.person == person) | of_user)
        )
        await connection.execute(insert(bindings).values(row))

    async def unbind(self, tenant: str, user: str, channel: str | None = None) -> int:
        """How many there were."""
        b = bindings.c
        query = delete(bindings).where(b.tenant == tenant, b.user == user)
        if channel is not None:
            query = query.where(b.channel == channel)
        async with self._database.write() as connection:
            return (await connection.execute(query)).rowcount

    async def list(self, tenant: str, user: str | None = None) -> list[Binding]:
        b = bindings.c
        query = select(bindings).where(b.tenant == tenant).order_by(b.channel, b.user)
        if user is not None:
            query = query.where(b.user == user)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        out = []
        for row in rows:
            place = f"channel_bindings.name:{row['channel']}/{row['person']}"
            opened = self._private.open(place, row["name"])
            name = opened.content if opened.state == "open" else ""
            out.append(Binding(row["channel"], row["tenant"], row["user"], name, row["at"]))
        return out

    async def name_of(self, channel: str, tenant: str, user: str) -> str:
        """What the vendor calls somebody who is bound; empty for nobody."""
        found = [b for b in await self.list(tenant, user) if b.channel == channel]
        return found[0].name if found else ""

    async def code(self, principal: Principal) -> str:
        """A code by which whoever sends it next becomes ``principal`` in a channel: once, within
        ten minutes."""
        made = "".join(secrets.choice(_LETTERS) for _ in range(CODE_CHARS))
        now = self._clock()
        async with self._database.write() as connection:
            await connection.execute(delete(codes).where(codes.c.expires < now))
            await connection.execute(
                insert(codes).values(
                    hash=_hash(made),
                    tenant=principal.tenant,
                    user=principal.user,
                    expires=now + CODE_S,
                )
            )
        return made

    async def owner(self, code: str) -> str:
        """Whose code it is; empty for one that is none, or none any more."""
        async with self._database.read() as connection:
            query = select(codes.c.user).where(*self._good(code))
            return str(await connection.scalar(query) or "")

    async def redeem(self, channel: str, sender: str, code: str) -> str:
        """Whom the sender is from now on; empty for a code that is none, or none any more."""
        async with self._database.write() as connection:
            found = await connection.execute(
                delete(codes).where(*self._good(code)).returning(codes)
            )
            row = found.mappings().one_or_none()
            if row is None:
                return ""
            await self._put(connection, channel, sender, (row["tenant"], row["user"]))
        return str(row["user"])

    def _good(self, code: str) -> tuple[ColumnElement[bool], ...]:
        return codes.c.hash == _hash(code.strip().upper()), codes.c.expires >= self._clock()

    async def thread(self, principal: Principal) -> str:
        """The thread in which the principal talks in this channel. The first has a name that nobody
        can guess, and needs no row."""
        c = conversations.c
        query = select(c.thread).where(*_talks(principal))
        async with self._database.read() as connection:
            found = (await connection.execute(query)).scalar_one_or_none()
        if found is not None:
            return str(found)
        parts = ["channel thread", principal.channel, principal.tenant]
        return f"{principal.channel}_{self._private.digest(principal.user, parts)[:24]}"

    async def new_thread(self, principal: Principal) -> None:
        """Another one from now on."""
        row = {
            "channel": principal.channel,
            "tenant": principal.tenant,
            "user": principal.user,
            "thread": f"{principal.channel}_{secrets.token_hex(12)}",
            "at": self._clock(),
        }
        async with self._database.write() as connection:
            await connection.execute(delete(conversations).where(*_talks(principal)))
            await connection.execute(insert(conversations).values(row))

    async def forget(self, user: str) -> int:
        """Everything of somebody who is erased; how many bindings there were."""
        async with self._database.write() as connection:
            await connection.execute(delete(codes).where(codes.c.user == user))
            await connection.execute(delete(conversations).where(conversations.c.user == user))
            return (
                await connection.execute(delete(bindings).where(bindings.c.user == user))
            ).rowcount


def _hash(code: str) -> str:
    return hashlib.sha256(code.encode("utf-8", "replace")).hexdigest()


def _talks(principal: Principal) -> tuple[ColumnElement[bool], ...]:
    c = conversations.c
    return (
        c.channel == principal.channel,
        c.tenant == principal.tenant,
        c.user == principal.user,
    )
