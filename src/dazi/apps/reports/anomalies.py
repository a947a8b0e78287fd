"""Which values of a column stand out, by a method that has a name.

``year``: against the year before, a change of at least ``limit`` (0.3: 30 %) up or down.
``deviation``: robust deviation, |0.6745 (x - median) / MAD| > ``limit``, where MAD is the median of the
distances from the median (modified z-score; Iglewicz and Hoaglin, How to Detect and Handle Outliers,
1993, whose limit of 3.5 is the default). It takes at least ``FEWEST`` values, and tells nothing where
half of them are equal.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from dazi.apps.reports.functions import growth, median
from dazi.core.language import Text

Method = Literal["year", "deviation"]
FEWEST = 5
SCALE = Decimal("0.6745")
LIMITS: dict[Method, Decimal] = {"year": Decimal("0.3"), "deviation": Decimal("3.5")}
NAMES: dict[Method, Text] = {
    "year": Text("与上年同期比", "against the year before"),
    "deviation": Text("稳健偏离(中位数与 MAD)", "robust deviation (median and MAD)"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """Values of ``column`` beside those of ``against`` (of ``year`` alone)."""

    column: str
    method: Method
    limit: Decimal
    against: str = ""


@dataclass(frozen=True, slots=True)
class Anomaly:
    """The row at ``row``: ``measure`` is the change, or the modified z-score with its sign;
    ``expected`` what the value was held against."""

    row: int
    column: str
    method: Method
    value: Decimal
    expected: Decimal
    measure: Decimal


def find(
    rule: Rule, values: Sequence[Decimal | None], against: Sequence[Decimal | None] = ()
) -> list[Anomaly]:
    if rule.method == "year":
        return _year(rule, values, against)
    return _deviation(rule, values)


def _year(
    rule: Rule, values: Sequence[Decimal | None], against: Sequence[Decimal | None]
) -> list[Anomaly]:
    out = []
    for n, (now, then) in enumerate(zip(values, against, strict=True)):
        change = growth(now, then)
        if change is not None and abs(change) >= rule.limit:
            assert now is not None and then is not None
            out.append(Anomaly(n, rule.column, "year", now, then, change))
    return out


def _deviation(rule: Rule, values: Sequence[Decimal | None]) -> list[Anomaly]:
    there = [v for v in values if v is not None]
    middle = median(there)
    if len(there) < FEWEST or middle is None:
        return []
    mad = median([abs(v - middle) for v in there])
    if not mad:
        return []
    out = []
    for n, value in enumerate(values):
        if value is None:
            continue
        score = SCALE * (value - middle) / mad
        if abs(score) > rule.limit:
            out.append(Anomaly(n, rule.column, "deviation", value, middle, score))
    return out
