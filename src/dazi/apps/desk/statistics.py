"""Figures of the desk over a period, each with a definition that docs/*/desk.md states."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from zoneinfo import ZoneInfo

from dazi.apps.desk.clocks import Clock, Clocking, clocks_of
from dazi.apps.desk.machine import replay
from dazi.apps.desk.model import Ticket
from dazi.apps.desk.records import Filed

MINUTE = 60


@dataclass(frozen=True, slots=True)
class Times:
    """Of ``count`` tickets, minutes of working time: ``median``, and ``p90``, which nine tenths keep
    (nearest rank). ``within``: the share that kept its limit. ``None`` where there are none."""

    count: int
    median: float | None
    p90: float | None
    within: float | None


@dataclass(frozen=True, slots=True)
class Figures:
    """``opened``: tickets created in the period; all below is of these, but ``backlog``: those not
    resolved at its end, whenever created. ``deflection``: of the resolved, the share that no person
    had. ``reopened``: of those ever resolved, the share that was opened again. ``rating``: the mean
    of all ``ratings``, 1 to 5."""

    opened: int
    resolved: int
    backlog: int
    response: Times
    resolution: Times
    deflection: float | None
    reopened: float | None
    rating: float | None
    ratings: int
    intents: dict[str, int]


@dataclass(frozen=True, slots=True)
class Statistics:
    """``weeks`` by the Monday they begin with; ``agents`` by who resolved the ticket last."""

    total: Figures
    weeks: dict[str, Figures]
    agents: dict[str, Figures]


@dataclass(frozen=True, slots=True)
class _Seen:
    filed: Filed
    ticket: Ticket
    response: Clock
    resolution: Clock


def statistics_of(filed: Iterable[Filed], since: float, until: float, by: Clocking) -> Statistics:
    """Of what happened up to ``until``; tickets count that were created from ``since`` on."""
    seen = [_seen(f, until, by) for f in filed if f.events and f.events[0].at < until]
    zone = ZoneInfo(by.calendar.zone)
    inside = [s for s in seen if s.ticket.created >= since]
    weeks = _groups(inside, lambda s: _week(s.ticket.created, zone))
    agents = _groups(inside, lambda s: s.ticket.resolved_by if s.ticket.handed_over else "")
    return Statistics(
        _figures(inside, seen),
        {w: _figures(some, seen, _end_of(w, zone, until)) for w, some in sorted(weeks.items())},
        {a: _figures(some, some) for a, some in sorted(agents.items()) if a},
    )


def _seen(filed: Filed, until: float, by: Clocking) -> _Seen:
    events = [e for e in filed.events if e.at < until]
    ticket = replay(events, by.reopen_days)
    clocks = clocks_of(events, until, by)
    return _Seen(filed, ticket, clocks.response, clocks.resolution)


def _figures(
    some: Sequence[_Seen], all_of_them: Sequence[_Seen], at: float | None = None
) -> Figures:
    counted = [s for s in some if s.ticket.ended not in ("spam", "merged")]
    resolved = [s for s in counted if s.ticket.state in ("resolved", "closed")]
    ever = [s for s in counted if s.ticket.resolutions]
    alone = sum(not s.ticket.handed_over for s in resolved)
    again = sum(s.ticket.reopened > 0 for s in ever)
    stars = [r.stars for s in counted for r in s.ticket.ratings]
    return Figures(
        len(some),
        len(resolved),
        _backlog(all_of_them, at),
        _times([s.response for s in counted if s.response.standing in ("met", "missed")]),
        _times([s.resolution for s in resolved]),
        _share(alone, len(resolved)),
        _share(again, len(ever)),
        round(sum(stars) / len(stars), 2) if stars else None,
        len(stars),
        dict(Counter(s.ticket.category for s in counted).most_common()),
    )


def _backlog(seen: Sequence[_Seen], at: float | None) -> int:
    """Not resolved at ``at``, or at the end of all."""
    if at is None:
        return sum(s.ticket.state not in ("resolved", "closed") for s in seen)
    count = 0
    for s in seen:
        events = [e for e in s.filed.events if e.at < at]
        over = next((e.act for e in reversed(events) if e.act in _ENDS or e.act == "reopen"), "")
        count += bool(events) and over not in _ENDS
    return count


_ENDS = ("resolve", "spam", "merge")


def _times(clocks: Sequence[Clock]) -> Times:
    if not clocks:
        return Times(0, None, None, None)
    used = sorted(c.used / MINUTE for c in clocks)
    rank = -(-len(used) * 9 // 10)
    met = sum(c.standing == "met" for c in clocks)
    return Times(
        len(used), round(median(used), 1), round(used[rank - 1], 1), _share(met, len(used))
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None


def _groups(seen: Iterable[_Seen], of: Callable[[_Seen], str]) -> dict[str, list[_Seen]]:
    out: dict[str, list[_Seen]] = {}
    for s in seen:
        out.setdefault(of(s), []).append(s)
    return out


def _week(at: float, zone: ZoneInfo) -> str:
    day = datetime.fromtimestamp(at, zone).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def _end_of(week: str, zone: ZoneInfo, until: float) -> float:
    end = datetime.fromisoformat(week).replace(tzinfo=zone) + timedelta(days=7)
    return min(end.timestamp(), until)
