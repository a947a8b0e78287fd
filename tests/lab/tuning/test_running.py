"""The trainer's process, played by a script: it is stopped as the real one is, and what it says is told."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from dazi.lab.tuning.running import PACKAGE, STOPPED, failed
from dazi.lab.tuning.trainer.progress import Progress

PLAYED = """#!{python}
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: (print('{{"event": "stopped"}}', flush=True), sys.exit(75)))
signal.signal(signal.SIGINT, signal.SIG_IGN)
print('{{"event": "begun"}}', flush=True)
time.sleep(20)
"""


WATCHES = """
import asyncio, sys
from pathlib import Path
from dazi.lab.tuning.recipe import Recipe
from dazi.lab.tuning.running import Trainer

async def main():
    recipe = Recipe(name="a", data="a@1")
    return Trainer(sys.argv[1]).train(Path(sys.argv[2]), recipe, lambda e: print(e["event"], flush=True))

print(asyncio.run(main()))
"""
"""As ``dazi tune run`` does: a process of its own, which can be sent signals."""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_what_stops_this_process_stops_the_trainer_first(
    tmp_path: Path, number: signal.Signals
) -> None:
    script = tmp_path / "python"
    script.write_text(PLAYED.format(python=sys.executable))
    script.chmod(0o700)
    env = {**os.environ, "PYTHONPATH": str(PACKAGE)}
    command = [sys.executable, "-c", WATCHES, str(script), str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env) as watcher:
        assert watcher.stdout is not None and watcher.stdout.readline() == "begun\n"
        watcher.send_signal(number)
        told, _ = watcher.communicate(timeout=60)
    assert told.split() == ["stopped", str(STOPPED)] and watcher.returncode == 0


def test_a_training_outlives_whoever_watched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Gone:
        def write(self, text: str) -> int:
            raise BrokenPipeError

        def flush(self) -> None:
            raise BrokenPipeError

    with monkeypatch.context() as m:
        m.setattr(sys, "stdout", Gone())
        Progress(tmp_path).say("step", step=1)
        Progress(tmp_path).say("stopped")
    assert len((tmp_path / "progress.jsonl").read_text().splitlines()) == 2


def test_why_it_failed_is_told(tmp_path: Path) -> None:
    (tmp_path / "trainer.log").write_text("some warning\n")
    assert "some warning" in failed(tmp_path).message("en")
    Progress(tmp_path).say("failed", why="every sample is too long")
    assert "every sample is too long" in failed(tmp_path).message("en")
    Progress(tmp_path).say("begun")
    assert "some warning" in failed(tmp_path).message("en")
