"""Processes that write into one ledger, and note what was acknowledged."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Barrier
from pathlib import Path

from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.sealing import Sealing
from dazi.store.database import Database

AT_ONCE = 8
PATIENCE_S = 60.0
_SPAWN = multiprocessing.get_context("spawn")


def start(url: str, folder: Path, counts: Mapping[str, int]) -> dict[str, BaseProcess]:
    """A process a name, each writing so many records once all are there; what was acknowledged is
    a line each in ``folder/name``."""
    ready = _SPAWN.Barrier(len(counts) + 1)
    running = {
        name: _SPAWN.Process(target=_run, args=(url, str(folder), name, count, ready))
        for name, count in counts.items()
    }
    for process in running.values():
        process.start()
    ready.wait(PATIENCE_S)
    return dict(running)


def acknowledged(folder: Path, names: Sequence[str]) -> list[str]:
    """Without a line that a killed process had not finished."""
    found = []
    for name in names:
        path = folder / name
        text = path.read_text("utf-8") if path.exists() else ""
        found += text[: text.rfind("\n") + 1].split()
    return found


def _run(url: str, folder: str, name: str, count: int, ready: Barrier) -> None:
    ready.wait(PATIENCE_S)
    asyncio.run(_write(url, Path(folder), name, count))


async def _write(url: str, folder: Path, name: str, count: int) -> None:
    database = Database(url)
    sealing = Sealing(folder / "audit")
    ledger = Ledger(SqlSink(database), sealing)
    await ledger.open()
    out = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    async def one(n: int) -> None:
        number = f"{name}-{n}"
        await ledger.append("call", f"user{n % 3}", f"turn_{n}", {"arguments": number})
        os.write(out, f"{number}\n".encode())

    for start_at in range(0, count, AT_ONCE):
        await asyncio.gather(*(one(n) for n in range(start_at, min(start_at + AT_ONCE, count))))
    await database.close()
    sealing.close()
