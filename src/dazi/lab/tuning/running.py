"""The trainer as a process of its own: in an environment with torch, watched from here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from dazi.core.errors import CallerError, OperatorError
from dazi.lab.tuning.recipe import Recipe
from dazi.ops.tuning_runs import LOG, PID, Event, busy, events, losses, note, stop

PACKAGE = Path(__file__).resolve().parents[3]
MODULE = "dazi.lab.tuning.trainer"
STOPPED = 75
"""The trainer's exit status when it was stopped and can go on."""
Seen = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Trainer:
    """``python``: of an environment with the ``tune`` extra."""

    python: str

    def check(self) -> dict[str, str]:
        """The versions of what it needs. Raises ``OperatorError`` that says what to install."""
        try:
            done = subprocess.run(
                [self.python, "-m", MODULE, "check"],
                capture_output=True,
                text=True,
                timeout=120,
                env=self._environment(),
                check=False,
            )
            found: dict[str, str | None] = json.loads(done.stdout or "{}")
        except (OSError, ValueError, subprocess.TimeoutExpired):
            found = {}
        missing = [name for name, version in found.items() if not version]
        if not found or missing:
            lacking = ", ".join(missing) or "torch"
            raise OperatorError(
                "tune_extra",
                f"{self.python} 的环境里没有 {lacking}。调优要单独的环境:python3 -m venv tune && "
                "tune/bin/pip install 'torch==2.13.0' && tune/bin/pip install 'dazi[tune]',"
                "然后设 DAZI_TUNE_PYTHON=tune/bin/python。",
                f"The environment of {self.python} lacks {lacking}. Tuning wants one of its own: "
                "python3 -m venv tune && tune/bin/pip install 'torch==2.13.0' && tune/bin/pip "
                "install 'dazi[tune]', then set DAZI_TUNE_PYTHON=tune/bin/python.",
            )
        return {name: str(version) for name, version in found.items()}

    def train(self, folder: Path, recipe: Recipe, seen: Seen) -> int:
        """Train what lies in ``folder``, or go on; the exit status. Ctrl-C or a SIGTERM stops it so that
        it can go on later."""
        if busy(folder):
            raise CallerError(
                "tuning_running", f"{folder} 里正在训练。", f"A training is going on in {folder}."
            )
        command = [*self._launch(recipe), str(folder)]
        with (folder / LOG).open("ab") as log:
            child = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=log, env=self._environment(), text=True
            )
            note(folder, child.pid)
            try:
                with _interrupting():
                    return _watched(child, seen)
            finally:
                (folder / PID).unlink(missing_ok=True)

    def labels(self, folder: Path, samples: Path, adapter: Path | None) -> list[Event]:
        """Classes by likelihood, see ``trainer.labels``."""
        command = [self.python, "-m", MODULE, "labels", str(folder), str(samples)]
        if adapter is not None:
            command += ["--adapter", str(adapter)]
        done = subprocess.run(
            command, capture_output=True, text=True, env=self._environment(), check=False
        )
        if done.returncode:
            raise failed(folder, done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]

    def _launch(self, recipe: Recipe) -> list[str]:
        if recipe.where == "accelerate":
            launch = ["-m", "accelerate.commands.launch", "--num_processes", str(recipe.devices)]
            return [self.python, *launch, "-m", MODULE, "train"]
        return [self.python, "-m", MODULE, "ray" if recipe.where == "ray" else "train"]

    def _environment(self) -> dict[str, str]:
        """The trainer's modules are this package's; nothing else of the product is imported."""
        paths = [str(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
        offline = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
        return {**os.environ, **offline, "PYTHONPATH": os.pathsep.join(paths)}


def python_of(setting: str) -> str:
    return setting or sys.executable


def failed(folder: Path, log: str = "") -> OperatorError:
    """``log``: what the trainer wrote, if not into its file."""
    path = folder / LOG
    text = log or (path.read_text(encoding="utf-8", errors="replace") if path.is_file() else "")
    told = next((e for e in reversed(events(folder)) if e["event"] in ("failed", "begun")), {})
    last = told.get("why") or (text.strip().splitlines() or ["?"])[-1]
    return OperatorError(
        "tuning_failed",
        f"训练没有成功:{last}。全文在 {path}。",
        f"The training failed: {last}. All of it is in {path}.",
    )


@contextmanager
def _interrupting() -> Iterator[None]:
    """What asks this process to end interrupts it at once, however it was started: under ``asyncio.run`` an
    interrupt would wait for the next ``await``, and a SIGTERM would leave the trainer alone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = {n: signal.signal(n, interrupt) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _watched(child: subprocess.Popen[str], seen: Seen) -> int:
    try:
        for event in _told(child):
            seen(event)
        return child.wait()
    except KeyboardInterrupt:
        child.send_signal(signal.SIGTERM)
        for event in _told(child):
            seen(event)
        return child.wait()
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()


def _told(child: subprocess.Popen[str]) -> Iterator[Event]:
    assert child.stdout is not None
    for line in child.stdout:
        if line.startswith('{"event"'):
            yield json.loads(line)


__all__ = [
    "MODULE",
    "PACKAGE",
    "STOPPED",
    "Event",
    "Seen",
    "Trainer",
    "events",
    "failed",
    "losses",
    "stop",
]
