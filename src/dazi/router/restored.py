"""Tickets that come back with a backup: nobody knows what was done with them after it was made."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import and_, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.router.tickets import tickets


@dataclass(frozen=True, slots=True)
class Lying:
    """``undecided``: a person may still agree to them. ``stopped``: were decided and not carried
    out when the backup was made; they are not taken up again, for that may have been done since."""

    undecided: int
    stopped: int


async def let_lie(connection: AsyncConnection) -> Lying:
    c, now = tickets.c, time.time()
    decided = and_(c.state.in_(("approved", "rejected")), c.finished_at.is_(None))
    stopped = await connection.execute(update(tickets).where(decided).values(finished_at=now))
    undecided = select(func.count()).where(c.state == "pending", c.expires > now)
    return Lying((await connection.execute(undecided)).scalar_one(), stopped.rowcount)
