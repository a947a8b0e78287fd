"""``dazi plan record``: the ledger's turns as a trace for the simulator."""

from __future__ import annotations

import time
from pathlib import Path

from dazi.audit.search import Query, matching
from dazi.main.auditing import opened
from dazi.main.settings import Settings
from dazi.ops.plan.simulate.recording import Recorder
from dazi.ops.plan.simulate.trace import write


async def record(settings: Settings, out: Path, since: float | None, until: float | None) -> int:
    """How many turns were written. Raises ``CallerError`` where ``out`` cannot be written."""
    recorder = Recorder(time.localtime().tm_gmtoff)
    async with opened(settings) as room:
        async for found in matching(room.database, room.sealing, Query(since=since, until=until)):
            recorder.note(found.record)
    return write(out, recorder.head(), recorder.lines())
