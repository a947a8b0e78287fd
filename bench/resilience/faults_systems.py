"""The company's systems are unwell: a service over HTTP, and an MCP server in a process of its own."""

from __future__ import annotations

import signal
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from bench.processes import ROOT, NotStarted, Process, free_port
from bench.resilience import desk as desks
from bench.resilience import desk_mcp
from bench.resilience.client import get
from bench.resilience.desk import Answerer, Desk
from bench.resilience.house import Systems, build
from bench.resilience.model import Model
from bench.resilience.report import Report
from bench.resilience.served import serving
from bench.resilience.trial import ENV, TURN_S, WAIT_S, Fault, Place, calling, new_table

PROGRAM = ROOT / "bench" / "resilience" / "desk_mcp.py"
ASKS = (calling("find_room"), calling("find_guest"))
WITHIN_S = TURN_S + WAIT_S + 2.0
STARTS_S = 30.0


class Guests:
    """The MCP server; a stranger may take its port."""

    def __init__(self, logs: Path) -> None:
        self.port = free_port()
        self._logs = logs
        self._process: Process | None = None
        self._stranger: Desk | None = None

    async def start(self) -> None:
        command: list[str | Path] = [sys.executable, PROGRAM, str(self.port)]
        self._process = Process(command, self._logs / f"guests-{time.monotonic_ns()}.log")
        ends = time.monotonic() + STARTS_S
        while (await get(self.port, "/", 1.0)).status == 0:
            if time.monotonic() > ends:
                raise NotStarted("the MCP server did not start")

    async def stop(self) -> None:
        if self._process is not None:
            self._process.stop()
        if self._stranger is not None:
            await self._stranger.go()
            self._stranger = None

    async def pause(self) -> None:
        assert self._process is not None
        self._process.signal(signal.SIGSTOP)

    async def resume(self) -> None:
        assert self._process is not None
        self._process.signal(signal.SIGCONT)

    async def again(self) -> None:
        await self.stop()
        await self.start()

    async def replaced(self, mood: Answerer) -> None:
        """Somebody else answers at its port."""
        await self.stop()
        self._stranger = Desk(mood, self.port)
        with suppress(OSError):
            await self._stranger.come()


async def run(many: int = 3, only: frozenset[str] = frozenset()) -> Report:
    """``only``: some of the faults, by name."""
    report = Report(of="turns whose tools' systems are unwell")
    table = new_table("faults_systems", "A company's systems are unwell")
    report.tables.append(table)
    with tempfile.TemporaryDirectory(prefix="dazi-faults-") as folder:
        root = Path(folder)
        desk, guests = Desk(), Guests(root)
        await desk.come()
        await guests.start()
        try:
            async with Model(keeps=False).running() as model:
                systems = Systems(desk.port, guests.port, await desk_mcp.pin(), WAIT_S)
                house = build(root, model.port, systems=systems)
                async with serving(house, root, ENV) as served:
                    place = Place(served, model, house, root, report, table, many=many)
                    for fault in (*_of_service(desk), *_of_guests(guests)):
                        if not only or fault.name in only:
                            await place.suffer(fault)
                    await place.close()
        finally:
            await desk.go()
            await guests.stop()
    return report


def _of_service(desk: Desk) -> list[Fault]:
    faults = [_service(name, mood, desk) for name, mood in desks.MOODS.items()]
    return [*faults, Fault("service: not there", desk.go, desk.come, ASKS[:1], WITHIN_S)]


def _service(name: str, mood: Answerer, desk: Desk) -> Fault:
    async def begin() -> None:
        desk.mood = mood

    async def end() -> None:
        desk.mood = desks.room

    return Fault(f"service: {name}", begin, end, ASKS[:1], WITHIN_S)


def _of_guests(guests: Guests) -> list[Fault]:
    async def hung() -> None:
        await guests.replaced(desks.silence)

    async def garbage() -> None:
        await guests.replaced(desks.garbage)

    async def page() -> None:
        await guests.replaced(desks.no_json)

    async def fails() -> None:
        await guests.replaced(desks.fails)

    return [
        Fault("MCP server: paused", guests.pause, guests.resume, ASKS[1:], WITHIN_S),
        Fault("MCP server: dead", guests.stop, guests.again, ASKS[1:], WITHIN_S),
        Fault("MCP server: died and came back", guests.again, guests.again, ASKS[1:], WITHIN_S,
              answered=True),
        Fault("MCP server: a silent stranger", hung, guests.again, ASKS[1:], WITHIN_S),
        Fault("MCP server: garbage", garbage, guests.again, ASKS[1:], WITHIN_S),
        Fault("MCP server: a web page", page, guests.again, ASKS[1:], WITHIN_S),
        Fault("MCP server: 500", fails, guests.again, ASKS[1:], WITHIN_S),
    ]  # fmt: skip
