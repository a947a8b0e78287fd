"""Payments of the demo's accounts: everyday life with a few frauds in it. Nothing in it is anybody's.

``rows(today)`` gives the same ones for every day, moved so that the last was yesterday. What was
planted is known by ``outcome`` where somebody has found out by now: frauds of the last
``UNSETTLED`` days are reported by nobody yet, and rising transfers to one person are a trick that
nobody knows. They are what there is to find.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

DAYS = 120
UNSETTLED = 14
ACCOUNTS = 80
NAMED = 204913
"""The number of the payment that the examples ask about; the others count up and down from it."""
CITIES = {
    "北京": ("CN", 39.9, 116.4), "上海": ("CN", 31.2, 121.5), "深圳": ("CN", 22.5, 114.1),
    "杭州": ("CN", 30.3, 120.2), "成都": ("CN", 30.7, 104.1), "香港": ("HK", 22.3, 114.2),
    "曼谷": ("TH", 13.8, 100.5),
}  # fmt: skip
HOMES = ("北京", "上海", "深圳", "杭州", "成都")
LIMITS = (10_000, 20_000, 50_000)
MINUTE = 60
HOUR = 60 * MINUTE
DAY = 24 * HOUR
Row = tuple[object, ...]


@dataclass
class Payment:
    """``at``: seconds since the first day began."""

    account: str
    at: int
    amount: float
    to: str
    direction: str
    category: str
    channel: str
    city: str
    device: str | None
    ip: str
    outcome: str | None = None
    named: bool = False


@dataclass
class Account:
    name: str
    home: str
    usual: float
    rate: float
    shops: list[str]
    device: str
    ip: str
    landlord: str


@dataclass
class Ledger:
    dice: random.Random
    made: list[Payment] = field(default_factory=list)
    numbers: dict[str, int] = field(default_factory=dict)

    def fresh(self, letter: str) -> str:
        self.numbers[letter] = self.numbers.get(letter, 1000) + 1
        return f"{letter}{self.numbers[letter]}"

    def pay(self, who: Account, at: float, amount: float, to: str, **told: object) -> Payment:
        payment = Payment(
            who.name, int(at), round(max(1.0, amount), 2), to, str(told.get("direction", "out")),
            str(told.get("category", "shopping")), str(told.get("channel", "app")),
            str(told.get("city", who.home)), who.device, who.ip,
        )  # fmt: skip
        if "device" in told:
            payment.device = told["device"] and str(told["device"])
        payment.ip = str(told.get("ip", self.fresh("I") if self.dice.random() < 0.03 else who.ip))
        if told.get("fraud"):
            settled = payment.at < (DAYS - UNSETTLED) * DAY
            payment.outcome = "fraud" if settled else None
        self.made.append(payment)
        return payment

    def hour(self, day: int, night: bool = False) -> float:
        hours = self.dice.uniform(0, 5) if night else min(23.0, max(6.0, self.dice.gauss(15, 4)))
        return day * DAY + hours * HOUR


def rows(today: date) -> Iterator[Row]:
    """In the order of ``schema.sql``; numbers rise with time."""
    book = Ledger(random.Random("payments"))
    accounts = [_account(book, n) for n in range(ACCOUNTS)]
    for account in accounts:
        _everyday(book, account)
    _planted(book, [a for n, a in enumerate(accounts) if n != 13])
    _the_named_one(book, accounts[13])
    ordered = sorted((p for p in book.made if p.at < DAYS * DAY), key=lambda p: (p.at, p.account))
    first = NAMED - next(n for n, p in enumerate(ordered) if p.named)
    begin = datetime.combine(today - timedelta(DAYS), time())
    for number, p in enumerate(ordered, first):
        country, latitude, longitude = CITIES[p.city]
        yield (
            f"TX{number}", p.account, p.amount, (begin + timedelta(seconds=p.at)).isoformat(),
            p.direction, p.channel, country, p.city, latitude, longitude, p.device, p.ip, p.to,
            p.category, p.outcome,
        )  # fmt: skip


def _account(book: Ledger, number: int) -> Account:
    dice = book.dice
    usual = dice.choice((60, 120, 300, 800)) * dice.uniform(0.8, 1.3)
    return Account(
        f"A{30_000 + number}", dice.choice(HOMES), usual, dice.uniform(0.2, 1.35),
        [book.fresh("M") for _ in range(dice.randint(5, 12))], book.fresh("D"), book.fresh("I"),
        book.fresh("P"),
    )  # fmt: skip


def _everyday(book: Ledger, who: Account) -> None:
    """Shopping, wages, rent; now and then a trip, a big purchase, another phone or small change."""
    dice, payday, wage = book.dice, book.dice.randint(1, 27), book.dice.uniform(6_000, 25_000)
    away_until, there = 0, who.home
    for day in range(DAYS):
        if away_until <= day and dice.random() < 0.008:
            away_until, there = day + dice.randint(2, 5), dice.choice(tuple(CITIES))
        city = there if day < away_until else who.home
        for _ in range(int(dice.random() < who.rate % 1) + int(who.rate)):
            shop = book.fresh("M") if dice.random() < 0.12 else dice.choice(who.shops)
            amount = who.usual * dice.lognormvariate(0, 0.6)
            book.pay(who, book.hour(day, dice.random() < 0.05), amount, shop, city=city)
        if day % 30 == payday:
            at = book.hour(day)
            book.pay(who, at, wage, "云杉商贸", direction="in", category="salary")
            book.pay(
                who,
                at + dice.uniform(1, 20) * HOUR,
                round(wage * 0.3, -2),
                who.landlord,
                category="rent",
            )
        if dice.random() < 0.006:
            book.pay(
                who, book.hour(day), who.usual * dice.uniform(5, 25), book.fresh("M"), city=city
            )
        if dice.random() < 0.004:
            book.pay(who, book.hour(day), who.usual * dice.uniform(0.5, 3), dice.choice(who.shops),
                     device=book.fresh("D"), channel="web")  # fmt: skip
        if dice.random() < 0.003:
            at = book.hour(day)
            for n in range(dice.randint(3, 5)):
                book.pay(
                    who, at + n * dice.uniform(5, 14) * MINUTE, dice.uniform(2, 18), book.fresh("M")
                )


# --- honest days that look like fraud -----------------------------------------------------------


def _sold(book: Ledger, who: Account, day: int) -> None:
    """Old things sold to strangers, and something bought with the money the same day."""
    dice, at, whole = book.dice, book.hour(day), 0.0
    for _ in range(dice.randint(2, 4)):
        amount = dice.uniform(200, 3_000)
        whole += amount
        book.pay(who, at, amount, book.fresh("P"), direction="in", category="transfer")
        at += dice.uniform(10, 90) * MINUTE
    if dice.random() < 0.6:
        book.pay(who, at, whole * dice.uniform(0.5, 1.05), book.fresh("P"), category="transfer")


def _moving(book: Ledger, who: Account, day: int) -> None:
    """Deposit, movers, furniture: large sums to people not met before, from the new flat."""
    dice, at, ip = book.dice, book.hour(day), book.fresh("I")
    for _ in range(dice.randint(2, 4)):
        book.pay(
            who, at, who.usual * dice.uniform(2, 12), book.fresh("P"), category="transfer", ip=ip
        )
        at += dice.uniform(20, 180) * MINUTE


def _elsewhere(book: Ledger, who: Account, day: int) -> None:
    """A night out in another city, by a borrowed phone."""
    dice, at = book.dice, book.hour(day, True)
    device, ip, city = book.fresh("D"), book.fresh("I"), dice.choice(tuple(CITIES))
    for _ in range(dice.randint(1, 4)):
        book.pay(who, at, who.usual * dice.uniform(0.3, 5), book.fresh("M"), device=device, ip=ip,
                 city=city)  # fmt: skip
        at += dice.uniform(10, 60) * MINUTE


# --- frauds ---------------------------------------------------------------------------------------


def _planted(book: Ledger, accounts: Sequence[Account]) -> None:
    """Each of the known tricks every ten days or so, the new one in the last month only."""
    known: tuple[Callable[[Ledger, Account, int], None], ...] = (
        _takeover, _mule, _structuring, _card_testing,
    )  # fmt: skip
    for trick in known:
        for day in range(12, DAYS - 1, 9):
            trick(book, book.dice.choice(accounts), min(DAYS - 2, day + book.dice.randint(0, 6)))
    _card_testing(book, accounts[7], DAYS - 1)
    _takeover(book, accounts[41], DAYS - 1)
    for _ in range(9):
        _rising(book, book.dice.choice(accounts), book.dice.randint(DAYS - 32, DAYS - 14))


def _takeover(book: Ledger, who: Account, day: int) -> None:
    dice = book.dice
    device = book.fresh("D") if dice.random() < 0.8 else who.device
    ip, to = book.fresh("I"), book.fresh("P")
    city = dice.choice([c for c in CITIES if c != who.home]) if dice.random() < 0.5 else who.home
    at = book.hour(day, dice.random() < 0.6)
    for _ in range(dice.randint(2, 4)):
        book.pay(who, at, who.usual * dice.uniform(1.2, 12), to, category="transfer", device=device,
                 ip=ip, city=city, fraud=True)  # fmt: skip
        at += dice.uniform(2, 40) * MINUTE


def _mule(book: Ledger, who: Account, day: int) -> None:
    dice, at, whole = book.dice, book.hour(day), 0.0
    for _ in range(dice.randint(3, 6)):
        amount = dice.uniform(800, 6_000)
        whole += amount
        book.pay(who, at, amount, book.fresh("P"), direction="in", category="transfer")
        at += dice.uniform(5, 60) * MINUTE
    to = book.fresh("P")
    for _ in range(2):
        at += dice.uniform(10, 90) * MINUTE
        book.pay(who, at, whole * dice.uniform(0.42, 0.48), to, category="transfer", fraud=True)


def _structuring(book: Ledger, who: Account, day: int) -> None:
    dice, at = book.dice, book.hour(day)
    limit, to = dice.choice(LIMITS), book.fresh("P")
    for _ in range(dice.randint(3, 5)):
        book.pay(who, at, limit * dice.uniform(0.92, 0.998), to, category="transfer", fraud=True)
        at += dice.uniform(1, 20) * HOUR


def _card_testing(book: Ledger, who: Account, day: int) -> None:
    dice, at, ip = book.dice, book.hour(day, True), book.fresh("I")
    for _ in range(dice.randint(4, 8)):
        book.pay(who, at, dice.uniform(1, 15), book.fresh("M"), device=None, ip=ip, channel="web",
                 fraud=True)  # fmt: skip
        at += dice.uniform(0.5, 6) * MINUTE
    book.pay(who, at, who.usual * dice.uniform(4, 12), book.fresh("M"), device=None, ip=ip,
             channel="web", fraud=True)  # fmt: skip


def _rising(book: Ledger, who: Account, day: int) -> None:
    """To one new person, each transfer higher than the one before."""
    dice = book.dice
    to, amount = book.fresh("P"), who.usual * dice.uniform(0.8, 2)
    for _ in range(dice.randint(5, 7)):
        book.pay(who, book.hour(day), amount, to, category="transfer")
        amount *= dice.uniform(1.3, 1.9)
        day += dice.randint(1, 3)


def _the_named_one(book: Ledger, who: Account) -> None:
    """Three nights ago: a new phone, a new payee, nineteen times the usual amount."""
    who.usual, at = 1_500.0, (DAYS - 3) * DAY + 2 * HOUR + 14 * MINUTE
    for day in range(60, DAYS - 4, 2):
        book.pay(
            who,
            book.hour(day),
            1_500 * book.dice.lognormvariate(0, 0.4),
            book.dice.choice(who.shops),
        )
    payment = book.pay(who, at, 28_600.0, book.fresh("P"), category="transfer",
                       device=book.fresh("D"), ip=book.fresh("I"), fraud=True)  # fmt: skip
    payment.named = True
