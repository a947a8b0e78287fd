"""Processes that a benchmark starts: on one core, stopped while idle, ended for certain."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from bench.machine import family, threads

ROOT = Path(__file__).resolve().parent.parent
LOOPBACK = {"no_proxy": "127.0.0.1,localhost", "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"}
READY_SECONDS = 120.0


class NotStarted(Exception):
    """A side could not be started; says why."""


class Process:
    """A child in a group of its own, with everything that it starts."""

    def __init__(
        self, command: Sequence[str | Path], log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self._log = log
        with log.open("wb") as out:
            self._child = subprocess.Popen(
                [str(part) for part in command],
                stdout=out,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
                env={**os.environ, **LOOPBACK, **(env or {})},
                cwd=ROOT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._child.pid

    def ready(self, url: str, seconds: float = READY_SECONDS) -> None:
        """Wait until ``url`` answers 200. Raises ``NotStarted``."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self._child.poll() is not None:
                raise NotStarted(f"it ended with {self._child.returncode}: {self._said()}")
            try:
                with urllib.request.urlopen(url, timeout=5):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        raise NotStarted(f"it did not answer within {seconds:.0f} s: {self._said()}")

    def line(self, seconds: float = READY_SECONDS) -> str:
        """The first line that it prints. Raises ``NotStarted``."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            said = self._log.read_text(errors="replace")
            if "\n" in said:
                return said.partition("\n")[0]
            if self._child.poll() is not None:
                break
            time.sleep(0.02)
        raise NotStarted(f"it said nothing: {self._said()}")

    def pin(self, on: frozenset[int]) -> None:
        """Keep it, and all that it starts from now on, on these cores."""
        for pid in family([self.pid]):
            for thread in threads(pid):
                with suppress(ProcessLookupError):
                    os.sched_setaffinity(thread, on)

    def signal(self, number: signal.Signals) -> None:
        for pid in family([self.pid]):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    @contextmanager
    def awake(self) -> Iterator[None]:
        self.signal(signal.SIGCONT)
        try:
            yield
        finally:
            self.signal(signal.SIGSTOP)

    def stop(self) -> None:
        if self._child.poll() is not None:
            return
        self.signal(signal.SIGCONT)
        self._child.terminate()
        try:
            self._child.wait(10)
        except subprocess.TimeoutExpired:
            self.signal(signal.SIGKILL)
            self._child.wait(10)

    def _said(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:])[-300:]


def free_port() -> int:
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Upstream:
    """The fake model server, running."""

    port: int
    pid: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"


@contextmanager
def upstream(on: frozenset[int], logs: Path) -> Iterator[Upstream]:
    process = Process([sys.executable, ROOT / "bench" / "upstream.py"], logs / "upstream.log")
    try:
        port = int(process.line())
        process.pin(on)
        yield Upstream(port, process.pid)
    finally:
        process.stop()
