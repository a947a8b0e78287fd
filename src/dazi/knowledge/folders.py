"""What lies in a folder of documents: names, titles and rights, without reading the documents.

``documents.json`` in a folder tells of the files beside it: a list of objects with ``file`` and, as
wanted, ``title``, ``readers`` (labels, see ``rights``) or ``roles`` (names). A Markdown file may say the
same of itself between two lines of ``---`` at its beginning.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.errors import CallerError
from dazi.knowledge.parsing.front import HEAD, front_matter
from dazi.knowledge.parsing.kinds import kind_of
from dazi.knowledge.parsing.refusals import Refused
from dazi.knowledge.rights import ALL

LIST = "documents.json"
MOST_FILES = 100_000
_LINE = re.compile(r"(title|readers|roles)[ \t]*:[ \t]*(\S.*)")


@dataclass(frozen=True, slots=True)
class Listed:
    """A file: ``place`` within its folder, ``size`` in bytes, ``changed`` in seconds since the epoch.
    ``readers`` are ``None`` where nothing is said of them: then the source's count."""

    place: str
    path: Path
    size: int
    changed: float
    title: str = ""
    readers: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Listing:
    """``unknown``: how many other files there are, of kinds that are not read."""

    files: tuple[Listed, ...]
    unknown: int


def listing(folder: Path) -> Listing:
    """Every file of a known kind below ``folder``, by name; links and hidden names are passed over.

    Raises ``CallerError`` for what is no folder, holds too many files, or a ``documents.json`` that
    cannot be understood: rights must not be guessed.
    """
    if not folder.is_dir():
        raise CallerError("folder", f"没有文件夹 {folder}", f"there is no folder {folder}")
    files: list[Listed] = []
    unknown = 0
    for root, names, about in _folders(folder):
        for name in names:
            path = Path(root) / name
            found = _listed(path, folder, about.get(name, {}))
            unknown += found is None
            files += [found] if found else []
        if len(files) > MOST_FILES:
            raise CallerError(
                "folder",
                f"{folder} 里的文件超过 {MOST_FILES} 个;请分成几个来源",
                f"{folder} holds more than {MOST_FILES} files; make several sources of it",
            )
    return Listing(tuple(files), unknown)


def _folders(folder: Path) -> Iterator[tuple[str, list[str], Mapping[str, Mapping[str, Any]]]]:
    for root, below, names in os.walk(folder):
        below[:] = sorted(n for n in below if not n.startswith("."))
        about = _told(Path(root) / LIST) if LIST in names else {}
        yield root, sorted(n for n in names if n != LIST and not n.startswith(".")), about


def _listed(path: Path, folder: Path, told: Mapping[str, Any]) -> Listed | None:
    """``None`` for a file that is of no known kind, or no file."""
    try:
        if kind_of(path) is None or path.is_symlink():
            return None
    except Refused as refused:
        if refused.reason != "legacy":  # those are said to need saving anew
            return None
    status = path.lstat()
    if path.suffix.lower() in (".md", ".markdown"):
        told = {**_of_itself(path), **told}
    place = path.relative_to(folder).as_posix()
    title = str(told.get("title", ""))
    return Listed(place, path, status.st_size, status.st_mtime, title, _readers(told))


def _told(path: Path) -> dict[str, Mapping[str, Any]]:
    try:
        entries = msgspec.json.decode(path.read_bytes())
        return {str(e["file"]): e for e in entries if _understood(e)}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as e:
        raise CallerError(
            "documents_json",
            f"{path} 看不懂:应是对象的列表,每个有 file,可有 title、readers、roles({e})",
            f"{path} is not understood: a list of objects, each with file and maybe title, readers, "
            f"roles ({e})",
        ) from None


def _understood(entry: Mapping[str, Any]) -> bool:
    for key in ("readers", "roles"):
        if not isinstance(entry.get(key, []), list):
            raise ValueError(key)
    return True


def _of_itself(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        front, _ = front_matter(file.read(4 * HEAD).decode("utf-8", "replace"))
    out: dict[str, Any] = {}
    for line in front.splitlines():
        if found := _LINE.fullmatch(line.rstrip()):
            value = found[2].strip().strip("\"'")
            values = [v.strip().strip("\"'") for v in value.strip("[]").split(",")]
            out[found[1]] = value if found[1] == "title" else values
    return out


def _readers(told: Mapping[str, Any]) -> frozenset[str] | None:
    if "readers" not in told and "roles" not in told:
        return None
    roles = (str(r) for r in told.get("roles", ()))
    return frozenset(
        {str(r) for r in told.get("readers", ())} | {r if r == ALL else f"role:{r}" for r in roles}
    )
