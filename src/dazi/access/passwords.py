"""Passwords: Argon2id (RFC 9106, the low-memory profile), worked out in threads of its own."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY
from sqlalchemy import Boolean, Column, Float, String, Table, and_, delete, insert, select, update
from sqlalchemy import Text as LongText

from dazi.access.password_rules import (
    LONGEST,
    PasswordRules,
    check_password,
    make_initial,
    normal,
)
from dazi.core.errors import CallerError, OverloadError
from dazi.store.database import Database, metadata

WORKERS = 2
"""Passwords looked at together: each takes 64 MiB for as long as it takes."""
MOST_WAITING = 64
DAY_S = 86_400.0

passwords = Table(
    "passwords",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("user", String(64), primary_key=True),
    Column("hash", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("initial", Boolean, nullable=False),
    Column("used_at", Float),
    Column("previous", LongText, nullable=False),
)

Verdict = Literal["wrong", "right", "must_change"]
T = TypeVar("T")


class Passwords:
    """Passwords by tenant and user name. ``clock``: seconds since the epoch."""

    def __init__(
        self,
        database: Database,
        rules: PasswordRules,
        clock: Callable[[], float] = time.time,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._database = database
        self.rules = rules
        self._clock = clock
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._threads = ThreadPoolExecutor(WORKERS, "passwords")
        self._waiting = 0
        self._nobody: str | None = None

    async def verify(self, tenant: str, user: str, password: str) -> Verdict:
        """The work is the same where there is no such user. Raises ``OverloadError`` where too
        many wait. A one-time password is used up by being right."""
        row = await self._row(tenant, user)
        expected = row["hash"] if row else await self._nobodys()
        given = normal(password)[: LONGEST + 1]
        right = await self._work(lambda: self._matches(expected, given))
        if row is None or not right:
            return "wrong"
        now = self._clock()
        if row["initial"]:
            late = now - row["at"] > self.rules.initial_days * DAY_S
            return "wrong" if late or not await self._use_up(row, now) else "must_change"
        if self._hasher.check_needs_rehash(row["hash"]):
            made = await self._work(lambda: self._hasher.hash(given))
            await self._update(row, hash=made)
        aged = now - row["at"] > self.rules.max_age_days * DAY_S
        return "must_change" if self.rules.max_age_days and aged else "right"

    async def set(self, tenant: str, user: str, password: str) -> None:
        """The person's own choice. Raises ``CallerError`` for a weak one and for one they had."""
        given = normal(password)
        check_password(given, user, self.rules)
        row = await self._row(tenant, user)
        earlier = [row["hash"], *json.loads(row["previous"])] if row else []
        earlier = earlier[: max(self.rules.remembered, 1)]
        if await self._work(lambda: any(self._matches(h, given) for h in earlier)):
            raise CallerError(
                "password_reused",
                f"不能用最近 {len(earlier)} 个用过的密码",
                f"this is one of your last {len(earlier)} passwords; choose another",
            )
        made = await self._work(lambda: self._hasher.hash(given))
        await self._store(tenant, user, made, earlier, initial=False)

    async def make_initial(self, tenant: str, user: str) -> str:
        """A one-time password, of which only a hash is kept."""
        made = make_initial()
        hashed = await self._work(lambda: self._hasher.hash(made))
        row = await self._row(tenant, user)
        # A one-time password is nobody's choice, so it is not one of the earlier ones.
        earlier = json.loads(row["previous"]) if row else []
        if row and not row["initial"]:
            earlier = [row["hash"], *earlier]
        await self._store(
            tenant, user, hashed, earlier[: max(self.rules.remembered, 1)], initial=True
        )
        return made

    async def prepare(self) -> None:
        """Make what unknown names are compared with, so that the first costs what others do."""
        await self._nobodys()

    async def forget(self, tenant: str, user: str) -> None:
        async with self._database.write() as connection:
            await connection.execute(delete(passwords).where(_here(tenant, user)))

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _use_up(self, row: Any, now: float) -> bool:
        """True for the first of all that come with the same one-time password."""
        async with self._database.write() as connection:
            done = await connection.execute(
                update(passwords)
                .where(
                    _here(row["tenant"], row["user"]),
                    passwords.c.hash == row["hash"],
                    passwords.c.used_at.is_(None),
                )
                .values(used_at=now)
            )
        return done.rowcount == 1

    async def _update(self, row: Any, **values: Any) -> None:
        """Unless it has been changed meanwhile."""
        async with self._database.write() as connection:
            await connection.execute(
                update(passwords)
                .where(_here(row["tenant"], row["user"]), passwords.c.hash == row["hash"])
                .values(values)
            )

    async def _store(
        self, tenant: str, user: str, made: str, earlier: list[str], *, initial: bool
    ) -> None:
        values = {
            "hash": made,
            "at": self._clock(),
            "initial": initial,
            "used_at": None,
            "previous": json.dumps(earlier),
        }
        async with self._database.write() as connection:
            done = await connection.execute(
                update(passwords).where(_here(tenant, user)).values(values)
            )
            if done.rowcount == 0:
                await connection.execute(
                    insert(passwords).values(tenant=tenant, user=user, **values)
                )

    async def _row(self, tenant: str, user: str) -> Any:
        async with self._database.read() as connection:
            found = await connection.execute(select(passwords).where(_here(tenant, user)))
            return found.mappings().one_or_none()

    async def _nobodys(self) -> str:
        if self._nobody is None:
            self._nobody = await self._work(lambda: self._hasher.hash(make_initial()))
        return self._nobody

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, password)
        except (VerificationError, InvalidHashError):
            return False

    async def _work(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise OverloadError(
                "busy",
                "登录的人太多,请稍后再试",
                "too many people are signing in; try again soon",
                retry_after=2.0,
            )
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1


def _here(tenant: str, user: str) -> Any:
    return and_(passwords.c.tenant == tenant, passwords.c.user == user)
