"""Durable jobs beside DBOS: how many, what waiting costs, who takes up what a dead worker left.

    .venv/bin/python bench/jobs.py PYTHON_WITH_DBOS

``PYTHON_WITH_DBOS``: an interpreter of an environment that has dbos. Many: 200 jobs of three empty
steps, two at a time, on SQLite. Dead worker: on PostgreSQL, of two workers the one at work on a job of
ten seconds is killed after three; how long until the job is done, for a minute at the most.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from sqlalchemy import create_engine, text
from sqlalchemy.exc import ProgrammingError

from bench.postgres import create, driver, programs, server
from dazi.audit.keys import SubjectKeys
from dazi.audit.private import Private
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.main.database import declare_tables
from dazi.store.database import Database
from dazi.store.jobs.model import NewJob
from dazi.store.jobs.records import JobStore
from dazi.store.jobs.work import Kind, Run, Workers

WHO = Principal("li", frozenset())
PEER = Path(__file__).parent / "peers" / "dbos_jobs.py"
MINUTE = 60.0


async def checked(_: Principal, arguments: Any) -> Any:
    return arguments


async def work(run: Run) -> str:
    seconds, steps = run.arguments

    async def step() -> int:
        await asyncio.sleep(seconds)
        return 1

    for n in range(steps):
        await run.step(str(n), step, int)
    return "all"


def workers(store: JobStore, **more: Any) -> Workers:
    kinds = {"k": Kind("k", Text("k", "k"), checked, work)}
    return Workers(store, kinds, lambda job: WHO, places=2, **more)


async def opened(url: str, folder: Path) -> JobStore:
    declare_tables()
    database = Database(url)
    await database.create()
    return JobStore(database, Private(SubjectKeys(folder)))


async def many(folder: Path) -> None:
    store = await opened(f"sqlite+aiosqlite:///{folder / 'd.sqlite'}", folder / "audit")
    began, cpu = time.perf_counter(), time.process_time()
    for _ in range(200):
        await store.put(WHO, NewJob("k", "k", [0.0, 3]))
    await workers(store).drain()
    print(
        f"dazi: 200 jobs {time.perf_counter() - began:.1f} s, {time.process_time() - cpu:.1f} s cpu"
    )
    waiting = asyncio.create_task(workers(store).run())
    cpu = time.process_time()
    await asyncio.sleep(10)
    print(f"dazi: waiting costs {(time.process_time() - cpu) * 10:.1f} % of a core")
    waiting.cancel()
    print(f"dazi: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


async def serve(url: str, folder: Path, *, put: bool) -> None:
    store = await opened(url, folder)
    if put:
        await store.put(WHO, NewJob("k", "k", [0.5, 20]))
    await workers(store, lease_s=10.0).run()


def dead_worker(url: str, folder: Path) -> None:
    def begun(*more: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, __file__, "serve", url, str(folder), *more])

    first = begun("put")
    while owner_of(url)[0] != "running":
        time.sleep(0.05)
    second = begun()
    time.sleep(3)
    first.kill()
    began = time.perf_counter()
    while owner_of(url)[0] != "done" and time.perf_counter() - began < MINUTE:
        time.sleep(0.5)
    told = owner_of(url)[0]
    print(f"dazi: after the worker died the job is {told} in {time.perf_counter() - began:.0f} s")
    second.kill()


def owner_of(url: str) -> tuple[str, str]:
    return row_of(url, "SELECT state, worker FROM jobs", {}) or ("", "")


def peer(python: str, url: str) -> None:
    def run(*mode: str) -> subprocess.Popen[str]:
        return subprocess.Popen([python, PEER, *mode], stdout=subprocess.PIPE, text=True)

    with tempfile.TemporaryDirectory() as made:
        said = run(f"sqlite:///{made}/p.sqlite", "a", "many").communicate()[0]
        print("\n".join(f"dbos: {line}" for line in said.split("\n") if line))
    first = run(url, "a", "put")
    assert first.stdout is not None
    number = first.stdout.readline().split()[1]
    while state_of(url, number) != ("PENDING", "a"):
        time.sleep(0.1)
    second = run(url, "b", "serve")
    time.sleep(3)
    first.kill()
    began = time.perf_counter()
    while state_of(url, number)[0] != "SUCCESS" and time.perf_counter() - began < MINUTE:
        time.sleep(0.5)
    told = state_of(url, number)[0]
    print(f"dbos: after the worker died the job is {told} in {time.perf_counter() - began:.0f} s")
    second.kill()


def state_of(url: str, number: str) -> tuple[str, str]:
    query = "SELECT status, executor_id FROM dbos.workflow_status WHERE workflow_uuid = :number"
    return row_of(url, query, {"number": number}) or ("", "")


def row_of(url: str, query: str, values: dict[str, str]) -> tuple[str, str] | None:
    engine = create_engine(driver(url))
    try:
        with engine.connect() as connection:
            row = connection.execute(text(query), values).one_or_none()
            return (row[0], row[1]) if row else None
    except ProgrammingError:  # the tables are about to be made
        return None
    finally:
        engine.dispose()


def main() -> None:
    if sys.argv[1] == "serve":
        asyncio.run(serve(sys.argv[2], Path(sys.argv[3]), put="put" in sys.argv))
        return
    binaries = programs()
    assert binaries is not None, "PostgreSQL is not installed"
    with tempfile.TemporaryDirectory() as made, server(binaries) as address:
        asyncio.run(many(Path(made)))
        for name in ("ours", "theirs"):
            create(address, name)
        dead_worker(f"{address}/ours", Path(made) / "audit")
        peer(sys.argv[1], f"{address}/theirs")


if __name__ == "__main__":
    main()
