"""How much more samples bring: only what was measured, by training on nested parts of a dataset.

``train.jsonl`` is ordered so that its first so many lines are a part of every larger one. Whoever trains
on some of them and evaluates notes the result here; what was not measured is not known, and nothing is
drawn out beyond the largest part.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log2
from pathlib import Path

import msgspec

from dazi.core.language import Language, Text
from dazi.ops.datasets.folders import checked_name, root

FILE = "gain.json"
ENOUGH = 3
"""Points from which on a curve is told."""
UNKNOWN = Text(
    "再加样本能提高多少:不知道。没有在这个数据集的嵌套子集上训练并评测过({n} 个点,要 {enough} 个)。",
    "What more samples would bring: not known. No adapter was trained and evaluated on nested parts of this "
    "dataset ({n} points, {enough} are needed).",
)
POINT = Text(
    "{samples} 条:{metric} {value:.1%}(95% 区间 {low:.1%} 到 {high:.1%}),{run}",
    "{samples} samples: {metric} {value:.1%} (95 % interval {low:.1%} to {high:.1%}), {run}",
)
LAST = Text(
    "从 {less} 条到 {most} 条,每翻一倍带来 {gain:+.1%};{most} 条以上没有测过,不外推。",
    "From {less} to {most} samples each doubling brought {gain:+.1%}; beyond {most} nothing was measured, and "
    "nothing is extrapolated.",
)


class Point(msgspec.Struct, frozen=True):
    """``metric`` of the evaluation ``run``, with its 95 % interval, of what was trained on the first
    ``samples`` lines of ``train.jsonl`` of ``version``."""

    version: int
    samples: int
    metric: str
    value: float
    low: float
    high: float
    run: str


def add(data: Path, name: str, point: Point) -> None:
    """Note what was measured; the same part and metric measured again replaces what was there."""
    path = root(data) / checked_name(name) / FILE
    same = (point.version, point.samples, point.metric)
    kept = [p for p in points(data, name) if (p.version, p.samples, p.metric) != same]
    made = path.with_name(f".{FILE}.part")
    made.write_bytes(msgspec.json.format(msgspec.json.encode([*kept, point]), indent=1))
    made.replace(path)


def points(data: Path, name: str) -> list[Point]:
    """By metric and how many samples."""
    path = root(data) / checked_name(name) / FILE
    if not path.is_file():
        return []
    found = msgspec.json.decode(path.read_bytes(), type=list[Point])
    return sorted(found, key=lambda p: (p.metric, p.samples, p.version))


def told(found: Sequence[Point], language: Language) -> Iterator[str]:
    """The measured points of each metric, and what the last doubling brought."""
    curves = [some for some in _curves(found) if len({p.samples for p in some}) >= ENOUGH]
    if not curves:
        yield UNKNOWN(language).format(n=len(found), enough=ENOUGH)
    for some in curves:
        for p in some:
            yield POINT(language).format(**msgspec.structs.asdict(p))
        if (last := last_doubling(some)) is not None:
            less, gain = last
            yield LAST(language).format(gain=gain, less=less, most=some[-1].samples)


def _curves(found: Sequence[Point]) -> Iterator[list[Point]]:
    """Of each metric the points of one version: parts of two versions are not parts of each other. Of
    several versions the latest with enough points."""
    for metric in sorted({p.metric for p in found}):
        of = [p for p in found if p.metric == metric]
        versions = sorted({p.version for p in of}, reverse=True)
        each = [[p for p in of if p.version == v] for v in versions]
        yield max(each, key=lambda some: len({p.samples for p in some}) >= ENOUGH)


def last_doubling(some: Sequence[Point]) -> tuple[int, float] | None:
    """From which part on, and what twice as many samples brought between it and the largest. ``None``
    where no part is half as large or less: what chance does between parts of nearly the same size
    would be blown up."""
    by_size = {p.samples: p.value for p in sorted(some, key=lambda p: p.samples)}
    more, after = list(by_size.items())[-1]
    less = max((n for n in by_size if n * 2 <= more), default=0)
    if not less:
        return None
    return less, (after - by_size[less]) / log2(more / less)
