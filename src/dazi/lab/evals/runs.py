"""Runs of evaluations as folders: ``run.json`` says what was run and what it came to, ``items.jsonl`` has
a line for each item that was done, written as it ended, so that a run that was stopped goes on.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import msgspec

from dazi.core.errors import CallerError, NotFound
from dazi.store.locks import lock

FORMAT = 1
HEAD, ITEMS = "run.json", "items.jsonl"
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass(frozen=True, slots=True)
class Metric:
    """``value`` with its 95 % bounds, ``None`` where there are none (times, sums); over ``n`` items."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0


@dataclass(frozen=True, slots=True)
class DataOf:
    """What was asked: ``sha256`` of all of it."""

    name: str
    sha256: str
    licence: str = ""


@dataclass(frozen=True, slots=True)
class Tokens:
    prompt: int = 0
    completion: int = 0
    cached: int = 0


@dataclass(frozen=True, slots=True)
class ItemRecord:
    """``scores``: 0 to 1, ``None`` where a metric says nothing of this item. ``conversation``: items with
    the same one are not independent; empty: it stands alone. ``cost`` in yuan; ``ms``: the time the
    assistant took. ``trace``: whatever is needed to see why the verdict is so."""

    id: str
    group: str
    language: str
    scores: Mapping[str, float | None]
    right: bool
    why: tuple[str, ...] = ()
    tokens: Tokens = field(default_factory=Tokens)
    ms: float = 0.0
    cost: float | None = None
    error: str = ""
    conversation: str = ""
    trace: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunHead:
    """``data``, ``company``: what was asked, and the declarations it was asked of. ``limit``: so many
    items, drawn with ``seed``; 0: all. ``groups``: the metrics of each group."""

    id: str
    suite: str
    model: str
    made_by: str
    model_version: str
    began: str
    data: DataOf
    company: str
    switches: Mapping[str, bool | str] = field(default_factory=dict)
    seed: int = 0
    limit: int = 0
    concurrency: int = 1
    machine: Mapping[str, Any] = field(default_factory=dict)
    ended: str = ""
    done: int = 0
    of: int = 0
    metrics: Mapping[str, Metric] = field(default_factory=dict)
    groups: Mapping[str, Mapping[str, Metric]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    format: int = FORMAT

    @property
    def key(self) -> str:
        """Runs with the same key ask the same of the same."""
        parts = (
            self.suite,
            self.data.sha256,
            self.company,
            self.model,
            self.model_version,
            self.made_by,
            dict(sorted(self.switches.items())),
            self.seed,
            self.limit,
        )
        return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def run_id(when: str, suite: str, model: str) -> str:
    """``YYYYMMDD-HHMMSS-suite-model``; ``when`` is its first part."""
    return f"{when}-{suite}-{_UNSAFE.sub('-', model).strip('-.')[:60] or 'model'}"


class RunFolder:
    """One run. Only one process at a time may write it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def head(self) -> RunHead:
        """Raises ``CallerError`` for a folder that holds no run of this format."""
        try:
            head = msgspec.json.decode((self.path / HEAD).read_bytes(), type=RunHead)
        except (OSError, msgspec.MsgspecError) as e:
            raise CallerError(
                "run", f"{self.path} 里没有评测:{e}", f"{self.path} holds no run: {e}"
            ) from None
        if head.format != FORMAT:
            raise CallerError(
                "run",
                f"{self.path} 的格式是 {head.format},这个版本读 {FORMAT}",
                f"{self.path} is of format {head.format}; this version reads {FORMAT}",
            )
        return head

    def write(self, head: RunHead) -> None:
        """The whole file or the one before it: a stop in between spoils nothing."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        text = msgspec.json.format(msgspec.json.encode(head), indent=1)
        part = self.path / f"{HEAD}.part"
        part.write_bytes(text + b"\n")
        os.replace(part, self.path / HEAD)

    def records(self) -> Iterator[ItemRecord]:
        """In the order in which they ended. The end of a line that was being written is left out."""
        try:
            file = (self.path / ITEMS).open("rb")
        except FileNotFoundError:
            return
        with file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield msgspec.json.decode(line, type=ItemRecord)
                except msgspec.MsgspecError as e:
                    where = f"{self.path / ITEMS}:{number}"
                    raise CallerError("run", f"{where}:{e}", f"{where}: {e}") from None

    def by_id(self) -> dict[str, ItemRecord]:
        """A line for an item that stands again further down counts no more."""
        return {r.id: r for r in self.records()}

    def appending(self) -> Appending:
        """Raises ``CallerError`` while another process writes this run."""
        return Appending(self.path / ITEMS)


class Appending:
    """Writes records, each at once."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("a+b")
        try:
            lock(self._file)
        except OSError:
            self._file.close()
            raise CallerError(
                "run_busy",
                f"另一个进程正在写 {path.parent}",
                f"another process is writing {path.parent}",
            ) from None
        self._cut_torn_line()

    def _cut_torn_line(self) -> None:
        self._file.seek(0)
        whole = 0
        for line in self._file:
            whole += len(line) if line.endswith(b"\n") else 0
        self._file.truncate(whole)

    def add(self, record: ItemRecord) -> None:
        try:
            line = msgspec.json.encode(record, enc_hook=str)
        except (ValueError, OverflowError, TypeError):
            # A model may write what JSON cannot hold (half a surrogate pair, endless numbers): it is kept
            # as near as can be, and ends nothing.
            line = msgspec.json.encode(_writable(msgspec.to_builtins(record, enc_hook=str)))
        self._file.write(line + b"\n")
        self._file.flush()

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> Appending:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _writable(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_writable(str(k)): _writable(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_writable(v) for v in value]
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return str(value)
    return value


class RunStore:
    """The runs of a data folder, in ``evals/``."""

    def __init__(self, data: Path) -> None:
        self.folder = data / "evals"

    def all(self) -> list[tuple[RunFolder, RunHead]]:
        """The newest first; folders that hold no run are left out."""
        out = []
        if self.folder.is_dir():
            for path in sorted(self.folder.iterdir(), reverse=True):
                if (path / HEAD).is_file():
                    folder = RunFolder(path)
                    try:
                        out.append((folder, folder.head))
                    except CallerError:
                        continue
        return out

    def find(self, name: str) -> RunFolder:
        """By id, by the beginning of one where only one run has it, ``latest``, or the path of a
        folder. Raises ``NotFound``."""
        if (Path(name) / HEAD).is_file():
            return RunFolder(Path(name))
        runs = self.all()
        if name == "latest" and runs:
            return runs[0][0]
        exact = [f for f, h in runs if h.id == name]
        found = exact or [f for f, h in runs if name and h.id.startswith(name)]
        if len(found) != 1:
            known = ", ".join(h.id for _, h in runs[:5]) or "-"
            raise NotFound(
                "run",
                f"没有评测 {name}(或不止一个);最近的:{known}",
                f"no run {name}, or more than one; the latest: {known}",
            )
        return found[0]

    def same(self, head: RunHead) -> RunFolder | None:
        """The newest run that asked the same of the same."""
        return next((f for f, h in self.all() if h.key == head.key), None)

    def new(self, head: RunHead) -> RunFolder:
        """A folder for ``head``; of two that begin in one second the later gets a number."""
        name, number = head.id, 1
        while True:
            try:
                (self.folder / name).mkdir(mode=0o700, parents=True)
            except FileExistsError:
                number += 1
                name = f"{head.id}-{number}"
            else:
                break
        folder = RunFolder(self.folder / name)
        folder.write(replace(head, id=name))
        return folder


def digest(parts: Sequence[Path]) -> str:
    """Of the content of files, in the order of their names."""
    whole = hashlib.sha256()
    for path in sorted(parts):
        whole.update(path.name.encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()
