"""Waiting in tests for what comes by itself: a full machine is slow, so nothing is given up early."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

WITHIN_S = 90.0


async def until(condition: Callable[[], object]) -> None:
    try:
        async with asyncio.timeout(WITHIN_S):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    except TimeoutError:
        pytest.fail(f"it did not happen within {WITHIN_S:.0f} s")
