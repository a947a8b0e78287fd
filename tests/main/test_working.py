"""``dazi jobs work`` as a process of its own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dazi.main.initialise import initialise

CODE = "from dazi.main.cli import run; run()"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to listen to")
def test_it_ends_in_order_when_it_is_told_to(tmp_path: Path) -> None:
    """As the first process of a container too, where a signal that nobody listens to does nothing."""
    initialise(tmp_path / "company", "en")
    process = subprocess.Popen(
        [sys.executable, "-c", CODE, "jobs", "work", "--company", str(tmp_path / "company")],
        env={**os.environ, "DAZI_DATA": str(tmp_path / "data"), "DAZI_LANG": "en"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    assert process.stderr is not None
    try:
        for line in process.stderr:
            if b"Working on jobs" in line:
                break
        time.sleep(0.3)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
