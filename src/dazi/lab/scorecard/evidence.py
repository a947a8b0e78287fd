"""What was measured: evaluation runs and compliance reports, as they lie on the disk."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.errors import CallerError

RUN, ITEMS = "run.json", "items.jsonl"
COUNTED = ("pass", "fail", "not_supported")
"""Of the checks of a compliance report those that say something of the software."""


@dataclass(frozen=True, slots=True)
class Measure:
    """``low`` and ``high``: the interval of 95 % where there is one; ``run``: where it was measured."""

    value: float
    low: float | None
    high: float | None
    n: int
    run: str

    @property
    def deviation(self) -> float:
        """The standard error that the interval stands for; 0 without one."""
        if self.low is None or self.high is None:
            return 0.0
        return (self.high - self.low) / 2 / 1.959964


@dataclass(frozen=True, slots=True)
class Use:
    """What an item took on average. ``a_second``: items in one second of the whole run, as many at once as
    ``at_once``. ``None``: not on record."""

    read: float | None
    written: float | None
    ms: float | None
    a_second: float | None
    at_once: int


@dataclass(frozen=True, slots=True)
class RunOf:
    """``right``: of each item, by its id."""

    id: str
    folder: Path
    suite: str
    model: str
    version: str
    done: int
    of: int
    metrics: Mapping[str, Measure]
    use: Use
    data: Mapping[str, Any]
    right: Mapping[str, bool]


@dataclass(frozen=True, slots=True)
class Compliant:
    """Counts of each status, of the frameworks that were looked at. ``failed``: (framework, id, titles)."""

    path: Path
    at: str
    counts: Mapping[str, int]
    failed: tuple[tuple[str, str, Mapping[str, str]], ...]

    @property
    def score(self) -> float | None:
        counted = sum(self.counts.get(s, 0) for s in COUNTED)
        return self.counts.get("pass", 0) / counted if counted else None


def read_run(named: str, runs: Path, beside: Path) -> RunOf:
    """``named``: the id of a run in ``runs``, or a folder, ``beside`` what names it."""
    places = [p for p in (runs / named, beside / named) if (p / RUN).is_file()]
    if not places:
        raise CallerError(
            "run",
            f"没有评测 {named}：`dazi eval list` 列出有的，或写文件夹",
            f"no evaluation run {named}: `dazi eval list` tells which there are, or name a folder",
        )
    folder = places[0]
    about = _json(folder / RUN)
    items = list(_items(folder / ITEMS))
    found = RunOf(
        str(about["id"]),
        folder,
        str(about["suite"]),
        str(about["model"]),
        str(about.get("model_version", "")),
        int(about["done"]),
        int(about["of"]),
        {name: _measure(m, str(about["id"])) for name, m in about["metrics"].items()},
        _use(items, about),
        about.get("data") or {},
        {str(i["id"]): bool(i["right"]) for i in items},
    )
    if found.done < found.of:
        raise CallerError(
            "run",
            f"评测 {found.id} 只做了 {found.done}/{found.of}：用 `dazi eval run` 接着做完",
            f"run {found.id} has {found.done} of {found.of} items: finish it with `dazi eval run`",
        )
    return found


def read_compliance(path: Path, frameworks: Sequence[str]) -> Compliant:
    report = _json(path)
    counts: dict[str, int] = {}
    failed = []
    seen = [str(f["key"]) for f in report["frameworks"]]
    if unknown := [f for f in frameworks if f not in seen]:
        raise CallerError(
            "frameworks",
            f"{path.name} 里没有 {', '.join(unknown)}；有：{', '.join(seen)}",
            f"{path.name} has no {', '.join(unknown)}; it has {', '.join(seen)}",
        )
    for framework in report["frameworks"]:
        if frameworks and framework["key"] not in frameworks:
            continue
        for item in framework["items"]:
            counts[item["status"]] = counts.get(item["status"], 0) + 1
            if item["status"] == "fail":
                failed.append((str(framework["key"]), str(item["id"]), dict(item["title"])))
    return Compliant(path, str(report["at"]), counts, tuple(failed))


def _measure(given: Any, run: str) -> Measure:
    if isinstance(given, int | float):
        return Measure(float(given), None, None, 0, run)
    low, high = given.get("low"), given.get("high")
    return Measure(
        float(given["value"]),
        None if low is None else float(low),
        None if high is None else float(high),
        int(given.get("n") or 0),
        run,
    )


def _use(items: Sequence[Mapping[str, Any]], about: Mapping[str, Any]) -> Use:
    def mean(values: list[float]) -> float | None:
        return sum(values) / len(values) if values else None

    tokens = [i["tokens"] for i in items if i.get("tokens")]
    spent = [float(i["ms"]) for i in items if i.get("ms")]
    at_once = int(about.get("concurrency") or 1)
    ms = mean(spent)
    return Use(
        mean([float(t["prompt"]) for t in tokens]),
        mean([float(t["completion"]) for t in tokens]),
        ms,
        at_once / (ms / 1000) if ms else None,
        at_once,
    )


def _items(path: Path) -> Iterator[Mapping[str, Any]]:
    """The last line of an item counts; one that was cut off, as a run was killed, is none."""
    found: dict[str, Mapping[str, Any]] = {}
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            for line in lines:
                if line.endswith("\n") and line.strip():
                    item = json.loads(line)
                    found[str(item["id"])] = item
    yield from found.values()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise CallerError("file", f"读不了 {path}：{e}", f"{path} cannot be read: {e}") from e
    if not isinstance(found, dict):
        raise CallerError("file", f"{path} 不是 JSON 对象", f"{path} is no JSON object")
    return found
