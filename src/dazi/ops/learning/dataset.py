"""Accepted samples as a dataset: a folder that is never changed, with its parts split by conversation.

The format is that of all datasets here (docs/*/learning.md). Only erasure makes a version obsolete: it
writes the next one without what was erased, and marks the older ones as withdrawn.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from dazi.core.errors import CallerError, OperatorError

FOLDER = "datasets"
SPLITS = ("train", "validation", "test")
VALIDATION, TEST = 0.1, 0.1
"""Shares of conversations that are kept out of training."""
FEW = 1_000
"""Fewer samples than this are seldom worth a training."""
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Made:
    """``samples``: of each split; ``refused``: for which reasons how many."""

    name: str
    version: int
    folder: Path
    samples: Mapping[str, int]
    refused: Mapping[str, int]
    ids: tuple[str, ...] = ()

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
    parents: tuple[Mapping[str, Any], ...] = ()


def check_name(name: str) -> str:
    """Raises ``CallerError``."""
    if _NAME.fullmatch(name) is None:
        raise CallerError(
            "dataset",
            "数据集的名字由小写字母、数字和 - 组成,最多 40 个",
            "a dataset's name has lower-case letters, digits and -, up to 40",
        )
    return name


def split_of(conversation: str) -> str:
    """The same for a conversation in every version, so that nothing that was kept out is trained on
    later."""
    digest = hashlib.sha256(f"split\n{conversation}".encode()).digest()
    at = int.from_bytes(digest[:8], "big") / 2**64
    return "test" if at < TEST else "validation" if at < TEST + VALIDATION else "train"


def make(data: Path, wanted: Wanted) -> Made:
    """The next version of the dataset. Raises ``CallerError`` for a name that is none or where there is
    no sample, and ``OperatorError`` where it cannot be written."""
    name = check_name(wanted.name)
    kept, refused = _distinct(wanted.samples)
    if not kept:
        raise CallerError("dataset", "没有可用的样本", "there are no samples to use")
    try:
        return _write(data / FOLDER / name, wanted, kept, refused)
    except OSError as e:
        raise OperatorError(
            "dataset",
            f"数据集写不进去:{e.strerror}",
            f"the dataset cannot be written: {e.strerror}",
        ) from e


def without(data: Path, person: str) -> int:
    """Take the samples of somebody who is erased out of all datasets: where the latest version of one has
    some, there is a new one without them; the older ones lose theirs and are marked as withdrawn. How
    many versions had some."""
    found = 0
    for folder in sorted(p for p in (data / FOLDER).glob("*") if p.is_dir()):
        versions = [v for v in _versions(folder) if _has(folder / str(v), person)]
        found += len(versions)
        latest = max(_versions(folder), default=0)
        if latest in versions:
            samples = [s for s in read(folder / str(latest)) if s["source"].get("user") != person]
            if samples:
                recipe = _json(folder / str(latest) / "manifest.json").get("recipe", {})
                tools = _json(folder / str(latest) / "tools.json")
                parent = {"name": folder.name, "version": latest}
                make(data, Wanted(folder.name, samples, tools, recipe, (parent,)))
        for version in versions:
            _withdraw(folder / str(version), person)
    return found


def read(version: Path) -> Iterator[dict[str, Any]]:
    """All samples of a version."""
    for split in SPLITS:
        path = version / f"{split}.jsonl"
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                yield from (json.loads(line) for line in lines if line.strip())


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
            refused.append({"id": str(sample["id"]), "stage": "clean", "reason": "duplicate"})
            continue
        seen.add(same)
        kept.append(sample)
    return kept, refused


def _write(
    folder: Path,
    wanted: Wanted,
    kept: Sequence[Mapping[str, Any]],
    refused: Sequence[Mapping[str, str]],
) -> Made:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    number = max(_versions(folder), default=0) + 1
    coming = folder / f".{number}.{os.getpid()}"
    shutil.rmtree(coming, ignore_errors=True)
    coming.mkdir(mode=0o700)
    parts: dict[str, list[Mapping[str, Any]]] = {split: [] for split in SPLITS}
    for sample in kept:
        parts[split_of(str(sample["conversation"]))].append(sample)
    for split, of in parts.items():
        (coming / f"{split}.jsonl").write_text(as_lines(of), "utf-8")
    (coming / "refused.jsonl").write_text(as_lines(refused), "utf-8")
    used = {name for s in kept for name in s.get("tools", ())}
    tools = {n: t for n, t in wanted.tools.items() if n in used}
    (coming / "tools.json").write_text(_shown(tools), "utf-8")
    reasons = Counter(r["reason"] for r in refused)
    counts = {split: len(of) for split, of in parts.items()}
    manifest = {
        "format": 1,
        "name": wanted.name,
        "version": number,
        "made": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "dazi": _made_by(),
        "recipe": dict(wanted.recipe),
        "sources": [{"kind": k, "samples": n} for k, n in _sources(kept).items()],
        "stages": [
            {"name": "clean", "in": len(kept) + len(refused), "out": len(kept), "refused": reasons}
        ],
        "splits": counts,
        "sha256": {p.name: _digest(p) for p in sorted(coming.iterdir())},
        "withdrawn": None,
        "parents": [dict(p) for p in wanted.parents],
    }
    (coming / "manifest.json").write_text(_shown(manifest), "utf-8")
    made = Made(
        wanted.name, number, folder / str(number), counts, reasons,
        tuple(str(s["source"].get("ref", "")) for s in kept),
    )  # fmt: skip
    (coming / "card.md").write_text(_card(made, kept), "utf-8")
    coming.rename(made.folder)
    return made


def _made_by() -> str:
    """The installed version; empty where it runs from source."""
    try:
        return installed("dazi")
    except PackageNotFoundError:
        return ""


def _card(made: Made, kept: Sequence[Mapping[str, Any]]) -> str:
    kinds = Counter(str(s["kind"]) for s in kept)
    languages = Counter(str(s["language"]) for s in kept)
    grounds = Counter(str(s["source"].get("consent", "")) for s in kept)
    few = made.total < FEW
    zh = [
        f"# {made.name} 第 {made.version} 版",
        "",
        f"{made.total} 条样本:训练 {made.samples['train']}、验证 {made.samples['validation']}、"
        f"测试 {made.samples['test']},按会话分开。",
        f"来自使用中的反馈,经人审过;个人信息已换成护栏的代称。种类:{_told(kinds)};语言:{_told(languages)};"
        f"依据:{_told(grounds)}。",
        *([f"少于 {FEW} 条:单独用它训练多半没有明显的改进。"] if few else []),
    ]
    en = [
        "",
        f"{made.total} samples: {made.samples['train']} to train on, {made.samples['validation']} to "
        f"validate, {made.samples['test']} to test, apart by conversation.",
        "From feedback in use, each reviewed by a person; personal data is replaced by the guard's "
        f"stand-ins. Kinds: {_told(kinds)}; languages: {_told(languages)}; grounds: {_told(grounds)}.",
        *([f"Fewer than {FEW}: training on it alone will seldom show."] if few else []),
        "",
    ]
    return "\n".join([*zh, *en])


def _withdraw(version: Path, person: str) -> None:
    """What stays of a withdrawn version is without the person, too."""
    for split in SPLITS:
        path = version / f"{split}.jsonl"
        if path.is_file():
            with path.open(encoding="utf-8") as lines:
                samples = [json.loads(line) for line in lines if line.strip()]
            kept = [s for s in samples if s["source"].get("user") != person]
            path.write_text(as_lines(kept), "utf-8")
    path = version / "manifest.json"
    manifest = _json(path)
    at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    manifest["withdrawn"] = manifest.get("withdrawn") or {"why": "erasure", "at": at}
    told = manifest.get("sha256", {})
    manifest["sha256"] = {n: _digest(version / n) for n in told if (version / n).is_file()}
    path.write_text(_shown(manifest), "utf-8")


def _has(version: Path, person: str) -> bool:
    return any(s["source"].get("user") == person for s in read(version))


def _versions(folder: Path) -> list[int]:
    return [int(p.name) for p in folder.iterdir() if p.is_dir() and p.name.isdigit()]


def _sources(kept: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    return dict(Counter(str(s["source"]["kind"]) for s in kept))


def _told(counted: Counter[str]) -> str:
    return ", ".join(f"{name or '-'} {n}" for name, n in counted.most_common())


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _json(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def _shown(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
