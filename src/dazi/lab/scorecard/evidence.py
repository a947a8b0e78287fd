"""What was measured: evaluation runs and compliance reports, as they lie on the disk."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dazi.core.errors import CallerError
from dazi.lab.evals.runs import HEAD, DataOf, ItemRecord, RunFolder, RunStore

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
    """An evaluation run that is done; ``done``: items, ``drawn``: which of ``data`` (limit and seed)."""

    id: str
    suite: str
    model: str
    version: str
    done: int
    metrics: Mapping[str, Measure]
    use: Use
    data: DataOf
    drawn: tuple[int, int] = (0, 0)

    @property
    def asked(self) -> tuple[str, int, int]:
        """Runs in which this is the same asked the same items."""
        return (self.data.sha256, *self.drawn)


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


def read_run(named: str, store: RunStore, beside: Path) -> RunOf:
    """``named``: as ``RunStore.find``, or a folder ``beside`` the file that names it. Raises
    ``NotFound``, and ``CallerError`` for a run that is not done."""
    own = RunFolder(beside / named)
    folder = own if (own.path / HEAD).is_file() else store.find(named)
    head = folder.head
    if not head.ended or head.done < head.of:
        raise CallerError(
            "run",
            f"评测 {head.id} 没有做完（{head.done}/{head.of}）：用 `dazi eval run` 接着做完",
            f"run {head.id} is not finished, {head.done} of {head.of}: go on with `dazi eval run`",
        )
    measured = {
        name: Measure(m.value, m.low, m.high, m.n, head.id)
        for name, m in head.metrics.items()
        if m.value is not None
    }
    use = _use(list(folder.by_id().values()), head.concurrency)
    return RunOf(
        head.id,
        head.suite,
        head.model,
        head.model_version,
        head.done,
        measured,
        use,
        head.data,
        (head.limit, head.seed if head.limit else 0),
    )


def read_compliance(path: Path, frameworks: Sequence[str]) -> Compliant:
    report = _json(path)
    try:
        return _compliant(path, report, frameworks)
    except (KeyError, TypeError, ValueError, AttributeError) as e:
        raise CallerError(
            "file",
            f"{path} 不是 `dazi audit compliance --json` 写的：{e!r}",
            f"{path} was not written by `dazi audit compliance --json`: {e!r}",
        ) from e


def _compliant(path: Path, report: Mapping[str, Any], frameworks: Sequence[str]) -> Compliant:
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


def _use(items: Sequence[ItemRecord], at_once: int) -> Use:
    def mean(values: list[float]) -> float | None:
        return sum(values) / len(values) if values else None

    answered = [i for i in items if not i.error]  # how fast a request fails is no pace
    counted = [i.tokens for i in answered if i.tokens.prompt or i.tokens.completion]
    ms = mean([i.ms for i in answered if i.ms])
    return Use(
        mean([float(t.prompt) for t in counted]),
        mean([float(t.completion) for t in counted]),
        ms,
        at_once / (ms / 1000) if ms else None,
        at_once,
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as e:
        raise CallerError("file", f"读不了 {path}：{e}", f"{path} cannot be read: {e}") from e
    if not isinstance(found, dict):
        raise CallerError("file", f"{path} 不是 JSON 对象", f"{path} is no JSON object")
    return found
