"""Pools over servers at hand, made as ``models.yaml`` makes them."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import yaml

from dazi.guard.engine import Guard
from dazi.inference.pool.engine import PoolEngine, PoolParts
from dazi.main.pool import opener, read_models
from dazi.main.settings import Settings


def declared(
    folder: Path,
    urls: Sequence[str],
    model: str,
    backend: Mapping[str, object] | None = None,
    **pool: object,
) -> Path:
    """A ``models.yaml`` of these servers, as vLLM's; ``backend``: more of each."""
    each: dict[str, object] = {"kind": "vllm", "model": model, "at_once": 256}
    if model == "dazi-mini":
        each["profile"] = "bundled"
    each |= backend or {}
    servers = {f"v{n}": {"url": url, **each} for n, url in enumerate(urls)}
    path = folder / "models.yaml"
    path.write_text(yaml.safe_dump({"pool": pool, "backends": servers}), encoding="utf-8")
    return path


@asynccontextmanager
async def pooled(
    urls: Sequence[str],
    model: str,
    backend: Mapping[str, object] | None = None,
    **pool: object,
) -> AsyncIterator[PoolEngine]:
    with tempfile.TemporaryDirectory(prefix="dazi-pool-") as name:
        folder = Path(name)
        path = declared(folder, urls, model, backend, **pool)
        made = opener(Settings(data=folder), folder, folder)
        engine = PoolEngine(read_models(path), PoolParts(made, Guard()))
        try:
            yield engine
        finally:
            await engine.close()
