"""What the service itself stands on is unwell: its database, its disk, Redis, the clock."""

from __future__ import annotations

import asyncio
import os
import signal
import sqlite3
import subprocess
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench import redis
from bench.processes import NotStarted
from bench.resilience.client import ask, raw
from bench.resilience.clock import Clock
from bench.resilience.house import House, build
from bench.resilience.model import Model
from bench.resilience.report import Report
from bench.resilience.served import Served, serving
from bench.resilience.trial import DOING, ENV, TALKING, Fault, Place, new_table, raw_whole
from bench.tables import Table
from dazi.store.writer import BUSY_SECONDS

ASKS = (*TALKING, *DOING)
WITHIN_S = 4 * BUSY_SECONDS
"""A turn waits for the database a few times, one after the other."""
DISK_MIB = 64
HOUR = 3600


async def database(many: int = 2, held_s: float = 15.0, disk: bool = True) -> Report:
    report = Report(of="requests while the database cannot be used")
    table = new_table("faults_database", "The database is unwell (SQLite)")
    report.tables.append(table)
    with tempfile.TemporaryDirectory(prefix="dazi-faults-") as folder:
        root = Path(folder)
        with _small_disk(root / "data", table, disk) as full:
            async with Model(keeps=False).running() as model:
                house = build(root, model.port)
                async with serving(house, root, ENV) as served:
                    place = Place(served, model, house, root, report, table, many=many)
                    for fault in _of_database(house, held_s):
                        await place.suffer(fault)
                    if full is not None:
                        await place.suffer(full)
                    await place.close()
    return report


def _of_database(house: House, held_s: float) -> Iterator[Fault]:
    writer: list[sqlite3.Connection] = []

    async def lock() -> None:
        writer.append(sqlite3.connect(house.database, isolation_level=None))
        writer[-1].execute("BEGIN EXCLUSIVE")

    async def unlock() -> None:
        other = writer.pop()
        other.execute("ROLLBACK")
        other.close()

    async def lock_for_a_while() -> None:
        await lock()
        asyncio.get_running_loop().call_later(2.0, lambda: asyncio.ensure_future(unlock()))

    async def nothing() -> None:
        return None

    aside = house.data / "aside"

    async def away() -> None:
        aside.mkdir(exist_ok=True)
        for path in _files(house.database):
            path.rename(aside / path.name)

    async def back() -> None:
        for path in _files(house.database):
            path.unlink()
        for path in _files(aside / house.database.name):
            path.rename(house.data / path.name)

    yield Fault("locked by another for 2 s", lock_for_a_while, nothing, ASKS, WITHIN_S,
                answered=True)  # fmt: skip
    yield Fault(f"locked by another for {held_s:g} s", lock, unlock, ASKS, WITHIN_S)
    yield Fault("moved away and back", away, back, ASKS, WITHIN_S)


def _files(database: Path) -> list[Path]:
    return [
        p for p in (database, *(Path(f"{database}{s}") for s in ("-wal", "-shm"))) if p.exists()
    ]


@contextmanager
def _small_disk(folder: Path, table: Table, wanted: bool) -> Iterator[Fault | None]:
    """A disk of ``DISK_MIB`` at ``folder``, and the fault of its being full."""
    folder.mkdir(parents=True)
    options = f"size={DISK_MIB}m"
    mounted = wanted and os.name == "posix" and os.geteuid() == 0
    if mounted:
        made = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, check=False
        )  # fmt: skip
        mounted = made.returncode == 0
    if not mounted:
        if wanted:
            table.notes.append("No disk could be made small here: nothing was tried on a full one.")
        yield None
        return
    filler = folder / "filler"

    async def fill() -> None:
        # What it has set aside for its journal would do for a while.
        other = sqlite3.connect(folder / "dazi.sqlite", isolation_level=None)
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        other.close()
        out = os.open(filler, os.O_WRONLY | os.O_CREAT)
        with suppress(OSError):
            while True:
                os.write(out, bytes(4096))
        os.close(out)

    async def empty() -> None:
        filler.unlink()

    try:
        yield Fault("disk full", fill, empty, ASKS, WITHIN_S)
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


LIMITS = '[[limits]]\nper = "user"\nrequests_per_minute = 100000\nconcurrent = 1000\n'


async def limits(many: int = 2) -> Report:
    """Redis counts the limits; it stops, hangs and comes back."""
    report = Report(of="requests while Redis cannot be asked")
    table = new_table("faults_redis", "Redis, which counts the limits, is unwell")
    report.tables.append(table)
    program = redis.program()
    if program is None:
        table.notes.append("Redis is not installed: nothing was tried.")
        return report
    with tempfile.TemporaryDirectory(prefix="dazi-faults-") as folder:
        root = Path(folder)
        with redis.server(program) as url:
            port = int(url.rpartition(":")[2].partition("/")[0])
            async with Model(keeps=False).running() as model:
                house = build(root, model.port, limits=LIMITS)
                more = {**ENV, "DAZI_REDIS": url}
                async with serving(house, root, more) as served:
                    place = Place(served, model, house, root, report, table, many=many)
                    started: list[subprocess.Popen[bytes]] = []
                    try:
                        for fault in _of_redis(program, port, root, started):
                            await place.suffer(fault)
                    finally:
                        for process in started:
                            process.terminate()
                    await place.close()
    return report


def _of_redis(
    program: str, port: int, root: Path, running: list[subprocess.Popen[bytes]]
) -> Iterator[Fault]:
    """``running``: those that it has started, in place of the one that there was."""

    def started() -> None:
        command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
        running.append(
            subprocess.Popen(
                [*command, "--dir", str(root)],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )
        )  # fmt: skip

    async def start() -> None:
        await asyncio.to_thread(started)
        for _ in range(200):
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return
        raise NotStarted("Redis did not start")

    def number() -> int:
        return running[-1].pid if running else _listener(port)

    async def pause() -> None:
        os.kill(number(), signal.SIGSTOP)

    async def resume() -> None:
        os.kill(number(), signal.SIGCONT)

    async def stop() -> None:
        pid = number()
        os.kill(pid, signal.SIGTERM)
        if running:
            await asyncio.to_thread(running.pop().wait, 10)
        else:
            await asyncio.sleep(1.0)

    async def again() -> None:
        await stop()
        await start()

    async def nothing() -> None:
        return None

    yield Fault("paused", pause, resume)
    yield Fault("stopped", stop, start)
    yield Fault("restarted, all forgotten", again, nothing, answered=True)
    yield Fault("paused again", pause, resume)


def _listener(port: int) -> int:
    """The process of ours that listens there."""
    children = Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()
    for pid in children:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        if str(port).encode() in b" ".join(words):
            return int(pid)
    raise NotStarted("Redis is gone")


async def clock(many: int = 2) -> Report:
    """The time of day jumps, forwards and back; what is counted in seconds must not notice."""
    report = Report(of="requests while the clock jumps")
    table = new_table("faults_clock", "The clock jumps")
    report.tables.append(table)
    if not Clock.possible():
        table.notes.append("There is no compiler: nothing was tried.")
        return report
    with tempfile.TemporaryDirectory(prefix="dazi-faults-") as folder:
        root = Path(folder)
        hand = Clock(root)
        async with Model(keeps=False).running() as model:
            house = build(root, model.port, limits=LIMITS)
            async with serving(house, root, {**ENV, **hand.env}) as served:
                place = Place(served, model, house, root, report, table, many=many)
                for name, seconds in (
                    ("a day forwards", 24 * HOUR),
                    ("a day back", -24 * HOUR),
                    ("a minute back", -60),
                    ("a year forwards", 365 * 24 * HOUR),
                ):
                    await place.suffer(_jump(name, hand, seconds))
                await _meanwhile(served, model, hand, report)
                await place.close()
            times = [r.at for r in await house.sealed()]
            jumped = max(times, default=0) - min(times, default=0) > 24 * HOUR
            report.expect(jumped, "the clock did not jump")
    return report


def _jump(name: str, hand: Clock, seconds: int) -> Fault:
    def moves(by: int) -> Callable[[], Awaitable[None]]:
        async def move() -> None:
            hand.move(by)

        return move

    return Fault(name, moves(seconds), moves(0), ASKS, answered=True)


async def _meanwhile(served: Served, model: Model, hand: Clock, report: Report) -> None:
    """A request under way when it jumps takes as long as it takes."""
    model.delay_s = 1.0
    asked = [asyncio.ensure_future(ask(served.port, raw_whole(f"jump{n}"))) for n in range(4)]
    asked += [
        asyncio.ensure_future(ask(served.port, raw("[slow]", stream=True, max_tokens=600), 3.0))
    ]
    for seconds in (HOUR, -HOUR, 0):
        await asyncio.sleep(0.3)
        hand.move(seconds)
    heard = await asyncio.gather(*asked)
    model.delay_s = 0.0
    report.tried += len(heard)
    report.expect(all(h.ok for h in heard[:4]), "a request under way failed when the clock jumped")
    report.expect(heard[4].failed == "TimeoutError", "a jump ended what was still going on")
