"""Made-up accounts with planted fraud, and with honest days that look like it.

Nothing in it is anybody's. The same seed gives the same transactions. What was planted is known for
each fraud: which pattern, and the reason codes that an explanation ought to name. Patterns leave
things out at random, and frauds that nobody reported stand as genuine.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from dazi.apps.risk.events import CHINA, Direction, Outcome, Transaction
from dazi.apps.risk.history import in_order

BEGIN = datetime(2025, 1, 6, tzinfo=CHINA)
CITIES: Mapping[str, tuple[str, float, float]] = {
    "北京": ("CN", 39.9, 116.4), "上海": ("CN", 31.2, 121.5), "深圳": ("CN", 22.5, 114.1),
    "杭州": ("CN", 30.3, 120.2), "成都": ("CN", 30.7, 104.1), "西安": ("CN", 34.3, 108.9),
    "武汉": ("CN", 30.6, 114.3), "香港": ("HK", 22.3, 114.2), "曼谷": ("TH", 13.8, 100.5),
    "东京": ("JP", 35.7, 139.7), "新加坡": ("SG", 1.35, 103.8),
}  # fmt: skip
HOME = tuple(CITIES)[:7]
LIMITS = (10_000, 20_000, 50_000)
UNREPORTED = 0.05
NEW_PATTERN = "escalation"


@dataclass(frozen=True, slots=True)
class Planted:
    """Of a fraud: its pattern, the episode it belongs to, and the codes that ought to be named."""

    pattern: str
    episode: int
    codes: frozenset[str]


@dataclass(frozen=True, slots=True)
class World:
    transactions: tuple[Transaction, ...]
    planted: Mapping[str, Planted]
    days: int


@dataclass(slots=True)
class _Person:
    name: str
    home: str
    usual: float
    rate: float
    night: float
    salary: float
    shops: list[str]
    device: str
    ip: str
    trip: tuple[int, int, str] | None = None
    away_ip: str = ""


@dataclass(slots=True)
class _Maker:
    rng: np.random.Generator
    days: int
    made: list[Transaction] = field(default_factory=list)
    planted: dict[str, Planted] = field(default_factory=dict)
    episode: int = 0
    names: int = 0

    def fresh(self, letter: str) -> str:
        self.names += 1
        return f"{letter}{self.names:06d}"

    def chance(self, share: float) -> bool:
        return bool(self.rng.random() < share)

    def between(self, low: float, high: float) -> float:
        return float(self.rng.uniform(low, high))

    def pay(
        self,
        who: _Person,
        at: datetime,
        amount: float,
        to: str,
        *,
        direction: Direction = "out",
        category: str = "shopping",
        channel: str = "app",
        device: str | None = "",
        ip: str = "",
        city: str = "",
        fraud: Planted | None = None,
    ) -> None:
        away = who.trip
        day = (at - BEGIN).days
        there = away is not None and away[0] <= day < away[1]
        here = city or (away[2] if away and there else who.home)
        network = who.away_ip if there and who.away_ip else who.ip
        country, latitude, longitude = CITIES[here]
        outcome: Outcome | None = None
        if fraud is not None and not self.chance(UNREPORTED):
            outcome = "fraud"
        made = Transaction(
            id=f"T{len(self.made):07d}",
            account=who.name,
            at=at,
            amount_cents=max(100, round(amount * 100)),
            direction=direction,
            channel=channel,
            country=country,
            city=here,
            latitude=latitude,
            longitude=longitude,
            device=who.device if device == "" else device,
            ip=ip or (self.fresh("I") if self.chance(0.04) else network),
            counterparty=to,
            category=category,
            outcome=outcome,
        )
        self.made.append(made)
        if fraud is not None:
            self.planted[made.id] = fraud

    def when(self, day: int, night: float = 0.0) -> datetime:
        hour = self.between(0, 5) if self.chance(night) else min(23.9, self.rng.normal(15, 4) % 24)
        return BEGIN + timedelta(days=day, hours=float(hour), seconds=float(self.rng.integers(60)))


def world(
    accounts: int = 700,
    days: int = 150,
    seed: int = 1,
    new_from: int = 90,
    episodes: tuple[int, int] = (0, 0),
) -> World:
    """The new pattern is there from day ``new_from`` on; the others all along. ``episodes``: of
    each of the others and of the new one; without a number, one for 3,500 days of an account."""
    m = _Maker(np.random.default_rng(seed), days)
    people = [_person(m, i) for i in range(accounts)]
    for person in people:
        _honest(m, person)
    old: tuple[Callable[[_Maker, _Person, int], None], ...] = (
        _takeover, _mule, _structuring, _testing, _refund_abuse,
    )  # fmt: skip
    usual = max(2, accounts * days // 3_500)
    for plant in old:
        for _ in range(episodes[0] or usual):
            plant(m, people[m.rng.integers(accounts)], int(m.rng.integers(20, days - 12)))
    for _ in range(episodes[1] or usual):
        _escalation(m, people[m.rng.integers(accounts)], int(m.rng.integers(new_from, days - 12)))
    end = BEGIN + timedelta(days=days)
    return World(tuple(in_order(t for t in m.made if t.at < end)), m.planted, days)


def _person(m: _Maker, number: int) -> _Person:
    return _Person(
        name=f"A{number:05d}",
        home=str(m.rng.choice(HOME)),
        usual=float(np.exp(m.rng.normal(4.6, 0.7))),
        rate=float(np.exp(m.rng.normal(0.0, 0.5))),
        night=float(m.rng.beta(1, 12)),
        salary=float(m.rng.uniform(5_000, 30_000)),
        shops=[m.fresh("M") for _ in range(int(m.rng.integers(6, 16)))],
        device=m.fresh("D"),
        ip=m.fresh("I"),
    )


# --- honest -----------------------------------------------------------------------------------


def _honest(m: _Maker, p: _Person) -> None:
    payday, landlord, employer = int(m.rng.integers(1, 28)), m.fresh("P"), m.fresh("E")
    friends = [m.fresh("P") for _ in range(4)]
    new_phone, new_network = (int(m.rng.integers(m.days * 2)) for _ in range(2))
    business = m.chance(0.04)
    for day in range(m.days):
        if day == new_phone:
            p.device = m.fresh("D")
        if day == new_network:
            p.ip = m.fresh("I")
        if p.trip is None and m.chance(0.012):
            p.trip = (day, day + int(m.rng.integers(2, 7)), str(m.rng.choice(tuple(CITIES))))
            p.away_ip = m.fresh("I") if m.chance(0.6) else ""
        if p.trip and day >= p.trip[1]:
            p.trip = None
        for _ in range(int(m.rng.poisson(p.rate))):
            to = m.fresh("M") if m.chance(0.45 if p.trip else 0.12) else str(m.rng.choice(p.shops))
            amount = p.usual * float(np.exp(m.rng.normal(0, 0.8)))
            m.pay(p, m.when(day, p.night), amount, to)
        if day % 30 == payday:
            at = m.when(day)
            m.pay(p, at, p.salary, employer, direction="in", category="salary")
            m.pay(p, at + timedelta(hours=m.between(0.2, 20)), round(p.salary * 0.3, -2), landlord,
                  category="rent")  # fmt: skip
            if m.chance(0.4):
                m.pay(p, at + timedelta(hours=m.between(1, 30)), round(p.salary * 0.4, -3),
                      friends[0], category="savings")  # fmt: skip
        if business and m.chance(0.15):
            m.pay(p, m.when(day), m.between(0.88, 1.1) * float(m.rng.choice(LIMITS[:2])),
                  str(m.rng.choice(p.shops)), category="goods")  # fmt: skip
        for strange, share in _STRANGE_DAYS:
            if m.chance(share):
                strange(m, p, day, friends)


def _holiday(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    bought = []
    for _ in range(int(m.rng.integers(5, 14))):
        amount, shop = p.usual * float(np.exp(m.rng.normal(0.6, 0.7))), m.fresh("M")
        m.pay(p, m.when(day, 0.2), amount, shop)
        bought.append((amount, shop))
    for amount, shop in bought[: int(m.rng.integers(0, 4))]:
        if day + 9 < m.days:
            m.pay(p, m.when(day + int(m.rng.integers(2, 9))), amount, shop, direction="in",
                  category="refund")  # fmt: skip


def _big(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    m.pay(p, m.when(day, p.night), p.usual * m.between(5, 40), m.fresh("M"))


def _split(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    """Friends pay their shares of a dinner or a trip, one pays for all."""
    at, share = m.when(day), p.usual * m.between(1, 6)
    for n, friend in enumerate(friends[: int(m.rng.integers(2, 5))]):
        m.pay(p, at + timedelta(minutes=9 * n), share, friend, direction="in", category="transfer")
    m.pay(p, at + timedelta(hours=m.between(1, 6)), share * m.between(3, 5), m.fresh("M"))


def _small_day(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    """Buses, machines, kiosks: many small amounts close together."""
    at, ip = m.when(day), m.fresh("I") if m.chance(0.3) else ""
    for n in range(int(m.rng.integers(3, 8))):
        m.pay(p, at + timedelta(minutes=n * m.between(4, 14)), m.between(1.5, 19), m.fresh("M"),
              ip=ip)  # fmt: skip


def _other_phone(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    m.pay(p, m.when(day, p.night), p.usual * m.between(0.5, 4), str(m.rng.choice(p.shops)),
          device=m.fresh("D"), channel="web")  # fmt: skip


def _renovation(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    """Bills of a contractor met today, not all of them higher than the one before."""
    contractor, bill = m.fresh("P"), p.usual * m.between(3, 10)
    for n in range(int(m.rng.integers(3, 7))):
        when = day + n * int(m.rng.integers(3, 8))
        if when < m.days:
            m.pay(p, m.when(when), bill, contractor, category="services")
        bill *= m.between(0.7, 1.7)


def _sold(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    """Things sold to strangers, and the money spent the same day on something from another."""
    at, whole = m.when(day), 0.0
    for n in range(int(m.rng.integers(2, 6))):
        amount = m.between(200, 4_000)
        whole += amount
        m.pay(p, at + timedelta(minutes=n * m.between(10, 90)), amount, m.fresh("P"),
              direction="in", category="transfer")  # fmt: skip
    if m.chance(0.6):
        m.pay(p, at + timedelta(hours=m.between(2, 9)), whole * m.between(0.5, 1.1), m.fresh("P"),
              category="services")  # fmt: skip


def _moving(m: _Maker, p: _Person, day: int, friends: list[str]) -> None:
    """A deposit, the movers, furniture: large sums to people not met before, some from the new
    flat's network."""
    at, ip = m.when(day), m.fresh("I") if m.chance(0.4) else ""
    for _ in range(int(m.rng.integers(2, 6))):
        m.pay(p, at, p.usual * m.between(1.5, 14), m.fresh("P"), category="services", ip=ip)
        at += timedelta(minutes=m.between(20, 180))


_STRANGE_DAYS: tuple[tuple[Callable[[_Maker, _Person, int, list[str]], None], float], ...] = (
    (_holiday, 0.004), (_big, 0.008), (_split, 0.006), (_small_day, 0.004), (_other_phone, 0.006),
    (_renovation, 0.0015), (_sold, 0.003), (_moving, 0.003),
)  # fmt: skip


# --- planted ------------------------------------------------------------------------------------


def _plan(m: _Maker, pattern: str, *codes: str) -> Planted:
    return Planted(pattern, m.episode, frozenset(codes))


def _takeover(m: _Maker, p: _Person, day: int) -> None:
    m.episode += 1
    device = m.fresh("D") if m.chance(0.8) else None
    city = str(m.rng.choice([c for c in CITIES if c != p.home])) if m.chance(0.5) else ""
    night = m.chance(0.5)
    at = m.when(day, 1.0 if night else 0.0)
    codes = ["new_counterparty"]
    codes += ["new_device"] * (device is not None) + ["night"] * night
    codes += ["new_place", "speed"] * bool(city)
    to, ip = [m.fresh("P") for _ in range(int(m.rng.integers(1, 4)))], m.fresh("I")
    for _ in range(int(m.rng.integers(2, 7))):
        times = m.between(1.5, 14)
        plan = _plan(m, "takeover", *codes, *(["amount"] * (times > 3)))
        m.pay(p, at, p.usual * times, str(m.rng.choice(to)), device=device or p.device, ip=ip,
              city=city, category="transfer", fraud=plan)  # fmt: skip
        at += timedelta(minutes=m.between(2, 45))


def _mule(m: _Maker, p: _Person, day: int) -> None:
    m.episode += 1
    at, whole = m.when(day), 0.0
    for _ in range(int(m.rng.integers(2, 8))):
        amount = m.between(800, 6_000)
        whole += amount
        m.pay(p, at, amount, m.fresh("P"), direction="in", category="transfer")
        at += timedelta(minutes=m.between(5, 120))
    parts = int(m.rng.integers(1, 4))
    to = m.fresh("P")
    for _ in range(parts):
        at += timedelta(minutes=m.between(10, 150))
        m.pay(p, at, whole * m.between(0.8, 0.98) / parts, to, category="transfer",
              fraud=_plan(m, "mule", "pass_through"))  # fmt: skip


def _structuring(m: _Maker, p: _Person, day: int) -> None:
    m.episode += 1
    limit = float(m.rng.choice(LIMITS))
    to = [m.fresh("P") for _ in range(int(m.rng.integers(1, 4)))]
    at = m.when(day)
    for _ in range(int(m.rng.integers(3, 7))):
        m.pay(p, at, limit * m.between(0.91, 0.999), str(m.rng.choice(to)), category="transfer",
              fraud=_plan(m, "structuring", "under_limit"))  # fmt: skip
        at += timedelta(hours=m.between(1, 30))


def _testing(m: _Maker, p: _Person, day: int) -> None:
    m.episode += 1
    at, ip = m.when(day, 0.4), m.fresh("I")
    for _ in range(int(m.rng.integers(4, 12))):
        m.pay(p, at, m.between(1, 15), m.fresh("M"), device=None, ip=ip, channel="web",
              fraud=_plan(m, "card testing", "small_burst"))  # fmt: skip
        at += timedelta(minutes=m.between(0.5, 7))
    for _ in range(int(m.rng.integers(0, 3))):
        m.pay(p, at, p.usual * m.between(2, 15), m.fresh("M"), device=None, ip=ip, channel="web",
              fraud=_plan(m, "card testing", "small_burst", "amount"))  # fmt: skip
        at += timedelta(minutes=m.between(5, 90))


def _refund_abuse(m: _Maker, p: _Person, day: int) -> None:
    m.episode += 1
    for n in range(int(m.rng.integers(4, 9))):
        at, amount, shop = m.when(day), p.usual * m.between(1, 8), m.fresh("M")
        m.pay(p, at, amount, shop)
        day += int(m.rng.integers(1, 5))
        back = m.when(day)
        if day >= m.days:
            return
        m.pay(p, max(back, at + timedelta(hours=3)), amount * m.between(0.8, 1), shop,
              direction="in", category="refund",
              fraud=_plan(m, "refund abuse", "refunds") if n >= 2 else None)  # fmt: skip


def _escalation(m: _Maker, p: _Person, day: int) -> None:
    """Transfers to one new person, each higher than the one before: the pattern held back."""
    m.episode += 1
    to, amount = m.fresh("P"), p.usual * m.between(0.8, 2.5)
    for n in range(int(m.rng.integers(5, 10))):
        if day >= m.days:
            return
        m.pay(p, m.when(day, 0.15), amount, to, category="transfer",
              fraud=_plan(m, NEW_PATTERN, "escalation", "amount") if n >= 2 else None)  # fmt: skip
        amount *= m.between(1.15, 1.9)
        day += int(m.rng.integers(1, 6))
