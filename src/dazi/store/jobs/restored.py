"""Jobs that come back with a backup: nobody knows what was done with them after it was made."""

from __future__ import annotations

import time

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.store.jobs.model import OVER
from dazi.store.jobs.tables import jobs


async def stop_all(connection: AsyncConnection) -> int:
    """Cancel what was not over; how many. Their owners may have them tried again."""
    left = jobs.c.state.not_in(OVER)
    values = {"state": "cancelled", "ended": time.time(), "worker": "", "lease": 0.0}
    return (await connection.execute(update(jobs).where(left).values(values))).rowcount
