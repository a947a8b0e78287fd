"""All bombs, and the harness that sets them off: one process a bomb, watched from outside.

    python -m tests.knowledge.bombs FOLDER [--memory MIB] [--seconds S] [--only WORD] [--every N]

prints a JSON line a bomb. It runs in a process of its own, so that nothing else is measured.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing
from dataclasses import asdict, dataclass
from pathlib import Path

from dazi.core.errors import DaziError
from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing import process
from dazi.knowledge.parsing.limits import ParseLimits
from tests.knowledge.bombs_office import office_bombs
from tests.knowledge.bombs_pdf import pdf_bombs
from tests.knowledge.bombs_text import text_bombs

SECRET = "CANARY-9f31c2"
"""In a file beside the bombs, which some of them try to read."""
AT_ONCE = 2
BEAT = 0.005


@dataclass(frozen=True)
class Bomb:
    name: str
    suffix: str
    make: Callable[[], bytes]


@dataclass
class Result:
    """``outcome``: an error's code, or ``read``. ``resident``: the most, in MiB. ``blocked``: the
    longest that the listening process worked without looking up, in milliseconds."""

    name: str
    outcome: str
    seconds: float
    resident: float
    blocks: int
    leaked: bool
    blocked: float = 0.0
    paused: float = 0.0


def bombs(secret: Path) -> Iterator[Bomb]:
    for name, suffix, make in (*office_bombs(str(secret)), *pdf_bombs(), *text_bombs()):
        yield Bomb(name, suffix, make)


class Watch:
    """The resident memory of the workers, by the kernel's own high-water mark."""

    def __init__(self) -> None:
        self.most: dict[int, float] = {}
        self._watched: set[int] = set()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def add(self, pid: int) -> None:
        self.most[pid] = 0.0
        self._watched.add(pid)

    def _look(self) -> None:
        while not self._over.wait(0.01):
            for pid in tuple(self._watched):
                try:
                    status = Path(f"/proc/{pid}/status").read_text()
                except OSError:
                    self._watched.discard(pid)
                    continue
                if "VmHWM:" in status:
                    kib = int(status.split("VmHWM:")[1].split()[0])
                    self.most[pid] = max(self.most[pid], kib / 1024)

    def close(self) -> None:
        self._over.set()
        self._thread.join()


class Beats:
    """How long this process's event loop goes without a turn: by its own work, and in all."""

    def __init__(self) -> None:
        self.worked = 0.0
        self.paused = 0.0

    async def run(self) -> None:
        while True:
            before, began = time.thread_time(), time.monotonic()
            await asyncio.sleep(BEAT)
            self.worked = max(self.worked, time.thread_time() - before)
            self.paused = max(self.paused, time.monotonic() - began - BEAT)


async def set_off(bomb: Bomb, folder: Path, limits: ParseLimits, watch: Watch) -> Result:
    path = folder / f"bomb-{abs(hash(bomb.name))}{bomb.suffix}"
    data = await asyncio.to_thread(bomb.make)
    await asyncio.to_thread(path.write_bytes, data)
    began = time.monotonic()
    outcome, blocks, leaked = "read", 0, False
    pids: list[int] = []
    _STARTED.set(pids)
    try:
        async with aclosing(process.parse(path, limits=limits)) as found:
            async for item in found:
                if isinstance(item, Block):
                    blocks += 1
                    leaked |= SECRET in item.text
    except DaziError as error:
        outcome = error.code
    seconds = time.monotonic() - began
    path.unlink()
    resident = max((watch.most[p] for p in pids), default=0.0)
    return Result(bomb.name, outcome, round(seconds, 2), round(resident, 1), blocks, leaked)


class _Started:
    """Which workers each task has started."""

    def __init__(self) -> None:
        self._of: dict[asyncio.Task[object] | None, list[int]] = {}

    def set(self, pids: list[int]) -> None:
        self._of[asyncio.current_task()] = pids

    def add(self, pid: int) -> None:
        self._of[asyncio.current_task()].append(pid)


_STARTED = _Started()


async def run(folder: Path, limits: ParseLimits, only: str, every: int) -> None:
    secret = folder / "secret"
    secret.write_text(SECRET)
    watch, beats = Watch(), Beats()
    started = process._started

    async def seen(descriptor: int, order: object) -> object:
        made = await started(descriptor, order)  # type: ignore[arg-type]
        watch.add(made.pid)
        _STARTED.add(made.pid)
        return made

    process._started = seen  # type: ignore[assignment]
    beating = asyncio.create_task(beats.run())
    places = asyncio.Semaphore(AT_ONCE)

    async def one(bomb: Bomb) -> None:
        async with places:
            result = await set_off(bomb, folder, limits, watch)
        result.blocked, result.paused = round(beats.worked * 1e3, 1), round(beats.paused * 1e3, 1)
        beats.worked = beats.paused = 0.0
        print(json.dumps(asdict(result)), flush=True)

    chosen = [b for b in bombs(secret) if only in b.name][::every]
    await asyncio.gather(*(one(b) for b in chosen))
    beating.cancel()
    watch.close()
    left = await asyncio.to_thread(lambda: sorted(p.name for p in folder.iterdir()))
    print(json.dumps({"left": left}), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--memory", type=int, default=256)
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--only", default="")
    parser.add_argument("--every", type=int, default=1)
    given = parser.parse_args()
    limits = ParseLimits(memory_bytes=given.memory << 20, seconds=given.seconds)
    os.environ["DAZI_SECRET"] = SECRET  # the worker must not have it
    asyncio.run(run(given.folder, limits, given.only, given.every))


if __name__ == "__main__":
    sys.exit(main())
