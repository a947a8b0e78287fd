"""BFCL's simulated systems, which are code of the package ``bfcl-eval``: a process of an environment that
has it, for each item one, so that no item finds what another left.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.errors import OperatorError

PROCESS = Path(__file__).with_name("systems_process.py")
BEGIN_S = 60.0
"""Within it the process has to be there: a disk may be slow, a package large."""
CALL_S = 20.0
"""What one call may take. Those of the systems take milliseconds; arguments may make one go on for ever."""
JUDGE_S = 120.0
LINE = 64 << 20
"""Bytes of one answer."""
_KEPT = ("PATH", "LANG", "LC_ALL", "HOME", "TMPDIR", "SYSTEMROOT", "TEMP", "TMP")
"""All that the process is given of the environment: the keys of the installation are not for it."""


@dataclass(frozen=True, slots=True)
class Made:
    """A call as the model made it."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Verdict:
    """``kind``, ``why``, ``details``: of the first turn that is not right; ``turns``: how many are before it."""

    valid: bool
    turns: int
    kind: str = ""
    why: str = ""
    details: str = ""


class Refused(Exception):
    """The process is there and says what was wrong with what it was asked."""


@dataclass(frozen=True, slots=True)
class Systems:
    """Of one item, in the state that the calls so far have brought about."""

    process: asyncio.subprocess.Process
    python: str

    async def begin(self, id: str, classes: Sequence[str], config: Mapping[str, Any]) -> None:
        """Raises ``OperatorError``."""
        request = {"do": "begin", "id": id, "classes": list(classes), "config": dict(config)}
        await self._within(BEGIN_S, request)

    async def call(self, made: Made) -> str:
        """What the system gives, an error of its own too. Raises ``Refused`` for what no system was asked
        for; ``TimeoutError`` after ``CALL_S``: then nothing more can be asked of any; ``OperatorError`` if
        the process is gone."""
        request = {"do": "call", "name": made.name, "arguments": dict(made.arguments)}
        return str((await self._answer(CALL_S, request))["result"])

    async def judge(
        self, turns: Sequence[Sequence[Sequence[Made]]], truth: Sequence[Sequence[str]]
    ) -> Verdict:
        """``turns``: of each its steps, of each its calls; ``truth`` of as many turns. Raises
        ``OperatorError``."""
        made = [
            [[{"name": c.name, "arguments": dict(c.arguments)} for c in step] for step in turn]
            for turn in turns
        ]
        found = await self._within(
            JUDGE_S, {"do": "judge", "turns": made, "truth": [list(t) for t in truth]}
        )
        return Verdict(**found)

    async def _within(self, seconds: float, request: Mapping[str, Any]) -> dict[str, Any]:
        try:
            return await self._answer(seconds, request)
        except TimeoutError:
            raise _broken(self.python, f"no answer to {request['do']} in {seconds:g} s") from None
        except Refused as e:
            raise _broken(self.python, str(e)) from None

    async def _answer(self, seconds: float, request: Mapping[str, Any]) -> dict[str, Any]:
        told, asked = self.process.stdout, self.process.stdin
        assert told is not None and asked is not None
        try:
            async with asyncio.timeout(seconds):
                asked.write(json.dumps(request).encode() + b"\n")
                await asked.drain()
                line = await told.readline()
            found = json.loads(line)
        except (
            ConnectionError,
            ValueError,
        ) as e:  # it has ended, or it does not speak as it should
            raise _broken(self.python, str(e) or "it has ended") from None
        if not isinstance(found, dict):
            raise _broken(self.python, "it does not speak as it should")
        if "error" in found:
            raise Refused(found["error"])
        return found


@asynccontextmanager
async def opened(python: str) -> AsyncIterator[Systems]:
    """Ended with the block, whatever it is doing. Raises ``OperatorError``."""
    try:
        process = await asyncio.create_subprocess_exec(
            *_command(python),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            limit=LINE,
            env=_environment(),
        )
    except OSError as e:
        raise _broken(python, str(e)) from None
    try:
        yield Systems(process, python)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def check(python: str) -> str:
    """The version of the package there. Raises ``OperatorError`` that says what to install."""
    if not python:
        raise OperatorError(
            "bfcl_python",
            f"这个评测要一个装了 bfcl-eval 的环境,没有指明:{_INSTALL}",
            f"this suite wants an environment with bfcl-eval, and none is named: {_INSTALL}",
        )
    try:
        done = subprocess.run(
            _command(python),
            input='{"do": "hello"}\n',
            capture_output=True,
            text=True,
            timeout=BEGIN_S,
            env=_environment(),
            check=False,
        )
        found = json.loads(done.stdout or "{}")
        lacking = "" if "version" in found else str(found.get("error", "it does not answer"))
    except (OSError, ValueError, subprocess.TimeoutExpired) as e:
        lacking = str(e)
    if lacking:
        raise OperatorError(
            "bfcl_python",
            f"{python} 不能用({lacking}):{_INSTALL}",
            f"{python} is not usable ({lacking}): {_INSTALL}",
        )
    return str(found["version"])


_INSTALL = (
    "python3 -m venv bfcl && bfcl/bin/pip install --no-deps bfcl-eval mpmath, "
    "DAZI_BFCL_PYTHON=bfcl/bin/python"
)


def _command(python: str) -> list[str]:
    """``-I``: neither the folder of the script, which has modules of ours, nor ``PYTHONPATH`` is looked in."""
    return [python, "-I", str(PROCESS)]


def _environment() -> dict[str, str]:
    return {name: os.environ[name] for name in _KEPT if name in os.environ}


def _broken(python: str, why: str) -> OperatorError:
    return OperatorError(
        "bfcl_python",
        f"{python} 里的 BFCL 模拟系统不能用:{why}",
        f"BFCL's simulated systems in {python} do not work: {why}",
    )
