"""Reads datasets: folders of samples with a manifest, or files of samples alone."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Literal

import msgspec

from dazi.core.engine import TaughtReply
from dazi.core.errors import CallerError, NotFound
from dazi.core.language import Language
from dazi.lab.tuning.recipe import Files
from dazi.ops.datasets.folders import (
    MANIFEST,
    REPLIES,
    Withdrawn,
    digest,
    place,
    read_manifest,
    root,
)

Kind = Literal["chat", "call", "qa", "text", "class"]
VALIDATION_SHARE = 0.1


class SampleCall(msgspec.Struct, frozen=True):
    name: str
    arguments: dict[str, Any] = {}


class SampleMessage(msgspec.Struct, frozen=True):
    """``name``: the tool of a result. ``learn``: of an assistant's message, whether it is taught or
    only part of the story."""

    role: Literal["system", "user", "assistant", "tool"]
    content: str = ""
    tool_calls: tuple[SampleCall, ...] = ()
    name: str = ""
    learn: bool = True


class Sample(msgspec.Struct, frozen=True):
    """One conversation. ``tools``: those that were called, and the product chooses what is offered
    beside them; with others among them, exactly those that are offered, in their order. ``label`` of
    the kind ``class``: what the last message is."""

    id: str
    messages: tuple[SampleMessage, ...]
    conversation: str = ""
    kind: Kind = "chat"
    language: Language = "zh"
    tools: tuple[str, ...] = ()
    label: str = ""
    role: str = ""
    today: date | None = None
    source: dict[str, Any] = {}

    @property
    def offered(self) -> tuple[str, ...]:
        """Exactly the tools to be offered; empty where the product chooses."""
        called = {c.name for m in self.messages for c in m.tool_calls}
        return self.tools if set(self.tools) - called else ()


@dataclass(frozen=True, slots=True)
class Origin:
    """What an adapter keeps of a dataset that it was trained on."""

    name: str
    version: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Material:
    """``tools``: declarations as a model sees them, by name. ``origins``: where samples are from."""

    train: tuple[Sample, ...]
    validation: tuple[Sample, ...]
    tools: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    replies: tuple[TaughtReply, ...] = ()
    origins: tuple[Origin, ...] = ()


def read_material(data: Path, wanted: Sequence[str] | Files, seed: int) -> Material:
    """``wanted``: ``NAME@VERSION`` each (the newest without a version), or files.

    A conversation is in one split as a whole. Raises ``NotFound`` for an unknown dataset and
    ``CallerError`` for a withdrawn one and for lines that are no samples.
    """
    if isinstance(wanted, Files):
        return _of_files(wanted, seed)
    parts = [_of_dataset(data, name, seed) for name in wanted]
    tools: dict[str, Mapping[str, Any]] = {}
    for part in parts:
        tools |= part.tools
    return Material(
        tuple(s for p in parts for s in p.train),
        tuple(s for p in parts for s in p.validation),
        tools,
        tuple(dict.fromkeys(r for p in parts for r in p.replies)),
        tuple(o for p in parts for o in p.origins),
    )


def find_dataset(data: Path, wanted: str) -> Path:
    """The folder of ``NAME@VERSION``, or of the newest version of ``NAME`` that is not withdrawn. Raises
    ``NotFound`` and ``CallerError``."""
    name, _, version = wanted.partition("@")
    if version and not version.isdecimal():
        raise NotFound("dataset", f"没有数据集 {wanted}", f"there is no dataset {wanted}")
    return place(data, name, int(version or 0))


def withdrawn(data: Path, origin: Origin) -> Withdrawn | None:
    """Why a dataset may be used no more, if so."""
    folder = root(data) / origin.name / str(origin.version)
    return read_manifest(folder).withdrawn if (folder / MANIFEST).is_file() else None


def _of_dataset(data: Path, wanted: str, seed: int) -> Material:
    folder = find_dataset(data, wanted)
    manifest = read_manifest(folder)
    if manifest.withdrawn is not None:
        raise CallerError(
            "dataset_withdrawn",
            f"数据集 {manifest.name}@{manifest.version} 已撤回({manifest.withdrawn.why});请用更新的版本。",
            f"The dataset {manifest.name}@{manifest.version} is withdrawn "
            f"({manifest.withdrawn.why}); use a newer version.",
        )
    for name, expected in manifest.sha256.items():
        if (folder / name).is_file() and digest(folder / name) != expected:
            raise CallerError(
                "dataset_changed",
                f"{folder / name} 与清单里的校验值不符;数据集写成后不该再改。",
                f"{folder / name} does not match its manifest; a dataset is not changed once made.",
            )
    train = tuple(read_samples([folder / "train.jsonl"]))
    path = folder / "validation.jsonl"
    held = tuple(read_samples([path])) if path.is_file() else ()
    if not held:
        train, held = split(train, seed)
    origin = Origin(manifest.name, manifest.version, digest(folder / MANIFEST))
    return Material(
        train, held, _tools(folder / "tools.json"), _replies(folder / REPLIES), (origin,)
    )


def _of_files(files: Files, seed: int) -> Material:
    train = tuple(read_samples(files.train))
    held = tuple(read_samples(files.validation))
    if not held:
        train, held = split(train, seed)
    return Material(train, held, _tools(files.tools), _replies(files.replies))


def read_samples(paths: Iterable[Path]) -> Iterator[Sample]:
    decoder = msgspec.json.Decoder(Sample)
    for path in paths:
        try:
            lines = path.read_bytes().splitlines()
        except OSError as e:
            raise CallerError(
                "no_samples",
                f"读不了 {path}:{e.strerror}",
                f"cannot read {path}: {e.strerror}",
            ) from None
        for number, line in enumerate(lines, 1):
            if not line.strip():
                continue
            try:
                yield decoder.decode(line)
            except msgspec.MsgspecError as e:
                raise CallerError(
                    "no_sample",
                    f"{path}:{number} 不是样本:{e}",
                    f"{path}:{number} is no sample: {e}",
                ) from None


def split(
    samples: Sequence[Sample], seed: int, share: float = VALIDATION_SHARE
) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    """By conversation: what is said in one is in one part only."""
    groups: dict[str, list[Sample]] = {}
    for sample in samples:
        groups.setdefault(sample.conversation or sample.id, []).append(sample)
    names = sorted(groups)
    random.Random(seed).shuffle(names)
    held = set(names[: int(len(names) * share)])
    train = [s for s in samples if (s.conversation or s.id) not in held]
    return tuple(train), tuple(s for s in samples if (s.conversation or s.id) in held)


def _tools(path: Path | None) -> dict[str, Mapping[str, Any]]:
    if path is None or not path.is_file():
        return {}
    return _decoded(path, dict[str, dict[str, Any]])  # type: ignore[no-any-return]


def _replies(path: Path | None) -> tuple[TaughtReply, ...]:
    if path is None or not path.is_file():
        return ()
    return tuple(_decoded(path, list[TaughtReply]))


def _decoded(path: Path, kind: Any) -> Any:
    try:
        return msgspec.json.decode(path.read_bytes(), type=kind)
    except msgspec.MsgspecError as e:
        raise CallerError(
            "dataset_unreadable", f"{path} 读不懂:{e}", f"{path} cannot be read: {e}"
        ) from e
