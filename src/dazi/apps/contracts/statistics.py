"""How good each rule is, by what people say of what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from dazi.apps.contracts.verdicts import FIELD, Count

Z = 1.96
"""95 % of a normal distribution."""
LEAST = 5
"""So many verdicts tell something."""
TOO_OFTEN = 0.5
"""A rule that is very likely right less often than that should be changed or muted."""


@dataclass(frozen=True, slots=True)
class RuleQuality:
    """``precision`` with the bounds of its Wilson interval, ``None`` where nobody said anything.
    ``doubtful``: rejected too often."""

    rule: str
    shown: int
    accepted: int
    rejected: int
    corrected: int
    precision: float | None
    low: float | None
    high: float | None
    doubtful: bool


def quality(counts: Sequence[Count]) -> list[RuleQuality]:
    """The doubtful first, then those with the most verdicts."""
    made = [_quality(c) for c in counts]
    return sorted(
        made, key=lambda q: (not q.doubtful, -(q.accepted + q.rejected + q.corrected), q.rule)
    )


def _quality(c: Count) -> RuleQuality:
    judged = c.accepted + c.rejected + c.corrected
    # A finding that was put otherwise pointed at something; a field that was had a wrong value.
    right = c.accepted if c.rule.startswith(FIELD) else c.accepted + c.corrected
    if not judged:
        return RuleQuality(c.rule, c.shown, 0, 0, 0, None, None, None, False)
    low, high = wilson(right, judged)
    doubtful = judged >= LEAST and high < TOO_OFTEN
    return RuleQuality(
        c.rule, c.shown, c.accepted, c.rejected, c.corrected, right / judged, low, high, doubtful
    )


def wilson(right: int, n: int) -> tuple[float, float]:
    """Bounds of a share (E. B. Wilson, Probable inference, the law of succession, and statistical
    inference, 1927)."""
    share = right / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return max(0.0, middle - half), min(1.0, middle + half)
