"""Looking at model servers while nobody asks them anything.

A pool goes by what is found. Of an only server nothing is: whatever was found, requests still go there;
but whoever watches is told.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Protocol

from dazi.core.errors import DaziError, OperatorError, OverloadError
from dazi.inference.remote import RemoteEngine

log = logging.getLogger("dazi.model")


class Lists(Protocol):
    async def models(self) -> tuple[str, ...]: ...


async def listed(server: Lists, name: str, seconds: float) -> tuple[str, ...]:
    """The models that it offers. Raises ``DaziError``, also where it takes longer."""
    try:
        async with asyncio.timeout(seconds):
            return await server.models()
    except TimeoutError:
        raise OperatorError(
            "model_unreachable",
            f"{name} 在 {seconds:g} 秒内没有回应。",
            f"{name} did not respond within {seconds:g} s.",
        ) from None


class Probe:
    """Of an only server; what it finds is the engine's ``health``.

    ``/models`` is all that is asked for. A server that does not know that route is there if it answers
    at all. One with much to do may miss a look, and what it has answered since the last one speaks for it.
    """

    def __init__(self, engine: RemoteEngine, seconds: float) -> None:
        """``seconds``: how long it may take to answer."""
        self._engine, self._seconds = engine, seconds
        self._lists = self._missed = False
        self._answered = engine.health.answered

    async def look(self) -> bool:
        """Once; true where it has come back."""
        health, error = self._engine.health, await self._wrong()
        answered, self._answered = self._answered, health.answered
        if error is not None and health.answered == answered:
            if health.well is not False and not self._missed:
                self._missed = True
                return False
        else:
            error = None
        self._missed = False
        well, back = error is None, error is None and health.well is False
        if not well and health.well is not False:
            log.warning("the model server is down: %s", error)
        elif back:
            log.warning("the model server is up again")
        health.well, health.trouble = well, error
        return back

    async def _wrong(self) -> DaziError | None:
        try:
            await listed(self._engine, self._engine.profile.name, self._seconds)
        except OverloadError:
            return None  # who says that it is busy is there
        except DaziError as e:
            return e if self._lists or e.code == "model_unreachable" else None
        self._lists = True
        return None
