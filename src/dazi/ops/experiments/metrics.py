"""What is measured of a turn, and which way is better."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from dazi.core.errors import CallerError
from dazi.core.experiments import Figures
from dazi.core.language import Text

EVENT = "event:"
NO_UNIT = Text("", "")
_EVENT = re.compile(r"event:[a-z][a-z0-9_]{0,39}")


@dataclass(frozen=True, slots=True)
class Metric:
    """``kind``: a ``rate`` is of things that happen or not, from 0 to 1; a ``mean`` is of amounts, which
    are cut at ``cap``, so that one turn that hung cannot decide alone. ``unit`` is for
    people."""

    name: str
    label: Text
    kind: Literal["rate", "mean"]
    better: Literal["up", "down"]
    cap: float = 1.0
    unit: Text = NO_UNIT


BUILT_IN = (
    Metric("success", Text("答成的比例", "answered"), "rate", "up"),
    Metric("latency", Text("用时", "time taken"), "mean", "down", 120_000.0, Text("毫秒", "ms")),
    Metric("tokens", Text("词元", "tokens"), "mean", "down", 200_000.0),
    Metric("cost", Text("费用", "cost"), "mean", "down", 100.0, Text("元", "yuan")),
    Metric("refused", Text("有调用没做成", "a call not carried out"), "rate", "down"),
    Metric("confirmation", Text("请人确认", "asked to confirm"), "rate", "down"),
    Metric("guarded", Text("护栏改动了回答", "changed by the guard"), "rate", "down"),
    Metric("replaced", Text("有没根据的话被换掉", "unfounded words replaced"), "rate", "down"),
    Metric("handed_over", Text("转给人", "handed over"), "rate", "down"),
    Metric("rating", Text("评分", "rating"), "mean", "up", 5.0, Text("星", "stars")),
)
METRICS: Mapping[str, Metric] = {m.name: m for m in BUILT_IN}
EVENTS = ("handed_over", "rating")
"""What is not a turn's own and may happen later."""


def is_event(name: str) -> bool:
    return name in EVENTS or name.startswith(EVENT)


def metric(name: str) -> Metric:
    """Raises ``CallerError`` for a name that is none."""
    if name in METRICS:
        return METRICS[name]
    if _EVENT.fullmatch(name):
        what = name.removeprefix(EVENT)
        return Metric(name, Text(f"事件 {what}", f"event {what}"), "rate", "up")
    known = ", ".join(METRICS)
    raise CallerError(
        "metric",
        f"没有指标 {name[:60]};可用:{known},或 event:名字(小写字母、数字、下划线)",
        f"no metric {name[:60]}; there are: {known}, or event:NAME (lower case, digits, underscores)",
    )


def values_of(f: Figures) -> dict[str, float]:
    """A turn's own metrics."""
    out = {
        "success": float(f.ok),
        "latency": f.ms,
        "tokens": float(f.tokens),
        "refused": float(f.refused),
        "confirmation": float(f.confirmation),
        "guarded": float(f.guarded),
        "replaced": float(f.replaced),
    }
    if f.cost is not None:
        out["cost"] = f.cost
    return {name: min(value, METRICS[name].cap) for name, value in out.items()}
