"""Waiting for what nobody tells of."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

EVERY_S = 0.005


async def until(holds: Callable[[], object], seconds: float) -> bool:
    """Whether it came to hold within ``seconds``."""
    ends = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > ends:
            return False
        await asyncio.sleep(EVERY_S)
    return True
