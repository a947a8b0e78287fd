"""What the desk does by itself, now and then while serving."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from dazi.apps.desk.chores import Done, tidy

if TYPE_CHECKING:
    from dazi.main.runtime import Runtime

EVERY_S = 60.0

log = logging.getLogger("dazi.desk")


async def tidy_at(runtime: Runtime, now: float) -> Done:
    if runtime.desk is None:
        return Done()
    return await tidy(runtime.desk.service, runtime.database, now)


async def keep_tidying(runtime: Runtime, *, every_s: float = EVERY_S) -> None:
    """Limits marked and tickets closed on time, until cancelled. Several processes may do so."""
    while True:
        if runtime.desk is not None:
            try:
                await tidy_at(runtime, runtime.desk.clock())
            except Exception:  # the database may come back
                log.exception("the service desk could not be looked after")
        await asyncio.sleep(every_s)
