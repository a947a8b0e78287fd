"""Somebody who is erased is in no dataset: what holds samples of theirs is written again without them.

Serving processes do this, so nothing of the lab is needed for it. A run that is cut short is done
again by the next: the version that still holds something is found as before.
"""

from __future__ import annotations

import json
import secrets
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.errors import OperatorError
from dazi.ops.datasets.card import card
from dazi.ops.datasets.folders import (
    CARD,
    MANIFEST,
    REFUSED,
    REPLIES,
    SPLITS,
    TOOLS,
    Manifest,
    Stage,
    Version,
    Withdrawn,
    digests,
    lines,
    names,
    publish,
    read_manifest,
    root,
    versions,
    write_manifest,
)
from dazi.ops.datasets.people import People
from dazi.ops.tuning_runs import RECIPE, SAMPLES, folder_of, stop
from dazi.store.locks import lock

ADAPTERS, ADAPTER = "adapters", "adapter.json"
ERASED = "erased"
"""The reason of a withdrawal, and what a step that left samples out counts them under."""
TAKEN_BACK = "taken_back"
"""The same, of what is not to be learned from any more."""
LOCK = ".erasing.lock"


@dataclass(frozen=True, slots=True)
class Forgotten:
    """``withdrawn``: versions that held samples of the person; ``samples``: how many in the latest
    of each dataset; ``adapters``: that were trained on one of them, as NAME/VERSION; ``trainings``:
    whose samples are gone."""

    withdrawn: tuple[Version, ...] = ()
    samples: int = 0
    adapters: tuple[str, ...] = ()
    trainings: tuple[str, ...] = ()

    def __add__(self, later: Forgotten) -> Forgotten:
        return Forgotten(
            self.withdrawn + later.withdrawn,
            self.samples + later.samples,
            tuple(dict.fromkeys(self.adapters + later.adapters)),
            self.trainings + later.trainings,
        )


class _Source(msgspec.Struct):
    user: str = ""
    kind: str = ""


class _Line(msgspec.Struct):
    id: str = ""
    source: _Source = msgspec.field(default_factory=_Source)


class _Counted(msgspec.Struct):
    kind: str = ""
    language: str = ""
    source: _Source = msgspec.field(default_factory=_Source)


def forget(
    data: Path, user: str, known_as: str = "", samples: frozenset[str] = frozenset()
) -> Forgotten:
    """Erase ``user`` from every dataset of the data folder; ``known_as``: what else stands for them in
    samples, such as in those out of feedback; ``samples``: ids of such. What is under way is thrown
    away."""
    if not root(data).is_dir():
        return Forgotten()
    marks = frozenset({People(data).mark(user), known_as, *samples} - {""})
    with _one_by_one(data):
        _discard_halves(data)
        return _left_out(data, marks, ERASED)


def leave_out(data: Path, marks: frozenset[str], why: str = ERASED) -> Forgotten:
    """What has one of these ids, or is of one of these people, goes out of every dataset."""
    if not root(data).is_dir():
        return Forgotten()
    with _one_by_one(data):
        return _left_out(data, marks, why)


@contextmanager
def _one_by_one(data: Path) -> Iterator[None]:
    """Two at once would write the same next version of a dataset."""
    with (root(data) / LOCK).open("ab") as file:
        lock(file, wait=True)
        yield


def _left_out(data: Path, marks: frozenset[str], why: str) -> Forgotten:
    gone: list[Version] = []
    samples = 0
    for name in names(data):
        withdrawn, left_out = _from(data, name, marks, why)
        gone += withdrawn
        samples += left_out
    adapters = _mark_adapters(data, gone) if gone else []
    return Forgotten(tuple(gone), samples, tuple(adapters), tuple(_clear_trainings(data)))


def _discard_halves(data: Path) -> None:
    """What is being made of samples, and what a run that was killed has left of a version. It is moved
    first, in one step: whoever writes there either has published it by then or never will."""
    for half in root(data).glob("*/.*"):
        if half.is_dir():
            gone = half.with_name(f".gone-{secrets.token_hex(4)}")
            with suppress(FileNotFoundError):
                half.rename(gone)
                shutil.rmtree(gone)


def _from(data: Path, name: str, marks: frozenset[str], why: str) -> tuple[list[Version], int]:
    """The versions withdrawn, and how many samples the new one lacks of the latest."""
    folder = root(data) / name
    held, broken = [], []
    for n in versions(data, name):
        manifest = _manifest(folder / str(n))
        if manifest is None:
            broken.append(n)
        elif manifest.withdrawn is None:
            held.append(n)
        else:
            _empty(folder / str(n))  # somebody who withdrew it may have been cut short
    holding = [n for n in held if _holds(folder / str(n), marks)]
    left_out = 0
    if holding and holding[-1] == held[-1]:
        left_out = _write_without(folder, held[-1], marks, why)
    for n in holding:
        withdraw(folder / str(n), why)
    unread = [n for n in broken if _holds(folder / str(n), marks)]
    for n in unread:  # nothing can be made of it, and nothing be said in it
        _empty(folder / str(n))
    return [Version(name, n) for n in sorted(holding + unread)], left_out


def _manifest(folder: Path) -> Manifest | None:
    """None where it cannot be read: what it tells of is erased all the same."""
    try:
        return read_manifest(folder)
    except OperatorError:
        return None


def _holds(folder: Path, marks: frozenset[str]) -> bool:
    return any(_is_of(line, marks) for split in SPLITS for line in lines(folder / f"{split}.jsonl"))


def _is_of(line: bytes, marks: frozenset[str]) -> bool:
    if not any(mark.encode() in line for mark in marks):
        return False
    try:
        one = msgspec.json.decode(line, type=_Line)
    except msgspec.MsgspecError:
        return True  # whatever it is, a mark is in it
    return one.source.user in marks or one.id in marks


def _write_without(folder: Path, version: int, marks: frozenset[str], why: str) -> int:
    """Write the version after the latest; how many samples it leaves out."""
    old = folder / str(version)
    before = read_manifest(old)
    number = max(int(p.name) for p in folder.iterdir() if p.name.isdecimal()) + 1
    made = folder / f".{number}.part"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700)
    counts: dict[str, int] = {}
    for split in SPLITS:
        counts[split] = 0
        with (made / f"{split}.jsonl").open("wb") as out:
            for line in lines(old / f"{split}.jsonl"):
                if not _is_of(line, marks):
                    out.write(line)
                    counts[split] += 1
    for name in (TOOLS, REFUSED, REPLIES):
        if (old / name).is_file():
            shutil.copyfile(old / name, made / name)
    gone = before.samples - sum(counts.values())
    stage = Stage(why, before.samples, before.samples - gone, {why: gone})
    manifest = msgspec.structs.replace(
        before,
        version=number,
        made=now(),
        stages=[*before.stages, stage],
        splits=counts,
        sha256=digests(made),
        parents=[Version(before.name, version)],
        counts=count(made),
    )
    write_manifest(made, manifest)
    (made / CARD).write_text(card(manifest), encoding="utf-8")
    publish(made, folder / str(number))
    return gone


def count(folder: Path) -> dict[str, dict[str, int]]:
    """Samples of a version by kind, by language and by source."""
    out: dict[str, dict[str, int]] = {"kind": {}, "language": {}, "source": {}}
    for split in SPLITS:
        for line in lines(folder / f"{split}.jsonl"):
            one = msgspec.json.decode(line, type=_Counted)
            found = {"kind": one.kind, "language": one.language, "source": one.source.kind}
            for group, value in found.items():
                out[group][value] = out[group].get(value, 0) + 1
    return out


def withdraw(folder: Path, why: str = ERASED) -> None:
    """Say first that it is withdrawn, then remove what it held; its manifest and card stay."""
    withdrawn = msgspec.structs.replace(read_manifest(folder), withdrawn=Withdrawn(why, now()))
    write_manifest(folder, withdrawn)
    _empty(folder)
    (folder / CARD).write_text(card(withdrawn), encoding="utf-8")


def _empty(folder: Path) -> None:
    for path in folder.glob("*.jsonl"):
        path.unlink()


def _clear_trainings(data: Path) -> Iterator[str]:
    """Trainings hold samples as they were put to the model: those of withdrawn versions go. One that
    runs is asked to stop; what it has learnt so far stays, as adapters do."""
    for path in sorted(folder_of(data).glob(f"*/{RECIPE}")):
        try:
            recipe = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if not any(_is_withdrawn(f) for f in _trained_on(data, recipe)):
            continue
        stop(path.parent)
        there = [p for name in SAMPLES if (p := path.parent / name).is_file()]
        for samples in there:
            samples.unlink()
        if there:
            yield path.parent.name


def _trained_on(data: Path, recipe: Any) -> Iterator[Path]:
    """The folders of versions that a training's recipe names."""
    for name, version, *_ in recipe.get("origins") or ():
        yield root(data) / str(name) / str(version)
    files = recipe.get("data")
    if isinstance(files, dict):
        for key in ("train", "validation"):
            yield from (Path(p).parent for p in files.get(key) or ())


def _is_withdrawn(folder: Path) -> bool:
    if not (folder / MANIFEST).is_file():
        return False
    manifest = _manifest(folder)
    if manifest is None:
        return not any(folder.glob("*.jsonl"))
    return manifest.withdrawn is not None


def _mark_adapters(data: Path, gone: Sequence[Version]) -> list[str]:
    """Those trained on what is withdrawn are marked; whether they go on serving is for people."""
    marked = []
    for path in sorted((data / ADAPTERS).glob(f"*/*/{ADAPTER}")):
        try:
            told = msgspec.json.decode(path.read_bytes())
        except msgspec.MsgspecError:
            continue  # it cannot be put to use either
        trained = {(d.get("name"), d.get("version")) for d in told.get("datasets", [])}
        hit = [v for v in gone if (v.name, v.version) in trained]
        if not hit:
            continue
        at = now()
        marks = [{"dataset": v.name, "version": v.version, "at": at} for v in hit]
        told["erased"] = [*told.get("erased", []), *marks]
        made = path.with_name(f".{ADAPTER}.part")
        made.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
        made.replace(path)
        marked.append(f"{path.parent.parent.name}/{path.parent.name}")
    return marked


def now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
