"""Files with keys: readable by their owner alone, and whole or not there."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from dazi.core.errors import OperatorError

_WRITING = os.O_WRONLY | os.O_CREAT | getattr(os, "O_BINARY", 0)


@contextmanager
def keys_at(path: Path) -> Iterator[None]:
    """Raises ``OperatorError`` where the file cannot be read or written."""
    try:
        yield
    except OSError as e:
        raise OperatorError(
            "audit_keys",
            f"审计密钥 {path} 读不了或写不了:{e.strerror}。检查数据目录的权限和磁盘空间",
            f"the audit keys at {path} cannot be read or written: {e.strerror}. "
            "Check the data folder's rights and the disk",
        ) from e


def read_or_make(path: Path, make: Callable[[], bytes]) -> bytes:
    """The file's content; where it is not there, made once, whoever else makes it too."""
    with keys_at(path):
        try:
            return path.read_bytes()
        except FileNotFoundError:
            made = _beside(path, make())
            try:
                os.link(made, path)
            except FileExistsError:
                pass  # another process was faster: its key counts
            finally:
                made.unlink()
            sync_folder(path.parent)
            return path.read_bytes()


def replace(path: Path, data: bytes) -> None:
    """Write the file anew, as one step."""
    with keys_at(path):
        os.replace(_beside(path, data), path)
        sync_folder(path.parent)


def append_line(path: Path, line: bytes) -> None:
    with keys_at(path):
        _folder(path.parent)
        handle = os.open(path, _WRITING | os.O_APPEND, 0o600)
        try:
            os.write(handle, line + b"\n")
            os.fsync(handle)
        finally:
            os.close(handle)


def _beside(path: Path, data: bytes) -> Path:
    _folder(path.parent)
    made = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(made, _WRITING | os.O_EXCL, 0o600)
    try:
        os.write(handle, data)
        os.fsync(handle)
    finally:
        os.close(handle)
    return made


def _folder(folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def sync_folder(folder: Path) -> None:
    """What was renamed or linked in it outlives a power cut."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
