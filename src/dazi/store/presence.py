"""Who is at work in a data folder: many together, or one alone who exchanges what is in it.

A lock on a file, which ends with the process that has it, however it ends. On Windows, where there
is no such lock, an open database cannot be moved away anyway.
"""

from __future__ import annotations

import os
from pathlib import Path

from dazi.core.errors import OperatorError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

FILE = "dazi.lock"


class Presence:
    """Being in ``folder`` until ``leave``. Raises ``OperatorError`` where somebody is who cannot
    be there at the same time."""

    def __init__(self, folder: Path, *, alone: bool = False) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._handle: int | None = os.open(folder / FILE, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is None:
            return
        try:
            kind = fcntl.LOCK_EX if alone else fcntl.LOCK_SH
            fcntl.flock(self._handle, kind | fcntl.LOCK_NB)
        except BlockingIOError:
            self.leave()
            raise _in_use(folder) if alone else _closed(folder) from None

    def __enter__(self) -> Presence:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def _in_use(folder: Path) -> OperatorError:
    return OperatorError(
        "in_use",
        f"{folder} 正在使用:请先停下 dazi serve 和其他 dazi 命令",
        f"{folder} is in use: stop dazi serve and other dazi commands first",
    )


def _closed(folder: Path) -> OperatorError:
    return OperatorError(
        "restoring",
        f"正在恢复 {folder};等它结束再来",
        f"{folder} is being restored; come back when that is done",
    )
