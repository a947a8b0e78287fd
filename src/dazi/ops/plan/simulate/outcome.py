"""What came of a run: who was answered and when, what there was of servers, and what that cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from dazi.ops.plan.simulate.trace import Floats

NOT_COME, UNDER_WAY, ANSWERED, NO_PLACE, NO_SERVER = range(5)
"""What became of a turn: refused for want of a place at Dazi, or of one at a model server."""
PERCENTS = (50, 95, 99)
BINS = 96


@dataclass(frozen=True, slots=True)
class Moment:
    """As an autoscaler sees it: replicas that serve and that are kept, the share of their time at work
    since before, requests at servers, turns and requests that wait."""

    at: float
    serving: int
    kept: int
    busy: float
    outstanding: int
    waiting: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """``come``: when each turn did; ``first`` and ``whole``: seconds until the answer begins and ends,
    NaN where it does not; ``seconds`` simulated, ``replica_s`` paid for, ``wall`` that it took."""

    come: Floats
    first: Floats
    whole: Floats
    status: npt.NDArray[np.uint8]
    moments: Sequence[Moment]
    seconds: float
    replica_s: float
    most: int
    wall: float
    stopped: bool

    def count(self, *status: int) -> int:
        return int(np.isin(self.status, status).sum())

    @property
    def answered(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.status == ANSWERED)


@dataclass(frozen=True)  # no slots: its defaults are those of the command
class Wanted:
    """What was promised: seconds to the first word and to the whole answer."""

    first: float = 3.0
    whole: float = 30.0


@dataclass(frozen=True, slots=True)
class Summary:
    """``missed``: of the turns that came, the share that was refused or later than promised."""

    turns: int
    answered: int
    no_place: int
    no_server: int
    under_way: int
    a_second: float
    first: dict[int, float]
    whole: dict[int, float]
    missed_first: float
    missed_whole: float
    missed: float
    busy: float
    replicas: float
    most: int
    replica_hours: float
    cost: float
    seconds: float
    wall: float
    stopped: bool
    one_in: int = 1

    @property
    def speed(self) -> float:
        """Simulated seconds in a second."""
        return self.seconds / self.wall if self.wall else 0.0


def summary(o: Outcome, wanted: Wanted, a_second: float, one_in: int = 1) -> Summary:
    """``a_second``: yuan that a replica's second costs. Where only one user in ``one_in`` was
    simulated, counts and costs are those of all."""
    done = o.answered
    first, whole = o.first[done], o.whole[done]
    come = o.count(UNDER_WAY, ANSWERED, NO_PLACE, NO_SERVER)
    late_first = float((first > wanted.first).sum())
    late_whole = float((whole > wanted.whole).sum())
    refused = o.count(NO_PLACE, NO_SERVER)
    late = float(((first > wanted.first) | (whole > wanted.whole)).sum())
    hours = o.replica_s / 3600
    busy = [m.busy * m.serving for m in o.moments]
    serving = sum(m.serving for m in o.moments)
    return Summary(
        come * one_in,
        int(done.sum()) * one_in,
        o.count(NO_PLACE) * one_in,
        o.count(NO_SERVER) * one_in,
        o.count(UNDER_WAY) * one_in,
        int(done.sum()) * one_in / o.seconds if o.seconds else 0.0,
        percentiles(first),
        percentiles(whole),
        late_first / come if come else 0.0,
        late_whole / come if come else 0.0,
        (late + refused) / come if come else 0.0,
        sum(busy) / serving if serving else 0.0,
        hours * one_in / (o.seconds / 3600) if o.seconds else 0.0,
        o.most * one_in,
        hours * one_in,
        o.replica_s * a_second * one_in,
        o.seconds,
        o.wall,
        o.stopped,
        one_in,
    )


def percentiles(values: Floats) -> dict[int, float]:
    if not len(values):
        return dict.fromkeys(PERCENTS, 0.0)
    return {p: float(v) for p, v in zip(PERCENTS, np.percentile(values, PERCENTS), strict=True)}


@dataclass(frozen=True, slots=True)
class Course:
    """Over the time, by the middle of each piece of it: turns a second that came, were answered and
    refused; the 95th percentile of both latencies of those that came then; replicas that serve and are
    kept, and how busy they are."""

    at: list[float]
    come: list[float]
    answered: list[float]
    refused: list[float]
    first: list[float]
    whole: list[float]
    serving: list[float]
    kept: list[float]
    busy: list[float]
    waiting: list[float]


def course(o: Outcome, bins: int = BINS, one_in: int = 1) -> Course:
    edges = np.linspace(0, max(o.seconds, 1e-9), bins + 1)
    width = edges[1]
    known = np.isfinite(o.come)
    where = np.clip((np.where(known, o.come, 0.0) / width).astype(np.int64), 0, bins - 1)

    def rate(chosen: npt.NDArray[np.bool_]) -> list[float]:
        found: list[float] = (
            np.bincount(where[chosen & known], minlength=bins) * one_in / width
        ).tolist()
        return found

    refused = np.isin(o.status, (NO_PLACE, NO_SERVER))
    done = o.answered
    at = np.array([m.at for m in o.moments]) if o.moments else np.zeros(0)
    looked = np.clip((at / width).astype(np.int64), 0, bins - 1)

    def mean(values: Sequence[float], many: int = 1) -> list[float]:
        total = np.bincount(looked, weights=np.array(values, dtype=np.float64), minlength=bins)
        count = np.bincount(looked, minlength=bins)
        filled = np.where(count > 0, total / np.maximum(count, 1), np.nan) * many
        return _carried(filled)

    return Course(
        ((edges[1:] + edges[:-1]) / 2).tolist(),
        rate(o.status != NOT_COME),
        rate(done),
        rate(refused),
        _late(o.first, where, done, bins),
        _late(o.whole, where, done, bins),
        mean([m.serving for m in o.moments], one_in),
        mean([m.kept for m in o.moments], one_in),
        mean([m.busy for m in o.moments]),
        mean([m.waiting for m in o.moments], one_in),
    )


def _carried(values: Floats) -> list[float]:
    """Where nobody looked, what was seen before."""
    out: list[float] = []
    for v in values.tolist():
        out.append(v if v == v else (out[-1] if out else 0.0))
    return out


def _late(values: Floats, where: Any, done: npt.NDArray[np.bool_], bins: int) -> list[float]:
    out = []
    order = np.argsort(where[done], kind="stable")
    sorted_where, sorted_values = where[done][order], values[done][order]
    ends = np.searchsorted(sorted_where, np.arange(bins + 1))
    for low, high in pairwise(ends.tolist()):
        piece = sorted_values[low:high]
        out.append(float(np.percentile(piece, 95)) if len(piece) else 0.0)
    return out
