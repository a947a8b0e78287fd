"""What is watched for: rules as data. Times are in seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from dazi.core.language import Text

Severity = Literal["critical", "warning", "info"]
SEVERITIES: tuple[Severity, ...] = ("critical", "warning", "info")
"""The gravest first."""
How = Literal["latest", "age", "until", "rate", "count", "ratio", "quantile"]
HOWS: tuple[How, ...] = ("latest", "age", "until", "rate", "count", "ratio", "quantile")
Unit = Literal["", "s", "share", "days", "bytes", "celsius", "burn"]
UNITS: tuple[Unit, ...] = ("", "s", "share", "days", "bytes", "celsius", "burn")
DAY_S = 86_400.0


@dataclass(frozen=True, slots=True)
class Selection:
    """Series of a metric whose labels match, each a regular expression for the whole value; one that
    begins with ``!`` must not match."""

    metric: str
    labels: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Threshold:
    """``how`` a number is made of ``what``: a gauge's last value (``latest``), the time since it or
    until it (``age``, ``until``), what happened within ``window_s`` a second or in all (``rate``,
    ``count``), a share of what happened in ``per`` (``ratio``), a quantile of a histogram.

    ``per`` beside ``latest`` divides by another gauge. Bad is what lies beyond ``limit`` on ``side``;
    well is what does not lie beyond ``clear``, which is on the good side of it; between the two
    nothing changes. With fewer events than ``at_least`` nothing can be said against it. ``each``:
    labels by which it is looked at apart; else series count together, of gauges the worst.
    """

    what: Selection
    how: How
    side: Literal["above", "below"]
    limit: float
    clear: float | None = None
    window_s: float = 300.0
    per: Selection | None = None
    quantile: float = 0.99
    at_least: float = 0.0
    each: tuple[str, ...] = ()

    def beyond(self, value: float, limit: float) -> bool:
        return value > limit if self.side == "above" else value < limit

    @property
    def clears(self) -> float:
        return self.limit if self.clear is None else self.clear


@dataclass(frozen=True, slots=True)
class Window:
    """Burning faster than ``factor`` over both."""

    long_s: float
    short_s: float
    factor: float


FAST = (Window(3_600.0, 300.0, 14.4), Window(21_600.0, 1_800.0, 6.0))
SLOW = (Window(259_200.0, 21_600.0, 1.0),)
"""The windows and factors of The Site Reliability Workbook, chapter 5, "Alerting on SLOs", table 5-8:
2 % of a month's budget in an hour, 5 % in six hours, 10 % in three days."""


@dataclass(frozen=True, slots=True)
class Burn:
    """How fast an objective's budget of errors is used up: the share of bad events over the share that
    ``objective`` allows. Bad are the events in ``bad``, or those above ``within`` of a histogram."""

    total: Selection
    objective: float
    bad: Selection | None = None
    within: float | None = None
    windows: tuple[Window, ...] = FAST
    at_least: float = 20.0
    each: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Absence:
    """There was a value within ``seen_s``, and there has been none for ``gone_s``."""

    what: Selection
    gone_s: float = 120.0
    seen_s: float = DAY_S
    each: tuple[str, ...] = ()


Test = Threshold | Burn | Absence


@dataclass(frozen=True, slots=True)
class Rule:
    """Fires after ``for_s`` of bad readings, and is over after ``clear_for_s`` of good ones. ``does``:
    what to do about it."""

    name: str
    severity: Severity
    text: Text
    does: Text
    test: Test
    for_s: float = 0.0
    clear_for_s: float = 60.0
    unit: Unit = ""

    @property
    def limit(self) -> float:
        """What the value is compared with."""
        match self.test:
            case Threshold():
                return self.test.limit
            case Burn():
                return min(w.factor for w in self.test.windows)
            case Absence():
                return self.test.gone_s

    @property
    def metric(self) -> str:
        """What its course is shown of."""
        test = self.test
        return test.total.metric if isinstance(test, Burn) else test.what.metric


def shown(value: float, unit: Unit) -> str:
    """A value as people read it."""
    match unit:
        case "share":
            return f"{value:.1%}" if value < 0.1 else f"{value:.0%}"
        case "s":
            return f"{value:.2f} s" if abs(value) < 10 else f"{value:,.0f} s"
        case "days":
            return f"{value / DAY_S:.1f} d"
        case "bytes":
            return f"{value / 2**30:,.1f} GB"
        case "celsius":
            return f"{value:.0f} °C"
        case "burn":
            return f"{value:.1f}x"
        case "":
            return f"{value:,.6g}"
