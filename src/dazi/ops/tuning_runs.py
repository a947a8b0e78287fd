"""Trainings of this installation, as their folders tell of them: who serves may look, and ask one to stop.

A trainer is a process of its own (``dazi tune run``); it writes ``progress.jsonl`` and leaves its number in
``pid`` while it runs.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

PROGRESS, RECIPE, PID, LOG = "progress.jsonl", "recipe.json", "pid", "trainer.log"
COMMAND = "from dazi.main.cli import run; run()"
LOWEST = 19
SAMPLES = ("train.jsonl", "validation.jsonl")
"""What is trained on, as the model is asked it."""
FOLDER = "tuning"
State = Literal["running", "stopped", "done", "failed"]
Event = Mapping[str, Any]
Point = tuple[int, float]
MOST_POINTS = 500
"""Of a curve that is drawn."""


@dataclass(frozen=True, slots=True)
class TuningRun:
    """``losses`` of steps and ``validations`` by step; ``left`` in seconds, while it runs. ``file``: the
    recipe by which it can go on, empty where it is done, or nobody knows it."""

    name: str
    state: State
    base: str
    method: str
    samples: int
    step: int
    steps: int
    tokens_s: int
    left: int
    spent: float
    losses: tuple[Point, ...]
    validations: tuple[Point, ...]
    file: str = ""


def folder_of(data: Path) -> Path:
    return data / FOLDER


def runs(data: Path, most: int = 0) -> list[TuningRun]:
    """The latest first, ``most`` of them; 0: all. One that is just being made or cleared is left out."""
    found = sorted(folder_of(data).glob("*"), key=lambda p: -_changed(p))
    out: list[TuningRun] = []
    for folder in found:
        if most and len(out) >= most:
            break
        with suppress(OSError, ValueError):
            out.append(read_run(folder))
    return out


def read_run(folder: Path) -> TuningRun:
    told = events(folder)
    recipe = json.loads((folder / RECIPE).read_text(encoding="utf-8"))
    begun = next((e for e in reversed(told) if e["event"] == "begun"), {})
    last = next((e for e in reversed(told) if e["event"] == "step"), {})
    curve = sorted(losses(told).items())
    state = _state(folder, told)
    return TuningRun(
        folder.name,
        state,
        recipe.get("base", ""),
        recipe.get("method", ""),
        begun.get("samples", 0),
        last.get("step", 0),
        last.get("of", begun.get("steps", 0)),
        last.get("tokens_s", 0),
        last.get("left_s", 0),
        last.get("spent_s", 0.0),
        tuple(curve[:: -(-len(curve) // MOST_POINTS) or 1]),
        tuple((e["step"], e["loss"]) for e in told if e["event"] == "validation"),
        recipe.get("file", "") if state in ("stopped", "failed") else "",
    )


def events(folder: Path) -> list[Event]:
    """Everything that a run has told so far; a line that is being written, or that a power cut left in
    pieces, is left out."""
    try:
        lines = (folder / PROGRESS).read_bytes().split(b"\n")[:-1]
    except FileNotFoundError:
        return []
    return list(_whole(lines))


def _whole(lines: Iterable[bytes]) -> Iterator[Event]:
    for line in lines:
        with suppress(ValueError):
            event = json.loads(line)
            if isinstance(event, dict) and "event" in event:
                yield event


def losses(told: Sequence[Event]) -> dict[int, float]:
    """The loss of each step that was told of; of a step that was made twice, the later."""
    out: dict[int, float] = {}
    for event in told:
        if event["event"] == "step":
            first = event["step"] - len(event["losses"]) + 1
            known = enumerate(event["losses"])
            out |= {first + i: loss for i, loss in known if loss is not None}
    return out


def note(folder: Path, number: int) -> None:
    """Say that the process of this number trains there."""
    (folder / PID).write_text(f"{number} {_born(number)}\n")


def running(folder: Path) -> int:
    """The number of the process that trains there; 0 where none does, also where another process has
    been given the number of one that was killed."""
    try:
        number, born = map(int, (folder / PID).read_text().split())
        os.kill(number, 0)
    except (OSError, ValueError):
        return 0
    return number if _born(number) == born else 0


def stop(folder: Path) -> bool:
    """Ask the trainer of this folder to save and end; ``False`` where none runs."""
    number = running(folder)
    if number:
        os.kill(number, signal.SIGTERM)
    return bool(number)


def busy(folder: Path) -> bool:
    """Does another process than this one train there?"""
    return running(folder) not in (0, os.getpid())


def go_on(folder: Path, env: Mapping[str, str]) -> bool:
    """Start ``dazi tune run`` with the recipe of a training that was stopped, beside whoever serves and at
    the lowest priority; ``False`` where it runs or nobody knows its recipe. What it prints is appended
    to the trainer's log. From now on it counts as running, so that it is not started twice."""
    file = read_run(folder).file
    if not file or not Path(file).is_file():
        return False
    with (folder / LOG).open("ab") as log:
        child = subprocess.Popen(
            [sys.executable, "-c", COMMAND, "tune", "run", file],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=dict(env),
            start_new_session=True,
        )
    note(folder, child.pid)
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, child.pid, LOWEST)
    # Whoever ends is waited for, or would be taken for one that still trains where /proc does not tell.
    threading.Thread(target=child.wait, name="tuning", daemon=True).start()
    return True


def _born(number: int) -> int:
    """When a process began, in ticks since the machine did; 0 where the system does not tell, -1 for one
    that has ended and whose parent has not asked yet."""
    try:
        told = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return -1 if told[0] == "Z" else int(told[19])


def _state(folder: Path, told: Sequence[Event]) -> State:
    if running(folder):
        return "running"
    last = told[-1]["event"] if told else ""
    return "done" if last == "done" else "stopped" if last == "stopped" else "failed"


def _changed(folder: Path) -> float:
    return max(_times(folder), default=0.0)


def _times(folder: Path) -> Iterator[float]:
    for name in (PROGRESS, RECIPE):
        with suppress(OSError):
            yield (folder / name).stat().st_mtime
