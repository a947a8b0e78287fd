"""Parts of a running company are taken away one after the other: is somebody told, and in time?

The company runs in this process as ``dazi serve`` wires it, its alerts go to a webhook on loopback. Its
clock runs fast: each five seconds between two looks are over as soon as the look is done. All times here
are of that clock; what a part takes to notice by itself (a pool's health check) is real besides.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bench import postgres
from bench.resilience.desk import Desk
from bench.resilience.house import House, Systems, build
from bench.resilience.model import Model
from bench.upstream import MODEL
from dazi.agent.asking import Ask
from dazi.main.model_health import looking
from dazi.main.runtime import Runtime, open_runtime
from dazi.main.serve import build_app
from dazi.main.settings import Settings
from dazi.main.warming import warm

STEP_S = 5.0
LONGEST_S = 1_800.0
AFTER_S = 400.0
CALLS_A_STEP = 2
"""Turns with a call of the tool, each five seconds."""
NOTICES_S = 1.2
"""Real time that a health check (each half a second here) gets when a server goes or comes."""

ALERTS = """
routes:
  hook: {webhook: "URL"}
group: 30s
heartbeat: {url: "URL/beat", every: 60s}
"""
MODELS = """
pool: {failures: 1, health_seconds: 0.5, rest_seconds: 0.2, first_token_seconds: 2}
backends:
  big: {url: "http://127.0.0.1:PORT/v1", model: MODEL}
"""


@dataclass
class Hook:
    """The webhook, and the heartbeats that came besides."""

    got: list[dict[str, Any]] = field(default_factory=list)
    beats: int = 0

    async def handle(self, request: web.Request) -> web.Response:
        if request.path.endswith("/beat"):
            self.beats += 1
        else:
            self.got.append(json.loads(await request.read()))
        return web.Response()

    def told(self, rule: str, status: str) -> bool:
        return any(
            g["groupLabels"]["alertname"] == rule and g["status"] == status for g in self.got
        )


@dataclass(frozen=True, slots=True)
class Measured:
    """Seconds from the fault to the message, and from its mending to the message that it is over;
    ``None``: it did not come within ``LONGEST_S``."""

    fault: str
    rule: str
    told_s: float | None
    over_s: float | None
    others: tuple[str, ...]


@dataclass
class Place:
    runtime: Runtime
    model: Model
    desk: Desk
    hook: Hook
    house: House
    now: float
    server: postgres.Server | None = None
    evaluates: bool = True
    asks: bool = True
    asked: int = 0

    async def step(self) -> None:
        """Five seconds: what happens in them, then what the sampler does."""
        watching, alerts = self.runtime.watching, self.runtime.alerts
        assert watching is not None and alerts is not None
        if self.asks:
            await asyncio.gather(*(self._ask() for _ in range(CALLS_A_STEP)))
        for look in watching.sampler.looks:
            with suppress(Exception):
                await look()
        self.now += STEP_S
        await asyncio.to_thread(watching.history.take, self.runtime.observer.registry, self.now)
        if self.evaluates:
            await alerts.evaluator.sampled(self.now)
            await alerts.evaluator.settle()

    async def _ask(self) -> None:
        self.asked += 1
        said = f'q{self.asked} [call find_room {{"words": "q{self.asked}"}}]'
        principal = self.runtime.directory.principal("clerk0", "test")
        with suppress(Exception):  # that they fail is what is looked for
            async for _ in self.runtime.service.ask(Ask(principal, f"t{self.asked}", said)):
                pass

    async def until(self, rule: str, status: str) -> float | None:
        began = self.now
        while self.now - began < LONGEST_S:
            await self.step()
            if self.hook.told(rule, status):
                return self.now - began
        return None

    async def pass_(self, seconds: float) -> None:
        until = self.now + seconds
        while self.now < until:
            await self.step()


Act = Callable[[Place], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    name: str
    rule: str
    begin: Act
    end: Act
    possible: Callable[[Place], bool] = lambda _: True
    asks: bool = True
    """Whether people go on asking: without a database each of them waits for it for seconds."""


async def _desk_goes(p: Place) -> None:
    await p.desk.go()


async def _desk_comes(p: Place) -> None:
    await p.desk.come()


async def _model_goes(p: Place) -> None:
    p.model.go()
    await asyncio.sleep(NOTICES_S)


async def _model_comes(p: Place) -> None:
    await p.model.come()
    await asyncio.sleep(2 * NOTICES_S)


async def _database_goes(p: Place) -> None:
    if p.server is not None:
        await asyncio.to_thread(p.server.stop, 2)
    else:
        for path in p.house.data.glob("dazi.sqlite*"):
            path.rename(path.with_name(f"gone.{path.name}"))


async def _database_comes(p: Place) -> None:
    if p.server is not None:
        await asyncio.to_thread(p.server.start)
    else:
        for path in p.house.data.glob("gone.*"):
            path.rename(path.with_name(path.name.removeprefix("gone.")))


def _small_disk(p: Place) -> bool:
    return shutil.disk_usage(p.house.data).total < 1 << 30


async def _disk_fills(p: Place) -> None:
    usage = shutil.disk_usage(p.house.data)
    # Room enough is left for the database, which is not what is looked at here.
    (p.house.data / "filler").write_bytes(bytes(max(0, usage.free - round(usage.total * 0.05))))


async def _disk_empties(p: Place) -> None:
    (p.house.data / "filler").unlink(missing_ok=True)


FAULTS = (
    Fault("a tool's service is down", "tool-failing", _desk_goes, _desk_comes),
    Fault("the model server is killed", "model-down", _model_goes, _model_comes),
    Fault("the database is stopped", "database-down", _database_goes, _database_comes, asks=False),
    Fault("the disk fills up (tmpfs)", "disk-low", _disk_fills, _disk_empties, _small_disk),
)


async def run(only: frozenset[str] = frozenset(), *, server: bool = False) -> list[Measured]:
    """``only``: faults by the rules that tell of them; ``server``: over PostgreSQL."""
    out: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="dazi-alerts-") as folder:
        async with opened(Path(folder), server=server) as place:
            await place.pass_(120)
            for fault in FAULTS:
                if (only and fault.rule not in only) or not fault.possible(place):
                    continue
                out.append(await suffer(place, fault))
    return out


async def suffer(place: Place, fault: Fault) -> Measured:
    place.hook.got.clear()
    place.asks = fault.asks
    await fault.begin(place)
    told = await place.until(fault.rule, "firing")
    await fault.end(place)
    over = await place.until(fault.rule, "resolved") if told is not None else None
    place.asks = True
    await place.pass_(AFTER_S)  # what it has left behind in windows goes by
    others = {g["groupLabels"]["alertname"] for g in place.hook.got} - {fault.rule}
    return Measured(fault.name, fault.rule, told, over, tuple(sorted(others)))


@asynccontextmanager
async def opened(root: Path, *, server: bool = False, pool: bool = True) -> AsyncIterator[Place]:
    """``pool``: the model server is one of a pool; else it is the only one, named by its URL."""
    database = postgres.Server(binaries) if server and (binaries := postgres.programs()) else None
    desk, model, hook = Desk(), Model(keeps=False), Hook()
    await desk.come()
    try:
        if database is not None:
            database.start()
            postgres.create(database.url, "dazi")
        with _small(root):
            async with model.running(), _served(hook) as url:
                house = build(root, model.port, systems=Systems(desk.port))
                (house.folder / "alerts.yaml").write_text(ALERTS.replace("URL", url), "utf-8")
                if pool:
                    models = MODELS.replace("PORT", str(model.port)).replace("MODEL", MODEL)
                    (house.folder / "models.yaml").write_text(models, "utf-8")
                settings = Settings(
                    company=house.folder,
                    data=house.data,
                    database=f"{database.url}/dazi" if database is not None else "",
                    turn_seconds=5,
                    model_health_seconds=0.5,
                    read_attempts=1,
                    rest_after_failures=10_000,
                    alerts_seconds=5,
                )
                runtime = await open_runtime(settings)
                place = Place(runtime, model, desk, hook, house, time.time(), database)
                async with _running(runtime):
                    yield place
    finally:
        await desk.go()
        if database is not None:
            database.remove()


@asynccontextmanager
async def _running(runtime: Runtime) -> AsyncIterator[None]:
    """As ``dazi serve`` does, without a port: the sampler is stepped by hand."""
    await warm(runtime)
    build_app(runtime)
    beside = [asyncio.create_task(work) for work in looking(runtime)]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await runtime.close()


@asynccontextmanager
async def _served(hook: Hook) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", hook.handle)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    try:
        yield f"http://{host}:{port}/hook"
    finally:
        await runner.cleanup()


@contextmanager
def _small(root: Path) -> Iterator[None]:
    """``data`` on a disk of its own of 256 MB, where this process may mount one; else no disk can be
    filled, and that fault is left out."""
    data = root / "data"
    data.mkdir(parents=True, exist_ok=True)
    mounts = os.name == "posix" and os.geteuid() == 0 and shutil.which("mount") is not None
    command = ["mount", "-t", "tmpfs", "-o", "size=256m", "dazi-alerts", str(data)]
    mounted = mounts and subprocess.run(command, capture_output=True).returncode == 0
    try:
        yield
    finally:
        if mounted:
            subprocess.run(["umount", "-l", str(data)], capture_output=True)


def table(found: list[Measured]) -> str:
    rows = ["| fault | rule | told after | over after | others |", "|---|---|---|---|---|"]
    for m in found:
        told, over = ("never" if s is None else f"{s:.0f} s" for s in (m.told_s, m.over_s))
        others = ", ".join(m.others) or "-"
        rows.append(f"| {m.fault} | `{m.rule}` | {told} | {over} | {others} |")
    return "\n".join(rows)


if __name__ == "__main__":
    print(table(asyncio.run(run(server=postgres.programs() is not None))))
