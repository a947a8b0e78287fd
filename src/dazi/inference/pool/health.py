"""Looking at servers while nobody asks them anything, and at the file that declares them."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import cast

from dazi.core.errors import DaziError, OperatorError, OverloadError
from dazi.inference.dialects import DIALECTS
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.config import PoolConfig
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.probing import Lists, listed

log = logging.getLogger("dazi.pool")


async def look(backend: Backend, seconds: float) -> DaziError | None:
    """What is wrong with a server, if anything. A model in this process is well; of a cloud only what
    it answers tells."""
    if not backend.spec.url or backend.place == "cloud" or not DIALECTS[backend.spec.kind].lists:
        return None
    try:
        there = await listed(cast(Lists, backend.engine), backend.name, seconds)
    except DaziError as e:
        return e
    wanted = (backend.spec.model, *backend.spec.adapters)
    missing = [m for m in wanted if m and m not in there]
    if missing:
        return OperatorError(
            "model_wrong",
            f"{backend.name} 上没有 {', '.join(missing)},只有:{', '.join(there) or '无'}。"
            "改正 models.yaml,或让它提供这个模型。",
            f"{backend.name} has no {', '.join(missing)}, but: {', '.join(there) or 'none'}. Mend "
            "models.yaml, or have it serve that model.",
        )
    return None


class Watch:
    """Keeps a pool's view of its servers up to date. ``read`` gives the configuration of ``path`` and
    raises ``ConfigError``."""

    def __init__(self, pool: PoolEngine, path: Path, read: Callable[[Path], PoolConfig]) -> None:
        self._pool, self._path, self._read = pool, path, read
        self._stamp = _stamp(path)

    async def keep_looking(self) -> None:
        while True:
            looks = (self._look(b) for b in self._pool.backends)
            for error in await asyncio.gather(*looks, return_exceptions=True):
                if isinstance(error, Exception):
                    log.error("a look at a model server failed", exc_info=error)
            await asyncio.sleep(self._pool.config.rules.health_seconds)

    async def keep_reloading(self) -> None:
        while True:
            await asyncio.sleep(self._pool.config.rules.reload_seconds)
            await self.reload()

    async def reload(self) -> bool:
        """Has the file changed, and is it in use now? A wrong one changes nothing."""
        stamp = _stamp(self._path)
        if stamp == self._stamp:
            return False
        self._stamp = stamp
        try:
            await self._pool.apply(self._read(self._path))
        except Exception as e:  # whatever is the matter with it, what there is goes on
            self._pool.mistake = e if isinstance(e, DaziError) else None
            log.error("%s is not used: %s", self._path.name, e)
            return False
        self._pool.mistake = None
        log.info("%s has been read again", self._path.name)
        return True

    async def _look(self, backend: Backend) -> None:
        error = await look(backend, self._pool.config.rules.health_seconds)
        if isinstance(error, OverloadError):
            error = None  # who says that it is busy is there
        if backend in self._pool.backends:
            self._pool.found(backend, error is None, error)


def _stamp(path: Path) -> tuple[int, int, int]:
    """Of a file that is replaced or written over (a mounted ConfigMap is a link to another one)."""
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return (found.st_mtime_ns, found.st_ino, found.st_size)
