"""Sessions: random 256-bit tokens of which only hashes are kept, with two time-outs.

A session that still lacks a step of signing in (a code, a new password) lets nobody in: only one
without ``remaining`` steps does. After each step it has a new token.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Literal, cast

from sqlalchemy import Column, Float, String, Table, and_, delete, insert, select, update

from dazi.access.changes import Changes
from dazi.store.database import metadata

SEEN_EVERY_S = 60.0
"""How often it is written down that a session is in use."""

Step = Literal["second_factor", "enrol", "new_password"]

sessions = Table(
    "sessions",
    metadata,
    Column("hash", String(64), primary_key=True),
    Column("id", String(16), nullable=False, unique=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(64), nullable=False),
    Column("began", Float, nullable=False),
    Column("seen", Float, nullable=False),
    Column("until", Float, nullable=False, index=True),
    Column("channel", String(40), nullable=False),
    Column("address", String(64), nullable=False),
    Column("remaining", String(60), nullable=False),
)

PREFIX = "dzs_"
"""Tokens begin so, and keys do not."""


@dataclass(frozen=True, slots=True)
class SessionRules:
    """In seconds: ``idle_s`` without a sign of life, ``absolute_s`` in any case, and ``steps_s``
    to get through the steps of signing in."""

    idle_s: float = 1800.0
    absolute_s: float = 43_200.0
    steps_s: float = 900.0


@dataclass(frozen=True, slots=True)
class Session:
    """``id`` names it in lists; it is not the token. Times in seconds since the epoch."""

    id: str
    tenant: str
    user: str
    began: float
    seen: float
    until: float
    channel: str
    address: str
    remaining: tuple[Step, ...] = ()

    @property
    def complete(self) -> bool:
        return not self.remaining


@dataclass(frozen=True, slots=True)
class Begun:
    """``token`` goes to the person and is kept nowhere here."""

    token: str = field(repr=False)
    session: Session


class Sessions:
    """``clock``: seconds since the epoch."""

    def __init__(
        self, changes: Changes, rules: SessionRules, clock: Callable[[], float] = time.time
    ) -> None:
        self._changes = changes
        self.rules = rules
        self._clock = clock

    async def begin(
        self, who: tuple[str, str], channel: str, address: str, remaining: tuple[Step, ...] = ()
    ) -> Begun:
        """``who``: tenant and user. Always a new token: one planted before is worth nothing."""
        now = self._clock()
        lasts = self.rules.steps_s if remaining else self.rules.absolute_s
        session = Session(
            secrets.token_hex(8), *who, now, now, now + lasts, channel, address[:64], remaining
        )
        token = f"{PREFIX}{secrets.token_urlsafe(32)}"
        async with self._changes.database.write() as connection:
            await connection.execute(delete(sessions).where(sessions.c.until < now))
            await connection.execute(insert(sessions).values(_row(token, session)))
        return Begun(token, session)

    async def find(self, token: str | None) -> Session | None:
        """The session, complete or not, and a sign of life for it."""
        if not token:
            return None
        now = self._clock()
        here = sessions.c.hash == _hash(token)
        async with self._changes.database.read() as connection:
            found = await connection.execute(select(sessions).where(here))
            row = found.mappings().one_or_none()
        if row is None:
            return None
        session = _session(row)
        if now >= session.until or now - session.seen >= self.rules.idle_s:
            await self._end(here)
            return None
        if now - session.seen >= SEEN_EVERY_S:
            async with self._changes.database.write() as connection:
                await connection.execute(update(sessions).where(here).values(seen=now))
        return session

    async def advance(self, token: str, step: Step) -> Begun | None:
        """``step`` is done: the rest goes on under a new token. ``None`` where the session is gone
        or this is not what it waits for; of two who come with one token, one gets on."""
        session = await self.find(token)
        if session is None or session.remaining[:1] != (step,):
            return None
        if not await self._end(sessions.c.hash == _hash(token)):
            return None
        who = (session.tenant, session.user)
        return await self.begin(who, session.channel, session.address, session.remaining[1:])

    async def end(self, tenant: str, user: str, id: str) -> bool:
        """False where the person has no such session."""
        return await self._end(and_(_of(tenant, user), sessions.c.id == id)) > 0

    async def end_token(self, token: str) -> bool:
        return await self._end(sessions.c.hash == _hash(token)) > 0

    async def end_all(self, tenant: str, user: str) -> int:
        """How many there were."""
        return await self._end(_of(tenant, user))

    async def of_user(self, tenant: str, user: str) -> list[Session]:
        """Those that stand, newest first."""
        now = self._clock()
        query = select(sessions).where(
            _of(tenant, user), sessions.c.until > now, sessions.c.seen > now - self.rules.idle_s
        )
        async with self._changes.database.read() as connection:
            found = await connection.execute(query.order_by(sessions.c.began.desc()))
            return [_session(row) for row in found.mappings()]

    async def standing(self, ids: Iterable[str]) -> frozenset[str]:
        """Which of these have not ended; asking is no sign of life."""
        now = self._clock()
        wanted = sorted(set(ids))
        out: set[str] = set()
        async with self._changes.database.read() as connection:
            for i in range(0, len(wanted), 500):
                some = select(sessions.c.id).where(
                    sessions.c.id.in_(wanted[i : i + 500]),
                    sessions.c.until > now,
                    sessions.c.seen > now - self.rules.idle_s,
                )
                out.update(await connection.scalars(some))
        return frozenset(out)

    async def _end(self, which: Any) -> int:
        async with self._changes.write() as change:
            done = await change.connection.execute(delete(sessions).where(which))
        return done.rowcount


def _of(tenant: str, user: str) -> Any:
    return and_(sessions.c.tenant == tenant, sessions.c.user == user)


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def _row(token: str, s: Session) -> dict[str, Any]:
    return {
        "hash": _hash(token),
        "id": s.id,
        "tenant": s.tenant,
        "user": s.user,
        "began": s.began,
        "seen": s.seen,
        "until": s.until,
        "channel": s.channel,
        "address": s.address,
        "remaining": ",".join(s.remaining),
    }


def _session(row: Any) -> Session:
    steps = tuple(cast(Step, s) for s in row["remaining"].split(",") if s)
    return Session(
        row["id"], row["tenant"], row["user"], row["began"], row["seen"], row["until"],
        row["channel"], row["address"], steps,
    )  # fmt: skip
