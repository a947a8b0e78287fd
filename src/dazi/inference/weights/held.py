"""Folders that are there as long as a process works on them.

The process holds a lock in the folder, which the system lets go however the process ends. So what a
killed one left behind is known by its lock, and swept away by whoever comes next; a process id would
not do, for containers with one memory between them count processes each for itself.
"""

from __future__ import annotations

import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

LOCK = ".held"
RENAMED_S = 60.0


@contextmanager
def held(parent: Path, prefix: str) -> Iterator[Path]:
    """A new folder in ``parent`` that nobody else may look into; gone afterwards, unless it was renamed.

    Raises ``OSError``."""
    sweep(parent, prefix)
    token = secrets.token_hex(6)
    fresh, folder = parent / f".{token}.new", parent / f"{prefix}{token}"
    fresh.mkdir(mode=0o700)
    handle = os.open(fresh / LOCK, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if fcntl is not None:
            fcntl.flock(handle, fcntl.LOCK_EX)
        fresh.rename(folder)  # with its lock: nobody takes it for one that was left
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def sweep(parent: Path, prefix: str) -> list[Path]:
    """Remove the folders of this user that nobody holds; says which. Without locks nobody knows, and
    all stay."""
    if fcntl is None or not parent.is_dir():
        return []
    return [p for p in sorted(parent.glob(f"{prefix}*")) if _left(p) and not _removed(p).exists()]


def _left(folder: Path) -> bool:
    try:
        if folder.is_symlink() or not folder.is_dir() or folder.stat().st_uid != os.getuid():
            return False
        handle = os.open(folder / LOCK, os.O_RDWR)
    except FileNotFoundError:
        return _old(folder)  # what is whole lets its lock go just before it takes its name
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    finally:
        os.close(handle)
    return True


def _old(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime > RENAMED_S
    except OSError:
        return False


def _removed(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    return folder
