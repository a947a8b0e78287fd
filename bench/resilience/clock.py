"""A clock that can be set, for a server under test: a small library in front of libc's."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from collections.abc import Mapping
from pathlib import Path

SOURCE = Path(__file__).with_name("clock.c")


class Clock:
    """``env`` makes a process read this clock."""

    def __init__(self, folder: Path) -> None:
        self._library = folder / "clock.so"
        self._file = folder / "clock"
        self._file.write_bytes(struct.pack("q", 0))
        compiler = shutil.which("cc") or "cc"
        subprocess.run(
            [compiler, "-O2", "-shared", "-fPIC", "-o", self._library, SOURCE, "-ldl"], check=True
        )
        with self._file.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), 8)

    @staticmethod
    def possible() -> bool:
        return shutil.which("cc") is not None

    @property
    def env(self) -> Mapping[str, str]:
        return {"LD_PRELOAD": str(self._library), "DAZI_BENCH_CLOCK": str(self._file)}

    def move(self, seconds: int) -> None:
        """By so much from the true time."""
        self._map[:8] = struct.pack("q", seconds)
