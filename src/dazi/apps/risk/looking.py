"""The features of one transaction, from what is remembered of its account."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from itertools import islice
from math import asin, cos, radians, sin, sqrt

from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import NAMES
from dazi.apps.risk.past import DAY, ENOUGH, WINDOW, Past

HOUR = 3_600
MOST = 1_000.0
"""Ratios end here."""
EARTH_KM = 6_371.0
MOST_KMH = 5_000.0
MOST_SHARE = 2.0
"""Of purchases that came back; also where there were none."""
SHORTEST_H = 0.1
"""Hours that a way takes at least: else two masts of one city are a jump."""


def features_at(past: Past, t: Transaction) -> tuple[float, ...]:
    """In the order of ``NAMES``; ``t`` comes after all of ``past``, and nothing is remembered."""
    return _Look(past, t).values()


class _Look:
    """One look at one transaction."""

    def __init__(self, past: Past, t: Transaction) -> None:
        self.past, self.t, self.rules = past, t, past.rules
        self.now = t.seconds
        self.enough = past.count >= ENOUGH
        self.times = list(past.times)
        self.days = {days: self._since(days * DAY) for days in (1, 7, 30)}
        self.hour = self._since(HOUR)

    def _since(self, seconds: int) -> list[Transaction]:
        start = bisect_left(self.times, self.now - seconds)
        return list(islice(self.past.recent, start, None))

    def values(self) -> tuple[float, ...]:
        found = {
            **self._amounts(), **self._counts(), **self._new(), **self._places(),
            **self._shapes(), **self._passing(), **self._small(), **self._refunds(),
            **self._escalation(), **self._age(),
        }  # fmt: skip
        return tuple(float(found[name]) for name in NAMES)

    def _out(self, past: Iterable[Transaction]) -> Iterator[Transaction]:
        currency = self.t.currency
        return (p for p in past if p.direction == "out" and p.currency == currency)

    def _amounts(self) -> dict[str, float]:
        t, cents = self.t, self.t.amount_cents
        usual = self.past.usual_cents(t)
        same = [
            p.amount_cents
            for p in self.days[30]
            if p.direction == t.direction and p.currency == t.currency
        ]
        return {
            "amount": cents / 100,
            "amount_to_usual": _ratio(cents, usual) if usual else 1.0,
            "amount_to_largest": _ratio(cents, max(same)) if usual and same else 1.0,
            "amount_rank": self.past.rank(t) if usual else 0.5,
            "new_out_24h": _ratio(self._out_to_fresh(), usual) if usual else 0.0,
            **self._spending(usual),
        }

    def _spending(self, usual: int | None) -> dict[str, float]:
        """Of what goes out, beside the days before the window in question."""
        if usual is None or self.t.direction == "in":
            return {"out_24h_to_usual": 1.0, "out_7d_to_usual": 1.0}
        cents = self.t.amount_cents
        out_1, out_7, out_30 = (
            sum(p.amount_cents for p in self._out(self.days[n])) for n in (1, 7, 30)
        )
        known = max(1.0, min(30.0, (self.now - self.past.first) / DAY))
        daily = (out_30 - out_1) / max(1.0, known - 1)
        weekly = 7 * (out_30 - out_7) / max(7.0, known - 7)
        return {
            "out_24h_to_usual": _ratio(out_1 + cents, max(daily, usual)),
            "out_7d_to_usual": _ratio(out_7 + cents, max(weekly, usual)),
        }

    def _counts(self) -> dict[str, float]:
        count = len(self.days[1])
        known = max(1.0, min(30.0, (self.now - self.past.first) / DAY))
        daily = (len(self.days[30]) - count) / max(1.0, known - 1)
        return {
            "count_10m": len(self._since(600)) + 1,
            "count_1h": len(self.hour) + 1,
            "count_24h": count + 1,
            "count_24h_to_usual": (count + 1) / max(1.0, daily) if self.enough else 1.0,
        }

    def _is_new(self, kind: str) -> bool:
        value = getattr(self.t, kind)
        return self.enough and bool(value) and self.past.is_new(kind, value, self.now)

    def _from_fresh(self, kind: str) -> int:
        """Of the day's transactions, those from this one's device or network, if it is fresh."""
        value = getattr(self.t, kind)
        if not self.enough or not self.past.is_fresh(kind, value, self.now):
            return 0
        return 1 + sum(1 for p in self.days[1] if getattr(p, kind) == value)

    def _to_fresh(self, past: Iterable[Transaction]) -> Iterator[Transaction]:
        return (p for p in past if self.past.is_fresh("counterparty", p.counterparty, self.now))

    def _out_to_fresh(self) -> int:
        """Cents of the day, this transaction included."""
        if not self.enough or self.t.direction == "in":
            return 0
        return sum(p.amount_cents for p in self._to_fresh(self._out((*self.days[1], self.t))))

    def _new(self) -> dict[str, float]:
        t, day = self.t, self.days[1]
        fresh = {p.counterparty for p in self._to_fresh((*day, t))}
        return {
            "new_device": self._is_new("device"),
            "devices_24h": len({p.device for p in (*day, t)} - {None}),
            "new_network": self._is_new("ip"),
            "new_device_24h": self._from_fresh("device"),
            "new_network_24h": self._from_fresh("ip"),
            "new_counterparty": self._is_new("counterparty"),
            "new_counterparties_24h": len(fresh) if self.enough else 0,
            "counterparties_7d": len({p.counterparty for p in (*self.days[7], t)} - {None}),
            "new_country": self._is_new("country"),
            "new_city": self._is_new("city"),
            "countries_7d": len({p.country for p in (*self.days[7], t)} - {None}),
            "new_channel": self._is_new("channel"),
            "new_category": self._is_new("category"),
            "new_currency": self._is_new("currency"),
        }

    def _places(self) -> dict[str, float]:
        cities = {p.city for p in (*self.days[1], self.t)} - {None}
        return {"speed_kmh": _speed(self.past.place, self.t), "cities_24h": len(cities)}

    def _shapes(self) -> dict[str, float]:
        t, rules = self.t, self.rules
        night = [self._night(p) for p in self.days[30]]
        share = sum(night) / len(night) if night else 0.0
        week = [p for p in self.days[7] if p.direction == t.direction]
        return {
            "night_unusual": 1 - share if self._night(t) and self.enough else 0.0,
            "round_amount": t.amount_cents % rules.round_cents == 0,
            "round_7d": sum(p.amount_cents % rules.round_cents == 0 for p in (*week, t)),
            "under_limit": self._under(t),
            "under_limit_7d": sum(map(self._under, (*week, t))),
        }

    def _night(self, t: Transaction) -> bool:
        begin, end = self.rules.night
        return begin <= t.at.hour < end

    def _under(self, t: Transaction) -> bool:
        limits, near = self.rules.limits_cents, self.rules.near
        return any(near * limit <= t.amount_cents < limit for limit in limits)

    def _is_refund(self, t: Transaction) -> bool:
        return t.direction == "in" and t.category in self.rules.refunds

    def _passing(self) -> dict[str, float]:
        """Money that came in within a day and left again; what comes back from a shop is none."""
        t = self.t
        came = [p for p in self.days[7] if p.direction == "in" and not self._is_refund(p)]
        day = self.now - DAY
        today = [p for p in came if p.seconds >= day and p.currency == t.currency]
        entered = sum(p.amount_cents for p in today)
        left = sum(p.amount_cents for p in self._out(self.days[1])) + t.amount_cents
        out = t.direction == "out"
        passed = min(entered, left) if out else 0
        fresh = sum(p.amount_cents for p in self._to_fresh(today)) if self.enough else 0
        return {
            "passed_24h": passed / 100,
            "passed_new_24h": min(fresh, self._out_to_fresh()) / 100,
            "passed_share": passed / max(entered, left) if passed else 0.0,
            "senders_7d": len({p.counterparty for p in came} - {None}),
        }

    def _small(self) -> dict[str, float]:
        small = self.rules.small_cents
        hour = list(self._out((*self.hour, self.t)))
        day = [p for p in self._out((*self.days[1], self.t)) if p.amount_cents < small]
        return {
            "small_1h": sum(p.amount_cents < small for p in hour),
            "small_24h": len(day),
            "small_new_24h": sum(1 for _ in self._to_fresh(day)) if self.enough else 0,
            "merchants_1h": len({p.counterparty for p in hour} - {None}),
        }

    def _refunds(self) -> dict[str, float]:
        if not self._is_refund(self.t):
            return {"refunds_30d": 0.0, "refund_share_30d": 0.0}
        past = [p for p in self.days[30] if self._is_refund(p)]
        same = sum(p.amount_cents for p in past if p.currency == self.t.currency)
        bought = sum(p.amount_cents for p in self._out(self.days[30]))
        back = same + self.t.amount_cents
        return {
            "refunds_30d": len(past) + 1,
            "refund_share_30d": min(MOST_SHARE, back / bought) if bought else MOST_SHARE,
        }

    def _escalation(self) -> dict[str, float]:
        t = self.t
        nothing = dict.fromkeys(("rises", "share_30d", "pair_count_30d", "pair_out_30d"), 0.0)
        nothing["growth"] = 1.0
        if t.direction == "in" or not t.counterparty:
            return nothing
        out = list(self._out(self.days[30]))
        to = [p.amount_cents for p in out if p.counterparty == t.counterparty]
        if not to:
            return nothing
        whole = sum(p.amount_cents for p in out) + t.amount_cents
        run = [*to, t.amount_cents]
        rises = 0
        while rises + 1 < len(run) and run[-1 - rises] > run[-2 - rises]:
            rises += 1
        usual = self.past.usual_cents(t)
        met = self.enough and self.past.is_fresh("counterparty", t.counterparty, self.now, WINDOW)
        return {
            "rises": rises,
            "growth": max(1.0, _ratio(t.amount_cents, to[0])),
            "share_30d": sum(run) / whole,
            "pair_count_30d": len(run) if met else 0,
            "pair_out_30d": _ratio(sum(run), usual) if met and usual else 0.0,
        }

    def _age(self) -> dict[str, float]:
        past = self.past
        return {
            "idle_days": (self.now - past.last[0]) / DAY if past.count else 0.0,
            "past_count": min(past.count, 200),
            "known_days": min(180.0, (self.now - past.first) / DAY) if past.count else 0.0,
            "incoming": self.t.direction == "in",
        }


def _ratio(a: float, b: float) -> float:
    return min(MOST, a / b)


def _speed(before: Transaction | None, t: Transaction) -> float:
    """Great-circle distance (haversine, a round Earth) over the time between, km/h."""
    if before is None or before.latitude is None or before.longitude is None:
        return 0.0
    if t.latitude is None or t.longitude is None:
        return 0.0
    a, b = radians(before.latitude), radians(t.latitude)
    half = sin((b - a) / 2) ** 2
    half += cos(a) * cos(b) * sin(radians(t.longitude - before.longitude) / 2) ** 2
    km = 2 * EARTH_KM * asin(sqrt(min(1.0, half)))
    hours = max(SHORTEST_H, (t.seconds - before.seconds) / HOUR)
    return min(MOST_KMH, km / hours)
