"""Training as a process: at the lowest priority, told by its exit status, ended with its job."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from dazi.core.errors import ConfigError, ConnectorError
from dazi.main.settings import Settings
from dazi.main.tuning_child import ChildTuner, tuner_of


def script(tmp_path: Path, text: str) -> tuple[str, ...]:
    path = tmp_path / "train.py"
    path.write_text(text, "utf-8")
    return (sys.executable, str(path), "{dataset}", "{version}")


@pytest.mark.parametrize(("status", "passed"), [(0, True), (1, False)])
async def test_the_exit_status_is_the_gates_word(tmp_path: Path, status: int, passed: bool) -> None:
    text = f"""
import os, sys, time
while os.getpriority(os.PRIO_PROCESS, 0) < 19:
    time.sleep(0.01)
print("x" * 200_000)
print(sys.argv[1] + "@" + sys.argv[2] + " nice")
sys.exit({status})
"""
    done = await ChildTuner(script(tmp_path, text)).tune("feedback", 3)
    assert (done.passed, done.told) == (passed, "feedback@3 nice")


async def test_what_breaks_off_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ConnectorError, match="no memory"):
        await ChildTuner(script(tmp_path, "print('no memory')\nraise SystemExit(137)")).tune("a", 1)
    with pytest.raises(ConnectorError):
        await ChildTuner((str(tmp_path / "none"),)).tune("a", 1)


async def test_it_ends_with_its_job(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    text = f"import os, time\nopen({str(pid)!r}, 'w').write(str(os.getpid()))\ntime.sleep(600)\n"
    work = asyncio.create_task(ChildTuner(script(tmp_path, text)).tune("a", 1))
    async with asyncio.timeout(60):
        while not (pid.exists() and pid.read_text()):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
    work.cancel()
    with pytest.raises(asyncio.CancelledError):
        await work
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_the_setting_is_a_command() -> None:
    assert tuner_of(Settings()) is None
    found = tuner_of(Settings(learn_command="/opt/tune/bin/dazi tune run 'my recipe.yaml'"))
    assert found is not None and found.command[-1] == "my recipe.yaml"
    with pytest.raises(ConfigError):
        tuner_of(Settings(learn_command="dazi 'tune"))
