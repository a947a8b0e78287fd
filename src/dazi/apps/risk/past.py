"""What is remembered of one account, in the order of time."""

from __future__ import annotations

from array import array
from collections import deque
from dataclasses import dataclass, field
from statistics import median_low

import numpy as np

from dazi.apps.risk.events import Direction, Transaction
from dazi.apps.risk.features import Rules

DAY = 86_400
WINDOW = 30 * DAY
REMEMBERED = 180 * DAY
"""For how long a device, a place or a counterparty is known."""
ENOUGH = 5
"""Past transactions from which on something can be unusual."""
COMPARED = 50
"""Amounts that the usual one is the median of."""
KEPT = 30
"""Vectors of features that an account's usual values are the medians of."""
MOST_RECENT = 2_000
"""Transactions of 30 days that are looked at; of a busier account, the latest."""
_KINDS = ("device", "ip", "counterparty", "country", "city", "channel", "category", "currency")


@dataclass(slots=True)
class Past:
    """``recent`` and ``times``: of the last 30 days, oldest first. ``amounts``: cents by direction
    and currency. ``known``: when a device, a place and so on were last seen, ``since``: first.
    ``vectors``: features of the latest transactions."""

    rules: Rules
    count: int = 0
    first: int = 0
    last: tuple[int, str] = (0, "")
    recent: deque[Transaction] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    times: deque[int] = field(default_factory=lambda: deque(maxlen=MOST_RECENT))
    amounts: dict[tuple[Direction, str], deque[int]] = field(default_factory=dict)
    known: dict[tuple[str, str], int] = field(default_factory=dict)
    since: dict[tuple[str, str], int] = field(default_factory=dict)
    place: Transaction | None = None
    vectors: deque[array[float]] = field(default_factory=lambda: deque(maxlen=KEPT))

    def usual_cents(self, t: Transaction) -> int | None:
        past = self.amounts.get((t.direction, t.currency), ())
        return median_low(past) if len(past) >= ENOUGH else None

    def rank(self, t: Transaction) -> float:
        """The share of the past amounts that are smaller, of the same direction and currency."""
        past = self.amounts.get((t.direction, t.currency), ())
        return sum(cents < t.amount_cents for cents in past) / len(past) if past else 0.5

    def usual(self) -> tuple[float, ...] | None:
        if len(self.vectors) < ENOUGH:
            return None
        return tuple(np.median(np.array(self.vectors), axis=0).tolist())

    def is_new(self, kind: str, value: str, now: int) -> bool:
        """Not seen before ``now``, or so long ago that it is forgotten."""
        at = self.known.get((kind, value))
        return at is None or at < now - REMEMBERED

    def is_fresh(self, kind: str, value: str | None, now: int, within: int = DAY) -> bool:
        """New now, or within so many seconds before."""
        if not value:
            return False
        return self.is_new(kind, value, now) or self.since[kind, value] >= now - within

    def add(self, t: Transaction, values: tuple[float, ...]) -> None:
        """``t`` has happened; ``values``: its features."""
        now = t.seconds
        self.first = self.first if self.count else now
        self.count += 1
        self.last = (now, t.id)
        while self.times and self.times[0] < now - WINDOW:
            self.times.popleft()
            self.recent.popleft()
        self.recent.append(t)
        self.times.append(now)
        key = (t.direction, t.currency)
        self.amounts.setdefault(key, deque(maxlen=COMPARED)).append(t.amount_cents)
        for kind in _KINDS:
            if value := getattr(t, kind):
                if self.is_new(kind, value, now):
                    self.since[kind, value] = now
                self.known[kind, value] = now
        if self.count % 100 == 0:
            self.known = {k: at for k, at in self.known.items() if at >= now - REMEMBERED}
            self.since = {k: at for k, at in self.since.items() if k in self.known}
        if t.latitude is not None:
            self.place = t
        self.vectors.append(array("d", values))
