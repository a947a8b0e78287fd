"""Which machine this is, on which of its cores things run, and what they used of them."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEASURABLE = Path("/proc/self/schedstat").is_file()
"""Whether the kernel tells what a thread used and how long it waited for a core (Linux)."""


def describe() -> dict[str, str]:
    return {
        "cpu": _first("/proc/cpuinfo", "model name") or platform.processor() or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{_memory_gib():.0f} GiB",
        "system": f"{platform.system()} {platform.release()}",
        "python": sys.version.split()[0],
    }


def _first(path: str, key: str) -> str:
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return ""
    return next((x.partition(":")[2].strip() for x in lines if x.startswith(key)), "")


def _memory_gib() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return 0.0


@dataclass(frozen=True, slots=True)
class Cores:
    """Where the side under test runs, and where load and upstream run."""

    server: frozenset[int]
    load: frozenset[int]

    @property
    def apart(self) -> bool:
        return self.server != self.load


def cores() -> Cores:
    """The first two cores this process may use; the same one twice where there is only one."""
    if not hasattr(os, "sched_getaffinity"):
        return Cores(frozenset(), frozenset())
    allowed = sorted(os.sched_getaffinity(0))
    return Cores(frozenset(allowed[:1]), frozenset(allowed[1:2] or allowed[:1]))


@contextmanager
def pinned(to: Iterable[int]) -> Iterator[None]:
    """This process, and those it starts meanwhile, on these cores."""
    wanted = set(to)
    if not wanted:
        yield
        return
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, wanted)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds that a group of processes ran, and that it waited for its core while something
    outside the group had it: the worst of its main threads."""

    cpu: float
    waited: float


@dataclass(frozen=True, slots=True)
class Used:
    """Nanoseconds that threads ran on a core, and waited for one while they could have run, by
    process and thread."""

    threads: Mapping[tuple[int, int], tuple[int, int]]

    def since(self, before: Used) -> Spent:
        """All of them share one core, so each may have waited for all the others."""
        cpu = 0
        mains = []
        for key, (ran, waited) in self.threads.items():
            ran0, waited0 = before.threads.get(key, (0, 0))
            cpu += ran - ran0
            if key[0] == key[1]:
                mains.append(waited - waited0 + ran - ran0)
        return Spent(cpu / 1e9, max([0, *(main - cpu for main in mains)]) / 1e9)


def used(processes: Iterable[int]) -> Used:
    """By all threads of these processes up to now."""
    threads: dict[tuple[int, int], tuple[int, int]] = {}
    for process in processes:
        for task in _tasks(process):
            try:
                ran, waited, _ = (task / "schedstat").read_text().split()
            except OSError:  # the thread has just ended
                continue
            threads[process, int(task.name)] = int(ran), int(waited)
    return Used(threads)


def family(roots: Iterable[int]) -> list[int]:
    """These processes and all that descend from them."""
    found: list[int] = []
    pending = list(roots)
    while pending:
        process = pending.pop()
        found.append(process)
        for task in _tasks(process):
            try:
                pending += map(int, (task / "children").read_text().split())
            except OSError:
                continue
    return found


def threads(process: int) -> list[int]:
    return [int(task.name) for task in _tasks(process)]


def _tasks(process: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{process}/task").iterdir())
    except OSError:
        return []
