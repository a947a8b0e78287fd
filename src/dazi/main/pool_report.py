"""``dazi model pool``: are the servers that ``models.yaml`` declares there, and what do they have?"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.language import Language, Text
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.health import look
from dazi.main.pool import load_pool
from dazi.main.settings import Settings

LOOK_S = 5.0
WELL = Text("正常", "well")
UNSEEN = Text("不查(云)", "not looked at (cloud)")
DRAINING = Text("不再接新请求", "takes nothing new")


@dataclass(frozen=True, slots=True)
class Looked:
    """``ms``: how long it took to respond; ``trouble``: ``None`` where it is well."""

    backend: Backend
    ms: float
    trouble: Text | None

    def told(self, language: Language) -> str:
        b = self.backend
        if self.trouble is not None:
            state = self.trouble(language)
        elif b.draining:
            state = DRAINING(language)
        else:
            state = UNSEEN(language) if b.place == "cloud" else WELL(language)
        at = b.spec.url or b.spec.embedded
        more = "".join(f" +{a}" for a in b.spec.adapters)
        name = f"{b.engine.profile.name}{more}"
        return f"{b.name}  {name}  {at}  {b.place}  tier {b.tier}  {self.ms:.0f} ms  {state}"

    def as_json(self) -> dict[str, Any]:
        b = self.backend
        return {
            "name": b.name,
            "model": b.engine.profile.name,
            "adapters": list(b.spec.adapters),
            "url": b.spec.url,
            "embedded": b.spec.embedded,
            "place": b.place,
            "tier": b.tier,
            "draining": b.draining,
            "ms": round(self.ms, 1),
            "ok": self.trouble is None,
            "trouble": self.trouble.en if self.trouble is not None else "",
        }


async def looked_at(settings: Settings, data: Path, path: Path) -> Sequence[Looked]:
    """Each server, looked at now. Raises ``ConfigError``."""
    pool = load_pool(settings, data, path)
    try:
        return await asyncio.gather(*(_looked(b) for b in pool.backends))
    finally:
        await pool.close()


async def _looked(backend: Backend) -> Looked:
    began = time.perf_counter()
    error = await look(backend, LOOK_S)
    ms = (time.perf_counter() - began) * 1000
    return Looked(backend, ms, error.text if error is not None else None)
