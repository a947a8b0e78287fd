"""The two clocks of a ticket: until a person first answers, and until it is resolved.

Both go in working time. The first goes from the creation to a person's first answer; the second from
the creation to the resolution, but stands while the ticket waits for the customer and while it is
resolved. A ticket that ends as spam or merged has none. Limits are those of the ticket's present
priority, for all of its time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from dazi.apps.desk.calendar import Calendar, Span
from dazi.apps.desk.machine import apply, created
from dazi.apps.desk.model import PRIORITIES, Event, Priority, State, Ticket

Kind = Literal["response", "resolution"]
Standing = Literal["running", "warning", "breached", "paused", "met", "missed", "void"]
"""``warning`` and ``breached`` while it runs or stands; ``met`` and ``missed`` when it is over;
``void``: it does not count."""
KINDS: tuple[Kind, ...] = ("response", "resolution")
_STANDS: frozenset[State] = frozenset(("waiting_customer", "resolved", "closed"))
_MINUTE = 60


@dataclass(frozen=True, slots=True)
class Target:
    """Minutes of working time."""

    response: int
    resolution: int


@dataclass(frozen=True, slots=True)
class Clocking:
    """What clocks go by. ``warn_percent`` of the limit gone is the time to warn."""

    calendar: Calendar
    targets: Mapping[Priority, Target]
    warn_percent: int = 75
    reopen_days: int = 7


@dataclass(frozen=True, slots=True)
class Clock:
    """``limit`` and ``used`` in seconds of working time. ``due``: when the limit is or was reached,
    ``warn_at``: when that share of it is; ``None`` while it stands and has not been reached.
    A limit is kept that is used up to the very second."""

    kind: Kind
    standing: Standing
    limit: float
    used: float
    due: float | None
    warn_at: float | None

    @property
    def live(self) -> bool:
        """It goes on, now or later."""
        return self.standing in ("running", "warning", "breached", "paused")


@dataclass(frozen=True, slots=True)
class Clocks:
    response: Clock
    resolution: Clock

    @property
    def both(self) -> tuple[Clock, Clock]:
        return self.response, self.resolution


def clocks_of(events: Sequence[Event], now: float, by: Clocking) -> Clocks:
    """Both clocks at ``now``, by the events up to then. Raises as ``machine.apply``."""
    before = [e for e in events if e.at <= now]
    ticket = created(before[0])
    spans: dict[Kind, list[Span]] = {"response": [], "resolution": []}
    began: dict[Kind, float | None] = dict.fromkeys(KINDS, ticket.created)
    for event in before[1:]:
        ticket = apply(ticket, event, by.reopen_days)
        for kind in KINDS:
            runs, since = _runs(kind, ticket), began[kind]
            if since is not None and not runs:
                spans[kind].append((since, event.at))
                began[kind] = None
            elif since is None and runs:
                began[kind] = event.at
    return Clocks(*(_clock(k, ticket, spans[k], began[k], now, by) for k in KINDS))


def queue_key(ticket: Ticket, clocks: Clocks) -> tuple[float, int, float]:
    """What a queue is ordered by: the earliest due time of a clock that runs, then the priority,
    then the age."""
    due = [c.due for c in clocks.both if c.live and c.due is not None]
    return min(due, default=float("inf")), list(PRIORITIES).index(ticket.priority), ticket.created


def _runs(kind: Kind, ticket: Ticket) -> bool:
    if ticket.ended in ("spam", "merged"):
        return False
    if kind == "response":
        return not ticket.answered and ticket.resolutions == 0
    return ticket.state not in _STANDS


def _clock(
    kind: Kind,
    ticket: Ticket,
    spans: Sequence[Span],
    since: float | None,
    now: float,
    by: Clocking,
) -> Clock:
    target = by.targets[ticket.priority]
    limit = float(_MINUTE * (target.response if kind == "response" else target.resolution))
    all_spans = [*spans, (since, now)] if since is not None else list(spans)
    worked = [by.calendar.worked(a, b) for a, b in all_spans]
    used = sum(worked)
    running = since is not None
    due = _reached(limit, all_spans, worked, by.calendar, running=running)
    warn_at = _reached(
        limit * by.warn_percent / 100, all_spans, worked, by.calendar, running=running
    )
    standing = _standing(kind, ticket, running, used, limit, warn_at is not None and warn_at <= now)
    return Clock(kind, standing, limit, used, due, warn_at)


def _reached(
    seconds: float,
    spans: Sequence[Span],
    worked: Sequence[float],
    calendar: Calendar,
    *,
    running: bool,
) -> float | None:
    """When so much working time had passed in ``spans``, or will have if the last goes on."""
    left = seconds
    for i, ((start, _), here) in enumerate(zip(spans, worked, strict=True)):
        last = i == len(spans) - 1
        if left <= here or (last and running):
            return calendar.after(start, left)
        left -= here
    return None


def _standing(
    kind: Kind, ticket: Ticket, running: bool, used: float, limit: float, warn: bool
) -> Standing:
    if ticket.ended in ("spam", "merged"):
        return "void"
    over = used > limit
    if kind == "response" and not running:
        if not ticket.answered:
            return "void"  # resolved without a person
        return "missed" if over else "met"
    if kind == "resolution" and ticket.state in ("resolved", "closed"):
        return "missed" if over else "met"
    if over:
        return "breached"
    if not running:
        return "paused"
    return "warning" if warn else "running"
