"""What the desk does by itself: mark limits, close what was resolved, take up conversations."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import select

from dazi.apps.desk.machine import DAY_S, Refused
from dazi.apps.desk.service import DeskService
from dazi.core.errors import AccessError
from dazi.memory.tables import threads
from dazi.store.database import Database

IDLE_S = 3_600.0
"""A conversation in which nothing was said for so long is over."""
MOST = 500
"""Conversations that are taken up at once."""


@dataclass(frozen=True, slots=True)
class Done:
    """``marked``: warnings and breaches that are new; ``collected``: conversations that the
    assistant had alone and that were filed as resolved."""

    marked: int = 0
    closed: int = 0
    collected: int = 0


async def tidy(service: DeskService, database: Database, now: float) -> Done:
    """Everything that is due at ``now``."""
    marked = closed = 0
    for id, tenant in await service.store.due(now):
        marked += await service.mark(id, tenant, now)
    before = now - service.rules.close_days * DAY_S
    for id, tenant in await service.store.resolved_before(before):
        try:
            await service.close(id, tenant, now)
            closed += 1
        except Refused:  # it was opened again just now
            continue
    return Done(marked, closed, await collect(service, database, now))


async def collect(service: DeskService, database: Database, now: float) -> int:
    """File customers' conversations that are over, the assistant had alone, and are no ticket yet:
    so that what people want and how often the assistant suffices can be counted."""
    query = (
        select(threads.c.id, threads.c.tenant, threads.c.user, threads.c.at)
        .where(threads.c.at < now - IDLE_S, threads.c.at > now - 7 * DAY_S)
        .order_by(threads.c.at)
    )
    async with database.read() as connection:
        rows = (await connection.execute(query)).all()
    known = await service.store.threads_of([r.id for r in rows])
    filed = 0
    for row in rows:
        if row.id in known or filed >= MOST:
            continue
        await service.parts.visitors.recall(row.user)
        try:
            customer = service.parts.people(row.user, "web", row.tenant)
        except AccessError:
            continue
        if service.serves(customer):
            filed += await service.file_over(customer, row.id, row.at)
    return filed
