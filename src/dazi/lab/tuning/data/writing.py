"""The finished version: samples in their splits, what belongs beside them, and the manifest.

What hangs together (a conversation, near-duplicates) goes into one split, which is chosen by a digest of
its conversations: a later version with more samples moves none from one split to another, unless it joins
what was apart. The order is by digest too, so that the first so many lines of ``train.jsonl`` are a
sample of all of them and hold every smaller one.
"""

from __future__ import annotations

import shutil
from array import array
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import numpy as np
from numpy.typing import NDArray

from dazi.lab.tuning.data.hashing import digest, mixed
from dazi.lab.tuning.data.recipe import Placed
from dazi.lab.tuning.data.samples import Draft
from dazi.lab.tuning.data.work import Work
from dazi.ops.datasets.card import card
from dazi.ops.datasets.erasing import now
from dazi.ops.datasets.folders import (
    CARD,
    FORMAT,
    REFUSED,
    SPLITS,
    TOOLS,
    Manifest,
    digests,
    made_by,
    publish,
    root,
    versions,
    write_manifest,
)

LARGEST, FEW = 0.05, 20
"""What hangs together and is more than this share of all, and than so many, is for training only."""
_BUFFER = 1 << 20


@dataclass(frozen=True, slots=True)
class Beside:
    """``tools``: as the model is offered them, by name; ``sources``: for the manifest."""

    tools: Mapping[str, Any]
    sources: list[dict[str, Any]]


def write(placed: Placed, data: Path, work: Work, beside: Beside) -> tuple[Manifest, Path]:
    """Write the next version from what the last step of ``work`` gave."""
    recipe = placed.recipe
    folder = root(data) / recipe.name
    number = (versions(data, recipe.name) or [0])[-1] + 1
    made = folder / f".{number}.part"
    shutil.rmtree(made, ignore_errors=True)
    made.mkdir(mode=0o700, parents=True)
    counts, used = _write_samples(placed, work, made)
    tools = {name: beside.tools[name] for name in sorted(used) if name in beside.tools}
    (made / TOOLS).write_bytes(msgspec.json.format(msgspec.json.encode(tools), indent=1))
    with (made / REFUSED).open("wb", _BUFFER) as out:
        out.writelines(work.refused())
    manifest = Manifest(
        format=FORMAT,
        name=recipe.name,
        version=number,
        made=now(),
        dazi=made_by(),
        recipe=recipe.model_dump(mode="json", exclude_defaults=True),
        sources=beside.sources,
        stages=list(work.stages),
        splits=counts.pop("split"),
        sha256=digests(made),
        counts=counts,
    )
    write_manifest(made, manifest)
    (made / CARD).write_text(card(manifest), encoding="utf-8")
    publish(made, folder / str(number))
    return manifest, folder / str(number)


def _write_samples(
    placed: Placed, work: Work, made: Path
) -> tuple[dict[str, dict[str, int]], set[str]]:
    """How many of each split, kind, language and source, and the tools that are spoken of."""
    which = _splits(placed, work.drafts(), work.stages[-1].taken)
    counts: dict[str, Counter[str]] = {
        "split": Counter(dict.fromkeys(SPLITS, 0)),
        "kind": Counter(),
        "language": Counter(),
        "source": Counter(),
    }
    used: set[str] = set()
    files = {split: _Shuffled(made, split, placed.recipe.seed) for split in SPLITS}
    for n, draft in enumerate(work.drafts()):
        sample = draft.sample
        split = SPLITS[which[n]]
        used.update(sample.tools, (c.name for m in sample.messages for c in m.tool_calls))
        counts["split"][split] += 1
        counts["kind"][sample.kind] += 1
        counts["language"][sample.language] += 1
        counts["source"][sample.source.kind] += 1
        files[split].add(sample.id, msgspec.json.encode(sample) + b"\n")
    for file in files.values():
        file.finish()
    return {k: dict(v) for k, v in counts.items()}, used


def _splits(placed: Placed, drafts: Iterable[Draft], most: int) -> NDArray[np.uint8]:
    """Of each sample the number of its split."""
    group, own = array("q"), array("Q")
    for draft in drafts:
        group.append(draft.group)
        own.append(digest(draft.sample.conversation))
    if not group:
        return np.empty(0, np.uint8)
    groups = np.frombuffer(group, np.int64)
    size = max(most, int(groups.max()) + 1)
    key = np.full(size, np.iinfo(np.uint64).max, np.uint64)
    np.minimum.at(key, groups, np.frombuffer(own, np.uint64))
    large = np.bincount(groups, minlength=size) > max(FEW, LARGEST * len(groups))
    seed = np.uint64(digest(f"split {placed.recipe.seed}"))
    place = mixed(key ^ seed) / float(1 << 64)
    of = placed.recipe.splits
    out = np.zeros(size, np.uint8)
    out[place < of.test + of.validation] = SPLITS.index("validation")
    out[place < of.test] = SPLITS.index("test")
    out[large] = SPLITS.index("train")
    return out[groups]


class _Shuffled:
    """A file whose lines come to stand in the order of a digest of their ids."""

    def __init__(self, folder: Path, split: str, seed: int) -> None:
        self._path = folder / f"{split}.jsonl"
        self._seed = f"order {seed} "
        self._raw = folder / f".{split}.raw"
        self._out: BinaryIO = self._raw.open("wb", _BUFFER)
        self._keys, self._starts, self._at = array("Q"), array("q"), 0

    def add(self, id: str, line: bytes) -> None:
        self._out.write(line)
        self._keys.append(digest(self._seed + id))
        self._starts.append(self._at)
        self._at += len(line)

    def finish(self) -> None:
        self._out.close()
        order = np.argsort(np.array(self._keys, np.uint64), kind="stable")
        with self._raw.open("rb") as raw, self._path.open("wb", _BUFFER) as out:
            for n in order:
                raw.seek(self._starts[n])
                out.write(raw.readline())
        self._raw.unlink()
