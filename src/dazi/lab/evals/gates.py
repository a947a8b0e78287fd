"""Regression gates: what a second run must not lose against a first one.

A file of gates is YAML: a list under ``gates``, each with ``metric`` and one of

- ``drops_at_most: 0.02`` by which the paired difference may fall; ``by`` says what is held against it:
  ``point`` (the difference itself, the default), ``bound`` (the lower end of its 95 % interval: it must be
  shown that no more is lost), or ``proven`` (the upper end: it fails only where a greater loss is shown);
- ``at_most: 0`` or ``at_least: 0.9`` for the metric of the second run itself; ``by: bound`` takes the end of
  its interval that is worse;
- ``grows_at_most: 0.2`` for times, tokens and cost: the second may be at most so much more, as a share.

``group`` looks at one group of items. A metric that is not there fails its gate.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

from dazi.core.errors import ConfigError
from dazi.core.language import Text
from dazi.lab.evals.comparing import Comparison
from dazi.lab.evals.runs import Metric, RunHead

By = Literal["point", "bound", "proven"]
RULES = ("drops_at_most", "at_most", "at_least", "grows_at_most")


class Gate(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    metric: str
    drops_at_most: float | None = None
    at_most: float | None = None
    at_least: float | None = None
    grows_at_most: float | None = None
    by: By = "point"
    group: str = ""

    @property
    def rule(self) -> str:
        return next(r for r in RULES if getattr(self, r) is not None)

    @property
    def limit(self) -> float:
        return float(getattr(self, self.rule))

    @property
    def name(self) -> str:
        return f"{self.group}/{self.metric}" if self.group else self.metric


class _File(msgspec.Struct, forbid_unknown_fields=True):
    gates: list[Gate]


@dataclass(frozen=True, slots=True)
class GateResult:
    """``seen``: what was held against the limit, ``None`` where there is nothing."""

    gate: Gate
    passed: bool
    seen: float | None
    text: Text


def read_gates(path: Path) -> tuple[Gate, ...]:
    """Raises ``ConfigError`` for what is no such file, and for a gate with no rule or several."""
    try:
        data: Any = yaml.safe_load(path.read_text("utf-8"))
        gates = msgspec.convert(data, _File).gates
    except OSError as e:
        raise ConfigError(path, None, f"读不了:{e}", f"cannot be read: {e}") from None
    except (msgspec.ValidationError, yaml.YAMLError, UnicodeDecodeError) as e:
        raise ConfigError(path, None, f"不是门槛文件:{e}", f"is no file of gates: {e}") from None
    for number, gate in enumerate(gates, 1):
        given = [r for r in RULES if getattr(gate, r) is not None]
        if len(given) != 1:
            raise ConfigError(
                path,
                None,
                f"第 {number} 条({gate.metric})要写 {'、'.join(RULES)} 中的一个",
                f"gate {number} ({gate.metric}) needs one of {', '.join(RULES)}",
            )
    if not gates:
        raise ConfigError(path, None, "一条门槛也没有", "holds no gate")
    return tuple(gates)


def judged(gates: tuple[Gate, ...], comparison: Comparison) -> list[GateResult]:
    return [_judged(g, comparison) for g in gates]


def _judged(gate: Gate, comparison: Comparison) -> GateResult:
    if gate.rule == "drops_at_most":
        seen = _lost(gate, comparison)
    elif gate.rule == "grows_at_most":
        seen = _grown(gate, comparison)
    else:
        seen = _itself(gate, comparison.second)
    if seen is None:
        text = Text(f"{gate.name}:没有测到", f"{gate.name}: not measured")
        return GateResult(gate, False, None, text)
    # Sums of shares in binary come out a hair beside the limit that somebody wrote.
    within = seen - gate.limit if gate.rule != "at_least" else gate.limit - seen
    passed = within <= 1e-12
    said = {
        "drops_at_most": Text(
            "下降 {seen:.4g},至多 {limit:.4g}", "drops by {seen:.4g}, at most {limit:.4g}"
        ),
        "grows_at_most": Text(
            "增加 {seen:.4g},至多 {limit:.4g}", "grows by {seen:.4g}, at most {limit:.4g}"
        ),
        "at_most": Text("是 {seen:.4g},至多 {limit:.4g}", "is {seen:.4g}, at most {limit:.4g}"),
        "at_least": Text("是 {seen:.4g},至少 {limit:.4g}", "is {seen:.4g}, at least {limit:.4g}"),
    }[gate.rule]
    words = {
        "point": Text("", ""),
        "bound": Text("(按区间不利的一端)", " (by the worse end of the interval)"),
        "proven": Text("(按区间有利的一端)", " (by the better end of the interval)"),
    }[gate.by]
    values = {"seen": seen, "limit": gate.limit}
    return GateResult(
        gate,
        passed,
        seen,
        Text(
            f"{gate.name}:{said.zh.format(**values)}{words.zh}",
            f"{gate.name}: {said.en.format(**values)}{words.en}",
        ),
    )


def _lost(gate: Gate, comparison: Comparison) -> float | None:
    found = comparison.of(gate.metric, gate.group)
    if found is None:
        return None
    return -{"point": found.gap, "bound": found.low, "proven": found.high}[gate.by]


def _grown(gate: Gate, comparison: Comparison) -> float | None:
    first, second = (_metric(gate, h) for h in (comparison.first, comparison.second))
    if first is None or second is None or first.value is None or second.value is None:
        return None
    if not first.value:  # of nothing every growth is endless, and none is none
        return math.inf if second.value else 0.0
    return second.value / first.value - 1


def _itself(gate: Gate, head: RunHead) -> float | None:
    found = _metric(gate, head)
    if found is None:
        return None
    worse, better = ("high", "low") if gate.rule == "at_most" else ("low", "high")
    end = {"point": None, "bound": worse, "proven": better}[gate.by]
    value = getattr(found, end) if end else None
    return found.value if value is None else float(value)


def _metric(gate: Gate, head: RunHead) -> Metric | None:
    metrics: Mapping[str, Metric] = head.groups.get(gate.group, {}) if gate.group else head.metrics
    return metrics.get(gate.metric)
