"""Whose threads there are: for those who look through all of them, such as the making of datasets."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from sqlalchemy import and_, or_, select

from dazi.memory.tables import threads
from dazi.store.database import Database

TOGETHER = 200


async def owners(database: Database) -> AsyncGenerator[tuple[str, str]]:
    """User and tenant of everybody who has a thread, by name."""
    user, tenant = threads.c.user, threads.c.tenant
    query = select(user, tenant).distinct().order_by(user, tenant).limit(TOGETHER)
    page = query
    while True:
        async with database.read() as connection:
            found = [(row[0], row[1]) for row in await connection.execute(page)]
        for one in found:
            yield one
        if len(found) < TOGETHER:
            return
        last = found[-1]
        page = query.where(or_(user > last[0], and_(user == last[0], tenant > last[1])))
