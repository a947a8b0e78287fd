"""Datasets on disk: ``DATA/datasets/NAME/VERSION/``, with versions 1, 2, 3.

A version is never changed once it is written; only an erasure withdraws one, and then its samples are
no longer there.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.errors import CallerError, NotFound, OperatorError

FORMAT = 1
FOLDER, MANIFEST, CARD, REFUSED, TOOLS = (
    "datasets", "manifest.json", "card.md", "refused.jsonl", "tools.json",
)  # fmt: skip
REPLIES = "replies.json"
"""Where samples teach sentences to a model that may say only what it was taught: those."""
SPLITS = ("train", "validation", "test")
MAKING = ".making"
"""What is under way, in a dataset's folder; it is made anew where it is missing."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
_BLOCK = 1 << 20


class Stage(msgspec.Struct, frozen=True, rename={"taken": "in", "given": "out"}):
    """What one step of the making took in and gave on; ``refused`` by reason."""

    name: str
    taken: int
    given: int
    refused: dict[str, int] = {}


class Version(msgspec.Struct, frozen=True):
    """One version of a dataset, by name."""

    name: str
    version: int


class Withdrawn(msgspec.Struct, frozen=True):
    """``at``: when, as ISO 8601 in UTC."""

    why: str
    at: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a version. ``made``: as ISO 8601 in UTC; ``splits``: samples in each;
    ``counts``: samples by kind, by language and by source."""

    format: int
    name: str
    version: int
    made: str
    dazi: str
    recipe: dict[str, Any]
    sources: list[dict[str, Any]]
    stages: list[Stage]
    splits: dict[str, int]
    sha256: dict[str, str]
    withdrawn: Withdrawn | None = None
    parents: list[Version] = []
    counts: dict[str, dict[str, int]] = {}

    @property
    def samples(self) -> int:
        return sum(self.splits.values())


def root(data: Path) -> Path:
    """Where the datasets of the data folder ``data`` are."""
    return data / FOLDER


def checked_name(name: str) -> str:
    """Raises ``CallerError`` for what may be no folder's name."""
    if not _NAME.fullmatch(name):
        raise CallerError(
            "dataset_name",
            f"数据集名 “{name}” 只能用小写字母、数字和连字符",
            f"the dataset's name “{name}” may hold lower-case letters, digits and hyphens only",
        )
    return name


def names(data: Path) -> list[str]:
    """Every dataset that has a version."""
    folder = root(data)
    if not folder.is_dir():
        return []
    return sorted(p.name for p in folder.iterdir() if _NAME.fullmatch(p.name) and _numbers(p))


def versions(data: Path, name: str) -> list[int]:
    """From the oldest; withdrawn ones too."""
    return _numbers(root(data) / checked_name(name))


def place(data: Path, name: str, version: int = 0) -> Path:
    """The folder of a version; 0 is the latest that is not withdrawn.

    Raises ``NotFound``, also where every version is withdrawn.
    """
    folder = root(data) / checked_name(name)
    found = _numbers(folder)
    if not version:
        usable = (v for v in reversed(found) if read_manifest(folder / str(v)).withdrawn is None)
        version = next(usable, 0)
    if version not in found:
        told = f"{name} {version}" if version else name
        raise NotFound("dataset", f"没有数据集 {told}", f"there is no dataset {told}")
    return folder / str(version)


def read_manifest(folder: Path) -> Manifest:
    """Raises ``OperatorError`` for one that cannot be read."""
    path = folder / MANIFEST
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError) as e:
        raise OperatorError(
            "dataset",
            f"{path} 读不了:{e};请重做这一版",
            f"{path} cannot be read: {e}; make it again",
        ) from None


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """As one step: whoever reads meanwhile reads the one before."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    made = folder / f".{MANIFEST}.part"
    made.write_bytes(text + b"\n")
    made.replace(folder / MANIFEST)


def digests(folder: Path) -> dict[str, str]:
    """SHA-256 of each file but the manifest and the card, which say what they are made from."""
    files = sorted(p for p in folder.iterdir() if p.suffix in (".jsonl", ".json"))
    return {p.name: digest(p) for p in files if p.name != MANIFEST}


def digest(path: Path) -> str:
    made = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            made.update(block)
    return made.hexdigest()


def lines(path: Path) -> Iterator[bytes]:
    """The lines of a file that hold anything; none where there is no file."""
    try:
        with path.open("rb") as file:
            yield from (line for line in file if not line.isspace())
    except FileNotFoundError:
        return


def made_by() -> str:
    """The version of Dazi that is installed; empty where it runs from source."""
    try:
        return installed("dazi")
    except PackageNotFoundError:
        return ""


def publish(made: Path, folder: Path) -> None:
    """Give a finished version its name. Raises ``OperatorError`` where there is one already."""
    for path in made.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    if folder.exists():
        raise OperatorError(
            "dataset",
            f"{folder} 已经有了:同时有别人在做,请再运行一次",
            f"{folder} is there already: somebody else made one meanwhile; run it again",
        )
    made.rename(folder)


def _numbers(folder: Path) -> list[int]:
    if not folder.is_dir():
        return []
    there = (p for p in folder.iterdir() if p.name.isdecimal() and (p / MANIFEST).is_file())
    return sorted(int(p.name) for p in there)
