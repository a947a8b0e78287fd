"""What lies in the folder of a downloaded model beside its files: a note of where they are from,
and a lock for the one process that may write there."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from dazi.core.errors import OperatorError
from dazi.inference.hub.choosing import Choice
from dazi.inference.hub.listing import RemoteFile
from dazi.inference.hub.parts import Part

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

NOTE, LOCK = ".dazi-hub.json", ".dazi-hub.lock"


@dataclass(frozen=True, slots=True)
class Note:
    """``revision``: what was asked for; ``commit``: what it was then, where the hub tells it."""

    hub: str
    repo: str
    revision: str
    commit: str
    files: tuple[RemoteFile, ...]

    @classmethod
    def of(cls, hub: str, repo: str, revision: str, commit: str, choice: Choice) -> Note:
        return cls(hub, repo, revision, commit, choice.files)


@dataclass(frozen=True, slots=True)
class Unfinished:
    """A download that did not come to its end: bytes that are there, and all."""

    note: Note
    folder: Path
    held: int
    size: int


def folder_of(models: Path, repo: str, revision: str = "") -> Path:
    """``models/OWNER/NAME``, and ``@REVISION`` behind it where one was asked for."""
    return models / (f"{repo}@{revision.replace('/', '-')}" if revision else repo)


def write_note(folder: Path, note: Note) -> None:
    """Files that were downloaded into the same folder earlier stay in it, if they are there."""
    new = {f.path for f in note.files}
    try:
        earlier = read_note(folder).files
    except (OSError, ValueError):
        earlier = ()
    kept = tuple(f for f in earlier if f.path not in new and (folder / f.path).is_file())
    _put(folder, replace(note, files=(*note.files, *kept)))


def read_note(folder: Path) -> Note:
    """Raises ``OSError`` or ``ValueError`` where there is none."""
    return msgspec.json.decode((folder / NOTE).read_bytes(), type=Note)


def notes(models: Path) -> Iterator[tuple[Path, Note]]:
    """All of them, by folder."""
    for path in sorted(models.glob(f"*/*/{NOTE}")):
        try:
            yield path.parent, read_note(path.parent)
        except (OSError, ValueError):
            continue


def unfinished(models: Path) -> tuple[Unfinished, ...]:
    found = []
    for folder, note in notes(models):
        done = [f for f in note.files if (folder / f.path).is_file()]
        if len(done) < len(note.files):
            parts = (Part(folder, f) for f in note.files if f not in done)
            held = sum(f.size for f in done) + sum(p.held() for p in parts)
            found.append(Unfinished(note, folder, held, sum(f.size for f in note.files)))
    return tuple(found)


class Lock:
    """For one process, and until it ends, however it ends. Raises ``OperatorError`` where another
    one has it."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._handle: int | None = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        if fcntl is None:
            return
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.leave()
            raise OperatorError(
                "hub_locked",
                f"另一个 dazi 正在下载到 {folder}；等它结束，或先停下它。",
                f"Another dazi is downloading into {folder}; wait for it, or stop it first.",
            ) from None

    def __enter__(self) -> Lock:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def leave(self) -> None:
        handle, self._handle = self._handle, None
        if handle is not None:
            os.close(handle)


def remove_files(folder: Path, names: Collection[str]) -> None:
    """Delete these files of a download, and what had come of them; the folder goes with its last.

    Raises ``OperatorError`` where somebody downloads into it."""
    with Lock(folder):
        note = read_note(folder)
        for file in note.files:
            if file.path in names:
                Part(folder, file).remove()
        kept = tuple(f for f in note.files if f.path not in names)
        if kept:
            _put(folder, replace(note, files=kept))
            return
        (folder / NOTE).unlink()
        (folder / LOCK).unlink()
    below = (p for p in folder.rglob("*") if p.is_dir())
    for path in (*sorted(below, reverse=True), folder, folder.parent):
        with suppress(OSError):  # somebody's own files are in it
            path.rmdir()


def _put(folder: Path, note: Note) -> None:
    fresh = folder / (NOTE + ".tmp")
    fresh.write_bytes(msgspec.json.encode(note))
    os.replace(fresh, folder / NOTE)
