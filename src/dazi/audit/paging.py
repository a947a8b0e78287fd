"""Records a page at a time, newest first, however long the ledger is.

A page is asked for by the number that the last one ended with, so the thousandth costs what the
first does; a time is found by halving, for numbers grow with time and have an index.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.records import Record, records
from dazi.audit.sealing import Sealing
from dazi.audit.search import BATCH, Found, Query
from dazi.store.database import Database

MOST = 5_000
"""Records looked into for one page, so that a rare word keeps nobody waiting."""
DISORDER_S = 60.0
"""Processes that write together may differ so much about the time."""


@dataclass(frozen=True, slots=True)
class Page:
    """``found``: newest first. ``before``: where to go on, ``None`` where there is nothing more;
    ``looked``: at so many records."""

    found: tuple[Found, ...]
    before: int | None
    looked: int


async def page(
    database: Database,
    sealing: Sealing,
    query: Query,
    size: int,
    *,
    before: int | None = None,
    most: int = MOST,
) -> Page:
    """At most ``size`` that match, of the ``most`` latest whose number is below ``before``."""
    c = records.c.seq
    batch = BATCH if query.inside else size + 1
    found: list[Found] = []
    looked = 0
    async with database.read() as connection:
        low = await first_since(connection, query.since)
        high = await first_since(connection, query.until, DISORDER_S)
        last = min((n for n in (before, high) if n is not None), default=None)
        chosen = query.statement().order_by(c.desc()).limit(batch)
        if low is not None:
            chosen = chosen.where(c >= low)
        while True:
            part = chosen if last is None else chosen.where(c < last)
            rows = (await connection.execute(part)).all()
            for row in rows:
                r = Record(*row)
                content = sealing.opened(r)
                looked += 1
                if query.matches(r, content):
                    if len(found) == size:
                        return Page(tuple(found), found[-1].record.seq, looked)
                    found.append(Found(r, content))
                last = r.seq
            if len(rows) < batch:
                return Page(tuple(found), None, looked)
            if looked >= most:
                return Page(tuple(found), last, looked)


async def first_since(
    connection: AsyncConnection, at: float | None, slack: float = -DISORDER_S
) -> int | None:
    """A number from which on (with ``slack`` below 0) all records of ``at`` and later are, or
    before which (above 0) all of earlier times; ``None`` for no time."""
    if at is None:
        return None
    c = records.c
    wanted = at + slack
    ends = (await connection.execute(select(func.min(c.seq), func.max(c.seq)))).one()
    if ends[0] is None:
        return 0
    low, high = int(ends[0]), int(ends[1]) + 1
    while low < high:
        middle = (low + high) // 2
        row = await _at_or_after(connection, middle)
        if row is None or not isinstance(row.at, int | float) or row.at >= wanted:
            high = middle
        else:
            low = int(row.seq) + 1
    return low


async def _at_or_after(connection: AsyncConnection, seq: int) -> Any:
    c = records.c
    query = select(c.seq, c.at).where(c.seq >= seq).order_by(c.seq).limit(1)
    return (await connection.execute(query)).one_or_none()
