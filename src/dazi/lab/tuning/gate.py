"""Does an adapter do what it was tuned for, and does it spoil nothing? Pairs of the same cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from dazi.lab.evals import intervals
from dazi.ops.experiments.sequential import mcnemar

HAIR = 1e-9
"""Differences of shares come out so much beside the limit that somebody wrote."""


@dataclass(frozen=True, slots=True)
class Paired:
    """Shares of cases that are right, before and after, and their difference with its 95 % interval.

    ``gained`` and ``lost``: cases that only one of both gets right; ``p`` of McNemar's exact test.
    ``runs``: the evaluations that say so, before and after.
    """

    name: str
    n: int
    before: float
    after: float
    gained: int
    lost: int
    difference: float
    low: float
    high: float
    p: float
    runs: tuple[str, str] = ("", "")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``why`` names what did not hold, empty when all did."""

    passed: bool
    why: tuple[str, ...]
    better: tuple[Paired, ...]
    same: tuple[Paired, ...]

    def plain(self) -> dict[str, Any]:
        return asdict(self)


def paired(
    name: str,
    before: Mapping[str, bool],
    after: Mapping[str, bool],
    runs: tuple[str, str] = ("", ""),
) -> Paired:
    """Of the cases that both have."""
    ids = [i for i in before if i in after]
    n = len(ids)
    both = sum(before[i] and after[i] for i in ids)
    lost = sum(before[i] and not after[i] for i in ids)
    gained = sum(after[i] and not before[i] for i in ids)
    pairs = intervals.Paired(both, lost, gained, n - both - gained - lost)
    gap = intervals.newcombe(pairs) if n else intervals.Interval(0.0, 0.0, 0.0)
    return Paired(
        name,
        n,
        (both + lost) / n if n else 0.0,
        (both + gained) / n if n else 0.0,
        gained,
        lost,
        gap.value,
        gap.low,
        gap.high,
        mcnemar(gained, lost),
        runs,
    )


def judged(
    better: Sequence[Paired], same: Sequence[Paired], *, gain: float, loss: float
) -> Verdict:
    """``gain``: at least so much more in each of ``better``; ``loss``: no more than that less in any of
    ``same``. Both by the difference itself; its interval stands beside it."""
    wanted = [(p, gain) for p in better] + [(p, -loss) for p in same]
    why = [
        f"{p.name}: {p.difference:+.1%} < {least:+.1%}"
        for p, least in wanted
        if p.difference < least - HAIR
    ]
    return Verdict(not why, tuple(why), tuple(better), tuple(same))
