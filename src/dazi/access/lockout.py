"""So many wrong guesses, then a pause that doubles; for an account and for an address alike.

A guess is counted before it is looked at and taken back when it was right, so a thousand guesses at
once are no more than the limit. Names that nobody has are counted too: being locked tells nothing.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from math import ceil
from typing import Any, Literal

from sqlalchemy import Column, Float, Integer, String, Table, delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.core.errors import AccessError
from dazi.store.database import Database, metadata

KEEP_S = 2 * 86_400.0
"""How long a row is kept after the last guess; with it goes the memory of earlier locks."""

attempts = Table(
    "access_attempts",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("locks", Integer, nullable=False),
    Column("until", Float, nullable=False),
    Column("at", Float, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class LockoutRules:
    """``failures`` of an account lock it for ``lock_s`` seconds, and twice as long each further
    time up to ``longest_s``. ``address_failures``: of an address, behind which there may be many
    people. Failures are forgotten after ``window_s`` without one."""

    failures: int = 5
    address_failures: int = 50
    lock_s: float = 900.0
    longest_s: float = 86_400.0
    window_s: float = 3600.0


@dataclass(frozen=True, slots=True)
class Subject:
    """``name``: of an account its tenant and user, of an address its text."""

    kind: Literal["account", "code", "address"]
    name: str

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.kind}\0{self.name}".encode()).hexdigest()


class Locked(AccessError):
    """Too many wrong guesses; ``retry_after`` in seconds."""

    def __init__(self, seconds: float) -> None:
        self.retry_after = seconds
        minutes = max(1, ceil(seconds / 60))
        super().__init__(
            "locked",
            f"错误次数太多,请 {minutes} 分钟后再试",
            f"too many wrong guesses; try again in {minutes} minutes",
        )


class Lockout:
    """``clock``: seconds since the epoch."""

    def __init__(
        self, database: Database, rules: LockoutRules, clock: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self.rules = rules
        self._clock = clock

    async def begin(self, *subjects: Subject) -> None:
        """Count a guess for each, or raise ``Locked`` and count none."""
        now = self._clock()
        async with self._database.write() as connection:
            for subject in subjects:
                row = await self._row(connection, subject)
                if row.until > now:
                    raise Locked(row.until - now)
                failures, locks = row.failures, row.locks
                if failures >= self._limit(subject):
                    # So many are being looked at, or broke off: those count as wrong.
                    until = row.at + self._pause(locks)
                    if until > now:
                        raise Locked(until - now)
                    failures, locks = 0, locks + 1
                elif now - row.at > self.rules.window_s:
                    failures = 0
                await _set(connection, subject, failures=failures + 1, locks=locks, at=now)

    async def failed(self, *subjects: Subject) -> None:
        """The guess was wrong."""
        now = self._clock()
        async with self._database.write() as connection:
            for subject in subjects:
                row = await self._row(connection, subject)
                if row.failures >= self._limit(subject):
                    until = now + self._pause(row.locks)
                    await _set(connection, subject, failures=0, locks=row.locks + 1, until=until)
            await connection.execute(delete(attempts).where(attempts.c.at < now - KEEP_S))

    async def succeeded(self, *subjects: Subject) -> None:
        """The guess was right: an account begins anew; of an address it is taken back, for others
        behind it may still be guessing."""
        async with self._database.write() as connection:
            for subject in subjects:
                if subject.kind == "address":
                    await self._take_back(connection, subject)
                else:
                    await connection.execute(
                        delete(attempts).where(attempts.c.subject == subject.key)
                    )

    async def not_looked_at(self, *subjects: Subject) -> None:
        """The guess was neither: something here did not work."""
        async with self._database.write() as connection:
            for subject in subjects:
                await self._take_back(connection, subject)

    async def unlock(self, subject: Subject) -> None:
        await self.succeeded(subject)

    async def until(self, subject: Subject) -> float:
        """When its pause ends, seconds since the epoch; 0 where there is none now."""
        query = select(attempts.c.until).where(attempts.c.subject == subject.key)
        async with self._database.read() as connection:
            until = float(await connection.scalar(query) or 0.0)
        return until if until > self._clock() else 0.0

    async def _take_back(self, connection: AsyncConnection, subject: Subject) -> None:
        row = await self._row(connection, subject)
        await _set(connection, subject, failures=max(0, row.failures - 1))

    def _pause(self, locks: int) -> float:
        return min(self.rules.lock_s * 2.0 ** min(locks, 30), self.rules.longest_s)

    def _limit(self, subject: Subject) -> int:
        rules = self.rules
        return rules.address_failures if subject.kind == "address" else rules.failures

    async def _row(self, connection: AsyncConnection, subject: Subject) -> Any:
        """The subject's row, locked until the transaction ends."""
        await connection.execute(
            text(
                "INSERT INTO access_attempts (subject, failures, locks, until, at)"
                " VALUES (:subject, 0, 0, 0, :at) ON CONFLICT DO NOTHING"
            ),
            {"subject": subject.key, "at": self._clock()},
        )
        query = select(attempts).where(attempts.c.subject == subject.key).with_for_update()
        return (await connection.execute(query)).one()


async def _set(connection: AsyncConnection, subject: Subject, **values: float) -> None:
    await connection.execute(
        update(attempts).where(attempts.c.subject == subject.key).values(values)
    )
