"""What a pool costs beside one server asked directly: time and processor time a request."""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from pathlib import Path

from bench.machine import cores
from bench.processes import upstream
from bench.production.pools import pooled
from bench.tables import Table
from bench.upstream import MODEL
from dazi.core.engine import Engine, GenerateRequest, Sampling
from dazi.core.messages import Message
from dazi.inference.remote import RemoteEngine, RemoteOptions

ROUNDS = 7


async def run(scale: float) -> list[Table]:
    """Two sides and two loads, in turn, on one core; the fake server is on the other."""
    table = Table(
        "overhead",
        "The pool beside a direct connection: one core, a short answer that comes at once",
        ("at once", "side", "requests", "p50 us", "CPU us/request"),
    )
    here = cores()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, here.server)
    with (
        tempfile.TemporaryDirectory(prefix="dazi-overhead-") as name,
        upstream(here.load, Path(name)) as fake,
    ):
        async with pooled([fake.url, fake.url], MODEL) as pool:
            direct = RemoteEngine(RemoteOptions(fake.url, MODEL, kind="vllm"))
            sides: dict[str, Engine] = {"direct": direct, "pool of two": pool}
            for at_once, many in ((1, 400), (64, 3000)):
                found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
                many = max(64, round(many * scale))
                for _ in range(ROUNDS):
                    for side, engine in sides.items():
                        found[side].append(await _load(engine, at_once, many))
                medians = {
                    side: tuple(statistics.median(column) for column in zip(*rows, strict=True))
                    for side, rows in found.items()
                }
                for side, (p50, cpu) in medians.items():
                    table.rows.append((at_once, side, many * ROUNDS, p50, cpu))
                more = [medians["pool of two"][i] - medians["direct"][i] for i in (0, 1)]
                table.rows.append((at_once, "added by the pool", None, *more))
            await direct.close()
    table.notes.append(
        f"Median of {ROUNDS} interleaved rounds. prefix balancing, health unlooked at; the request is "
        "hashed for it. Processor time is all of this process: client, parsing and load."
    )
    return [table]


async def _load(engine: Engine, at_once: int, many: int) -> tuple[float, float]:
    """Median time of a request and processor time a request, in microseconds."""
    times: list[float] = []
    left = iter(range(many))

    async def one() -> None:
        for n in left:
            request = GenerateRequest(
                (Message("system", "你是助手"), Message("user", f"问题 {n}")),
                sampling=Sampling(max_tokens=64),
            )
            began = time.perf_counter()
            async for _ in engine.generate(request):
                pass
            times.append(time.perf_counter() - began)

    before = time.process_time()
    await asyncio.gather(*(one() for _ in range(at_once)))
    used = time.process_time() - before
    return statistics.median(times) * 1e6, used / many * 1e6
