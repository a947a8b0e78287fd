"""What keeps watch over model servers while a process serves, whoever asks or not."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine, Iterator
from contextlib import suppress
from typing import Any

from dazi.core.errors import DaziError
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.probing import Probe
from dazi.inference.remote import RemoteEngine
from dazi.main.pool import pool_file, watched
from dazi.main.runtime import Runtime
from dazi.main.warming import warm

log = logging.getLogger("dazi.model")


def looking(runtime: Runtime) -> Iterator[Coroutine[Any, Any, None]]:
    """At the servers of a pool and its file, or at the only server; each until it is cancelled."""
    engine, settings = runtime.engine, runtime.settings
    if isinstance(engine, PoolEngine) and (path := pool_file(settings)) is not None:
        yield from watched(engine, path, runtime.company.folder)
    elif isinstance(engine, RemoteEngine) and settings.model_health_seconds:
        yield keep_looking(runtime, engine, settings.model_health_seconds)


async def keep_looking(runtime: Runtime, engine: RemoteEngine, every_s: float) -> None:
    """One that comes back is warmed again: its cache is empty."""
    probe = Probe(engine, every_s)
    while True:
        await asyncio.sleep(every_s)
        try:
            back = await probe.look()
        except Exception:  # whatever it is, the next look may do better
            log.exception("a look at the model server failed")
            continue
        if back and runtime.model_reached:
            with suppress(DaziError):
                await warm(runtime)


def model_well(runtime: Runtime) -> bool:
    """Is there a server that can be reckoned with? A model in this process is well."""
    engine = runtime.engine
    if isinstance(engine, PoolEngine):
        return any(b.alive for b in engine.backends)
    return not isinstance(engine, RemoteEngine) or engine.health.well is not False
