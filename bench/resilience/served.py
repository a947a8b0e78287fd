"""``dazi serve`` as a process: started, looked at from outside, stopped."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.machine import cores
from bench.processes import Process, free_port
from bench.resilience.client import get
from bench.resilience.house import House

_DAZI = "from dazi.main.cli import run; run()"
_DATABASE = (".sqlite", ".sqlite-wal", ".sqlite-shm")
_WRONG = (
    "was never retrieved",
    "was destroyed but",
    "Exception in",
    "/v1/chat/completions failed",
    "a stream failed",
)
"""What libraries say of other people's servers is none of it."""


@dataclass(frozen=True, slots=True)
class Held:
    """What a process has at a moment: open files by what they are, threads, and MiB of memory."""

    open: Counter[str]
    threads: int
    mib: float

    @property
    def files(self) -> int:
        return self.open.total()


class Served:
    program = _DAZI
    """A test may put a break in front of it."""

    def __init__(
        self, house: House, logs: Path, env: Mapping[str, str] | None = None, port: int = 0
    ) -> None:
        self.house = house
        self.port = port or free_port()
        self._env = {
            "DAZI_DATA": str(house.data),
            "DAZI_COMPANY": str(house.folder),
            **(env or {}),
        }
        self._logs = logs
        self._number = 0
        self._process: Process | None = None
        self.log = logs

    def start(self) -> None:
        self._number += 1
        self.log = self._logs / f"dazi-{self.port}-{self._number}.log"
        command = [sys.executable, "-c", self.program, "serve", "--port", str(self.port)]
        self._process = Process([*command, "--no-check"], self.log, self._env)
        self._process.pin(cores().server)

    async def ready(self) -> None:
        """Raises ``NotStarted``."""
        url = f"http://127.0.0.1:{self.port}/readyz"
        await asyncio.to_thread(self.process.ready, url)

    @property
    def process(self) -> Process:
        assert self._process is not None
        return self._process

    async def readiness(self) -> tuple[int, dict[str, bool]]:
        heard = await get(self.port, "/readyz")
        return heard.status, heard.document.get("parts", {})

    def held(self) -> Held:
        return held(self.process.pid)

    def term(self) -> None:
        os.kill(self.process.pid, signal.SIGTERM)

    def running(self) -> bool:
        return self.process._child.poll() is None

    async def ended(self, seconds: float) -> bool:
        """Whether it ends by itself within ``seconds``."""
        until = time.monotonic() + seconds
        while self.running():
            if time.monotonic() > until:
                return False
            await asyncio.sleep(0.02)
        return True

    async def stop(self) -> None:
        await asyncio.to_thread(self.process.stop)

    def complaints(self) -> list[str]:
        """What it wrote that nobody should have to read: unforeseen errors, forgotten exceptions."""
        return [line for line in self.said().splitlines() if any(w in line for w in _WRONG)]

    def said(self) -> str:
        return self.log.read_text(errors="replace")


@asynccontextmanager
async def serving(
    house: House, logs: Path, env: Mapping[str, str] | None = None
) -> AsyncIterator[Served]:
    served = Served(house, logs, env)
    served.start()
    try:
        await served.ready()
        yield served
    finally:
        await served.stop()


def held(pid: int) -> Held:
    status = Path(f"/proc/{pid}/status").read_text()
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    return Held(_open(pid), int(fields["Threads"]), int(fields["VmRSS"].split()[0]) / 1024)


def _open(pid: int) -> Counter[str]:
    """Files by name, and sockets by the port at the other end. The database's count once: its pool opens
    three with each connection, keeps them, and has a bound of its own; how many it came to need by then
    is chance."""
    ports = {}
    for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:]:
        columns = line.split()
        ports[columns[9]] = int(columns[2].partition(":")[2], 16)
    found: Counter[str] = Counter()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        with suppress(FileNotFoundError):  # it was closed meanwhile
            name = os.readlink(entry.path)
            if name.startswith("socket:["):
                name = f"socket to {ports.get(name[8:-1], 'nobody')}"
            found[name.partition(":[")[0].rpartition("/")[2]] += 1
    for name in found:
        if name.endswith(_DATABASE):
            found[name] = 1
    return found
