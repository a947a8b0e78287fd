"""PostgreSQL is stopped, paused, loses its connections, or is locked by somebody else."""

from __future__ import annotations

import asyncio
import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Connection, create_engine, text

from bench import postgres
from bench.machine import family
from bench.resilience.house import build
from bench.resilience.model import Model
from bench.resilience.report import Report
from bench.resilience.served import serving
from bench.resilience.trial import DOING, ENV, TALKING, Fault, Place, new_table
from dazi.store.database import ANSWER_S

ASKS = (*TALKING, *DOING)
WITHIN_S = 4 * ANSWER_S
"""A turn waits for the database a few times, one after the other."""
NAME = "dazi"


async def run(many: int = 2, only: frozenset[str] = frozenset()) -> Report:
    """``only``: some of the faults, by name."""
    report = Report(of="requests while PostgreSQL cannot be used")
    table = new_table("faults_postgres", "The database is unwell (PostgreSQL)")
    report.tables.append(table)
    binaries = postgres.programs()
    if binaries is None:
        table.notes.append("PostgreSQL is not installed: nothing was tried.")
        return report
    server = postgres.Server(binaries)
    try:
        server.start()
        postgres.create(server.url, NAME)
        with tempfile.TemporaryDirectory(prefix="dazi-faults-") as folder:
            root = Path(folder)
            async with Model(keeps=False).running() as model:
                url = f"{server.url}/{NAME}"
                house = replace(build(root, model.port), url=url)
                async with serving(house, root, {**ENV, "DAZI_DATABASE": url}) as served:
                    place = Place(served, model, house, root, report, table, many=many)
                    for fault in _faults(server):
                        if not only or fault.name in only:
                            await place.suffer(fault)
                    await place.close()
    finally:
        server.remove()
    return report


def _faults(server: postgres.Server) -> Iterator[Fault]:
    async def nothing() -> None:
        return None

    async def start() -> None:
        await asyncio.to_thread(server.start)

    async def stop() -> None:
        await asyncio.to_thread(server.stop, signal.SIGINT)

    async def again() -> None:
        await stop()
        await start()

    async def pause() -> None:
        _all(server, signal.SIGSTOP)

    async def resume() -> None:
        _all(server, signal.SIGCONT)

    async def cut() -> None:
        with _other(server) as other:
            other.execute(text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE datname = current_database() AND pid <> pg_backend_pid()"
            ))  # fmt: skip

    locks: list[Connection] = []

    async def lock() -> None:
        locks.append(_other(server))
        locks[-1].execute(text("LOCK TABLE audit_records IN ACCESS EXCLUSIVE MODE"))

    async def unlock() -> None:
        locks.pop().close()

    yield Fault("stopped", stop, start, ASKS, WITHIN_S)
    yield Fault("restarted", again, nothing, ASKS, WITHIN_S, answered=True)
    yield Fault("connections cut", cut, nothing, ASKS, WITHIN_S, answered=True)
    yield Fault("the ledger's table locked by another", lock, unlock, ASKS, WITHIN_S)
    yield Fault("paused", pause, resume, ASKS, WITHIN_S)


def _other(server: postgres.Server) -> Connection:
    engine = create_engine(postgres.driver(f"{server.url}/{NAME}"))
    return engine.connect()


def _all(server: postgres.Server, number: signal.Signals) -> None:
    for pid in family([server.pid]):
        with suppress(ProcessLookupError):
            os.kill(pid, number)
