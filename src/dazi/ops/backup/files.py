"""Files of the data folder and of the company folder, into a backup and out of it."""

from __future__ import annotations

import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import IO

from dazi.audit.keys import MASTER, SUBJECTS
from dazi.core.errors import OperatorError
from dazi.knowledge.library import INDEX
from dazi.ops.backup.entries import PIECE, File, Packer, Piece
from dazi.ops.backup.keyfile import KNOWN
from dazi.ops.backup.sealed import damaged
from dazi.ops.backup.switch import ASIDE, MARKER, STAGING
from dazi.ops.datasets.folders import FOLDER as DATASETS
from dazi.ops.tuning_runs import FOLDER as TRAININGS
from dazi.store.presence import FILE as LOCK

DATABASE = "dazi.sqlite"
COPYING = ".backup-"
AUDIT = "audit"
HEAD = f"{AUDIT}/head.json"
DATA, COMPANY = "data", "company"
_STAYS = (LOCK, MARKER, "models", DATASETS, TRAININGS)
"""Of this machine; ``models`` are compiled models, made again where they are missing. Datasets, and
trainings that hold their samples, are sealed with nobody's key: a copy would outlive an erasure."""
_NOT_OURS = (STAGING, COPYING, ASIDE, "dazi.before-", ".dazi.before-")
_KEYS = {f"{AUDIT}/{name}" for name in (SUBJECTS, MASTER, KNOWN)}
"""In the file of keys, and nowhere else."""
_SIDES = ("-wal", "-shm", "-journal")
_UNWANTED = {".git", ".venv", "__pycache__", "node_modules"}


def belongs(name: str) -> bool:
    """Whether a name in the data folder is the installation's, and not one machine's or a copy of
    earlier days."""
    return name not in _STAYS and not name.startswith(_NOT_OURS)


def data_files(data: Path) -> Iterator[tuple[str, Path]]:
    """Names below the folder and where they are; the database and the keys are not among them."""
    index = data / INDEX  # made anew of the documents, and somebody may be writing to it
    for path in _below(data, lambda p: p != index and (p.parent != data or belongs(p.name))):
        name = path.relative_to(data).as_posix()
        if name not in _KEYS and name != DATABASE and not name.endswith(_SIDES):
            yield name, path


def company_files(company: Path, data: Path) -> Iterator[tuple[str, Path]]:
    inside = data.resolve()
    for path in _below(company, lambda p: p.name not in _UNWANTED and p.resolve() != inside):
        yield path.relative_to(company).as_posix(), path


def put_file(packer: Packer, file: File, path: Path, data: Path) -> None:
    """An SQLite file is copied first, into ``data``, for somebody may be writing to it."""
    if path.suffix != ".sqlite":
        _put(packer, file, path)
        return
    copy = data / f"{COPYING}{secrets.token_hex(8)}.sqlite"
    try:
        with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(copy)) as target:
            source.backup(target)
        _put(packer, file, copy)
    finally:
        copy.unlink(missing_ok=True)


def put_bytes(packer: Packer, file: File, content: bytes) -> None:
    packer.put(file)
    packer.put(Piece(content))


def rights(path: Path) -> int:
    return path.stat().st_mode & 0o777


def _put(packer: Packer, file: File, path: Path) -> None:
    with suppress(FileNotFoundError), path.open("rb") as content:  # gone meanwhile: left out
        packer.put(file)
        while piece := content.read(PIECE):
            packer.put(Piece(piece))


def _below(folder: Path, wanted: Callable[[Path], bool]) -> Iterator[Path]:
    """Regular files in a fixed order; no link is followed."""
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or not wanted(path):
            continue
        if path.is_dir():
            yield from _below(path, wanted)
        elif path.is_file():
            yield path


class Unpacker:
    """Writes files below the folder of their root; those of other roots are left out.

    Raises ``CallerError`` for a name that leads elsewhere, and ``OSError``.
    """

    def __init__(self, roots: Mapping[str, Path]) -> None:
        self._roots = roots
        self._file: IO[bytes] | None = None
        self.count = 0

    def begin(self, file: File) -> None:
        self.close()
        folder = self._roots.get(file.root)
        if folder is None:
            return
        path = folder / _safe(file.path)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, file.mode | 0o600)
        self._file = os.fdopen(handle, "wb")
        self.count += 1

    def piece(self, data: bytes) -> None:
        if self._file is not None:
            self._file.write(data)

    def close(self) -> None:
        """What was begun is on the disk."""
        file, self._file = self._file, None
        if file is not None:
            with file:
                file.flush()
                os.fsync(file.fileno())


def _safe(name: str) -> Path:
    path = PurePosixPath(name)
    if (
        "\0" in name
        or path.is_absolute()
        or not path.parts
        or ".." in path.parts
        or "\\" in name
        or ":" in name
    ):
        raise damaged()
    return Path(*path.parts)


@contextmanager
def disk() -> Iterator[None]:
    """Raises ``OperatorError`` for what the disk refuses, with the file's name."""
    try:
        yield
    except OSError as e:
        raise OperatorError(
            "disk",
            f"{e.filename or ''} 读不了或写不了:{e.strerror}。检查路径、权限和磁盘空间",
            f"{e.filename or ''} cannot be read or written: {e.strerror}. "
            "Check path, rights and disk",
        ) from e
    except sqlite3.Error as e:
        raise OperatorError(
            "disk", f"复制 SQLite 文件出错:{e}", f"an SQLite file cannot be copied: {e}"
        ) from e
