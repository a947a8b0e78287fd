"""Jobs that come again: every Monday at eight, on the first of the month."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

from croniter import CroniterError, croniter
from sqlalchemy import ColumnElement, and_, delete, func, insert, select, update

from dazi.core.errors import CallerError, NotFound
from dazi.core.principal import Principal
from dazi.store.database import Database
from dazi.store.jobs.model import NewJob, Sealer
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.tables import job_schedules

MOST = 50
"""Of one person."""
LOOK_S = 10.0

log = logging.getLogger("dazi.jobs")


@dataclass(frozen=True, slots=True)
class Schedule:
    """``due``: when the next job is put, in seconds since the epoch; ``last``: the latest one."""

    id: str
    tenant: str
    user: str
    channel: str
    kind: str
    title: str
    arguments: Any
    cron: str
    due: float
    enabled: bool
    last: str


class ScheduleStore:
    """Every access names the principal: another's schedule looks like none at all. ``zone``: the
    one that hours are in; the machine's, if there is none."""

    def __init__(self, database: Database, sealer: Sealer, zone: tzinfo | None = None) -> None:
        self._database, self._sealer, self._zone = database, sealer, zone

    async def put(
        self, principal: Principal, kind: str, title: str, arguments: Any, cron: str
    ) -> Schedule:
        """Raises ``CallerError`` for an expression that is none, and where there are ``MOST``."""
        id, now = secrets.token_hex(8), time.time()
        due = self.next_after(cron, now)
        row = {
            "id": id,
            "tenant": principal.tenant,
            "user": principal.user,
            "channel": principal.channel,
            "kind": kind,
            "title": self._sealer.seal(principal.user, _place("title", id), title),
            "arguments": self._sealer.seal(principal.user, _place("arguments", id), arguments),
            "cron": cron,
            "due": due,
            "enabled": True,
            "last": "",
            "at": now,
        }
        counted = select(func.count()).select_from(job_schedules).where(_of(principal))
        async with self._database.write() as connection:
            if (await connection.execute(counted)).scalar_one() >= MOST:
                raise CallerError(
                    "schedules_full",
                    f"已有 {MOST} 个定时任务,满了;先删掉不用的",
                    f"there are {MOST} schedules, which is all; delete some first",
                )
            await connection.execute(insert(job_schedules).values(row))
        return await self.get(id, principal)

    async def list(self, principal: Principal) -> list[Schedule]:
        query = select(job_schedules).where(_of(principal)).order_by(job_schedules.c.due)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        return [self._schedule(dict(r)) for r in rows]

    async def get(self, id: str, principal: Principal) -> Schedule:
        """Raises ``NotFound``."""
        query = select(job_schedules).where(job_schedules.c.id == id, _of(principal))
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise _unknown()
        return self._schedule(dict(row))

    async def change(
        self,
        id: str,
        principal: Principal,
        *,
        cron: str | None = None,
        enabled: bool | None = None,
    ) -> Schedule:
        """One that was off goes on from now: what it missed is not made up for. Raises
        ``NotFound``, and as ``put``."""
        was = await self.get(id, principal)
        rule = was.cron if cron is None else cron
        values = {
            "cron": rule,
            "enabled": was.enabled if enabled is None else enabled,
            "due": self.next_after(rule, time.time()),
        }
        here = and_(job_schedules.c.id == id, _of(principal))
        async with self._database.write() as connection:
            await connection.execute(update(job_schedules).where(here).values(values))
        return await self.get(id, principal)

    async def remove(self, id: str, principal: Principal) -> None:
        """Raises ``NotFound``."""
        here = and_(job_schedules.c.id == id, _of(principal))
        async with self._database.write() as connection:
            done = await connection.execute(delete(job_schedules).where(here))
        if not done.rowcount:
            raise _unknown()

    async def forget(self, user: str) -> int:
        """Delete all of somebody who is erased; how many."""
        c = job_schedules.c
        async with self._database.write() as connection:
            return (await connection.execute(delete(job_schedules).where(c.user == user))).rowcount

    async def put_due(self, jobs: JobStore) -> int:
        """Put a job for every schedule that is due; how many. What was missed while nobody looked
        is made up for once. Several processes may look at once: the key of a job is its hour."""
        now, c = time.time(), job_schedules.c
        query = select(job_schedules).where(c.enabled, c.due <= now)
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).mappings().all()
        for row in rows:
            s = self._schedule(dict(row))
            owner = Principal(s.user, frozenset(), tenant=s.tenant, channel=s.channel)
            new = NewJob(s.kind, s.title, s.arguments, key=f"{s.id}:{s.due:.0f}")
            moved: dict[str, Any] = {"due": self.next_after(s.cron, now)}
            try:
                moved["last"] = (await jobs.put(owner, new)).id
            except CallerError:  # too much of theirs waits: nobody else's is to wait for that
                log.exception("schedule %s was due and could not be put", s.id)
            here = and_(c.id == s.id, c.due == s.due)
            async with self._database.write() as connection:
                await connection.execute(update(job_schedules).where(here).values(moved))
        return len(rows)

    def next_after(self, cron: str, now: float) -> float:
        """Raises ``CallerError`` for an expression that is none."""
        try:
            start = datetime.fromtimestamp(now, self._zone).astimezone(self._zone)
            return float(croniter(cron, start).get_next(float))
        except (CroniterError, ValueError, KeyError) as e:
            raise CallerError(
                "cron",
                f"“{cron[:60]}”不是 cron 表达式:应为五段(分 时 日 月 周),如 0 8 * * 1 是每周一 8 点",
                f"“{cron[:60]}” is no cron expression: five fields (minute hour day month weekday), "
                "such as 0 8 * * 1 for Mondays at eight",
            ) from e

    def _schedule(self, row: Mapping[str, Any]) -> Schedule:
        def opened(column: str) -> Any:
            found = self._sealer.open(_place(column, row["id"]), row[column])
            return found.content if found.state == "open" else None

        return Schedule(
            row["id"],
            row["tenant"],
            row["user"],
            row["channel"],
            row["kind"],
            opened("title") or "",
            opened("arguments"),
            row["cron"],
            row["due"],
            row["enabled"],
            row["last"],
        )


def _of(principal: Principal) -> ColumnElement[bool]:
    c = job_schedules.c
    return and_(c.user == principal.user, c.tenant == principal.tenant)


def _place(column: str, id: str) -> str:
    return f"job_schedules.{column}:{id}"


def _unknown() -> NotFound:
    return NotFound("schedule", "没有这个定时任务", "no such schedule")
