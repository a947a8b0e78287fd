"""Training beside the service: a command as a process of its own, at the lowest priority."""

from __future__ import annotations

import asyncio
import os
import shlex
import signal
from contextlib import suppress
from dataclasses import dataclass

from dazi.core.errors import ConfigError, ConnectorError
from dazi.main.settings import Settings
from dazi.ops.learning.learning import Tuned
from dazi.ops.tuning_runs import LOWEST

LONGEST_TOLD = 500
GRACE_S = 10.0
PASSED, REFUSED = 0, 1
"""Exit statuses of a training whose adapter passed its gate, and of one whose did not."""


@dataclass(frozen=True, slots=True)
class ChildTuner:
    """Implements ``ops.learning.learning.Tuner``. ``{dataset}`` and ``{version}`` in ``command`` are filled in.
    The last line that it prints is told to people."""

    command: tuple[str, ...]

    async def tune(self, dataset: str, version: int) -> Tuned:
        filled = [
            part.replace("{dataset}", dataset).replace("{version}", str(version))
            for part in self.command
        ]
        try:
            process = await asyncio.create_subprocess_exec(
                *filled,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as e:
            raise _broken(str(e.strerror)) from e
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, LOWEST)
        try:
            told = await _last_line(process)
            status = await process.wait()
        except asyncio.CancelledError:
            await asyncio.shield(_end(process))
            raise
        if status not in (PASSED, REFUSED):
            raise _broken(told or str(status))
        return Tuned(told, status == PASSED, told)


def tuner_of(settings: Settings) -> ChildTuner | None:
    """Raises ``ConfigError``."""
    if not settings.learn_command.strip():
        return None
    try:
        return ChildTuner(tuple(shlex.split(settings.learn_command)))
    except ValueError as e:
        raise ConfigError(
            "DAZI_LEARN_COMMAND", None, f"命令写得不对:{e}", f"the command is wrong: {e}"
        ) from None


async def _last_line(process: asyncio.subprocess.Process) -> str:
    """Whatever it prints is read, so that it never waits for us."""
    assert process.stdout is not None
    rest = b""
    while piece := await process.stdout.read(65_536):
        rest = (rest + piece)[-65_536:]
    lines = [line for line in rest.decode("utf-8", "replace").splitlines() if line.strip()]
    return lines[-1].strip()[:LONGEST_TOLD] if lines else ""


async def _end(process: asyncio.subprocess.Process) -> None:
    """With all that it began."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    try:
        async with asyncio.timeout(GRACE_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def _broken(told: str) -> ConnectorError:
    return ConnectorError(
        "failed", f"训练中断:{told}", f"the training broke off: {told}", effect_possible=True
    )
