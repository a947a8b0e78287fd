"""Accepted samples as a version of a dataset, split by conversation.

A dataset out of feedback holds all that is accepted, so each version repeats the one before; a conversation
stays in the part that it was in, or what was kept out would be trained on later.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import shutil
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dazi.core.errors import CallerError, OperatorError
from dazi.ops.datasets.card import card
from dazi.ops.datasets.erasing import count, now
from dazi.ops.datasets.folders import (
    CARD,
    FORMAT,
    REFUSED,
    SPLITS,
    TOOLS,
    Manifest,
    Stage,
    Version,
    checked_name,
    digests,
    lines,
    made_by,
    publish,
    root,
    versions,
    write_manifest,
)

VALIDATION, TEST = 0.1, 0.1
"""Shares of conversations that are kept out of training."""


@dataclass(frozen=True, slots=True)
class Made:
    """``samples``: of each split; ``refused``: for which reasons how many."""

    name: str
    version: int
    folder: Path
    samples: Mapping[str, int]
    refused: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.samples.values())


@dataclass(frozen=True, slots=True)
class Wanted:
    """``samples``: as dictionaries in the format of a dataset. ``tools``: as the model sees them."""

    name: str
    samples: Sequence[Mapping[str, Any]]
    tools: Mapping[str, Any]
    recipe: Mapping[str, Any]
    parents: tuple[Version, ...] = ()


def split_of(conversation: str) -> str:
    """The same for a conversation in every version."""
    digest = hashlib.sha256(f"split\n{conversation}".encode()).digest()
    at = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if at < TEST else "validation" if at < TEST + VALIDATION else "train"


def make(data: Path, wanted: Wanted) -> Made:
    """The next version of the dataset. Raises ``CallerError`` for a name that is none or where there is
    no sample, and ``OperatorError`` where it cannot be written."""
    name = checked_name(wanted.name)
    kept, refused = _distinct(wanted.samples)
    if not kept:
        raise CallerError("dataset", "没有可用的样本", "there are no samples to use")
    try:
        return _write(data, name, wanted, kept, refused)
    except OSError as e:
        raise OperatorError(
            "dataset",
            f"数据集写不进去:{e.strerror}",
            f"the dataset cannot be written: {e.strerror}",
        ) from e


def read(version: Path) -> Iterator[dict[str, Any]]:
    """All samples of a version."""
    for split in SPLITS:
        yield from (msgspec.json.decode(line) for line in lines(version / f"{split}.jsonl"))


def as_lines(samples: Iterable[Mapping[str, Any]]) -> str:
    return "".join(json.dumps(s, ensure_ascii=False, sort_keys=True) + "\n" for s in samples)


def _distinct(
    samples: Sequence[Mapping[str, Any]],
) -> tuple[list[Mapping[str, Any]], list[dict[str, str]]]:
    seen: set[str] = set()
    kept: list[Mapping[str, Any]] = []
    refused: list[dict[str, str]] = []
    for sample in samples:
        same = json.dumps(sample["messages"], sort_keys=True)
        if same in seen:
            refused.append({"id": str(sample["id"]), "stage": "duplicates", "reason": "duplicate"})
            continue
        seen.add(same)
        kept.append(sample)
    return kept, refused


def _write(
    data: Path,
    name: str,
    wanted: Wanted,
    kept: Sequence[Mapping[str, Any]],
    refused: Sequence[Mapping[str, str]],
) -> Made:
    folder = root(data) / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = max(versions(data, name), default=0) + 1
    coming = folder / f".{number}.{secrets.token_hex(4)}"
    coming.mkdir(mode=0o700)
    try:
        return _fill(coming, folder / str(number), wanted, kept, refused)
    except BaseException:
        shutil.rmtree(coming, ignore_errors=True)
        raise


def _fill(
    coming: Path,
    version: Path,
    wanted: Wanted,
    kept: Sequence[Mapping[str, Any]],
    refused: Sequence[Mapping[str, str]],
) -> Made:
    name, number = wanted.name, int(version.name)
    parts: dict[str, list[Mapping[str, Any]]] = {split: [] for split in SPLITS}
    for sample in kept:
        parts[split_of(str(sample["conversation"]))].append(sample)
    for split, of in parts.items():
        (coming / f"{split}.jsonl").write_text(as_lines(of), "utf-8")
    (coming / REFUSED).write_text(as_lines(refused), "utf-8")
    used = {tool for s in kept for tool in s.get("tools", ())}
    tools = {n: t for n, t in wanted.tools.items() if n in used}
    (coming / TOOLS).write_text(json.dumps(tools, ensure_ascii=False, indent=1) + "\n", "utf-8")
    reasons = dict(Counter(r["reason"] for r in refused))
    counts = {split: len(of) for split, of in parts.items()}
    manifest = Manifest(
        format=FORMAT,
        name=name,
        version=number,
        made=now(),
        dazi=made_by(),
        recipe=dict(wanted.recipe),
        sources=_sources(kept),
        stages=[Stage("duplicates", len(kept) + len(refused), len(kept), reasons)],
        splits=counts,
        sha256=digests(coming),
        parents=list(wanted.parents),
        counts=count(coming),
    )
    write_manifest(coming, manifest)
    (coming / CARD).write_text(card(manifest), "utf-8")
    publish(coming, version)
    return Made(name, number, version, counts, reasons)


def _sources(kept: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """By kind, licence and ground."""
    counted = Counter(
        (s["source"]["kind"], s["source"].get("licence", ""), s["source"].get("consent", ""))
        for s in kept
    )
    return [
        {"ref": kind, "read": n, "licence": licence, "consent": consent}
        for (kind, licence, consent), n in counted.items()
    ]
