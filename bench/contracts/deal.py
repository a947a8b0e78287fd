"""What one contract is about: parties, dates, sums, the table of items and how it numbers itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from random import Random
from typing import Any

from bench.contracts import figures, texts
from bench.contracts.blocks import Rows
from bench.contracts.texts import Kind


@dataclass(frozen=True, slots=True)
class Party:
    """``other`` is a name that could be taken for the party's and is another's; ``person`` represents
    a company and is empty where the party is a person."""

    name: str
    city: str
    address: str
    person: str
    other: str = ""


@dataclass(frozen=True, slots=True)
class Deal:
    """``amounts`` are the table's, one an item; ``dates`` the days of signature, start and end;
    ``style`` chooses among ways to number clauses, to write dates and to name the parties."""

    kind: Kind
    a: Party
    b: Party
    roles: tuple[str, str]
    number: str
    currency: str | None
    items: Rows
    amounts: tuple[int, ...]
    dates: tuple[date, date, date]
    style: int
    date_style: int

    @property
    def total(self) -> int:
        return sum(self.amounts)

    @property
    def us(self) -> str:
        return self.roles[0] if self.kind.company == "a" else self.roles[1]

    @property
    def them(self) -> str:
        return self.roles[1] if self.kind.company == "a" else self.roles[0]

    @property
    def counterparty(self) -> Party:
        return self.b if self.kind.company == "a" else self.a

    @property
    def company(self) -> Party:
        return self.a if self.kind.company == "a" else self.b

    def values(self) -> dict[str, Any]:
        """For the slots that every kind has."""
        language = self.kind.language
        signed, start, end = (figures.day(d, self.date_style, language) for d in self.dates)
        out: dict[str, Any] = {
            "A": self.roles[0],
            "B": self.roles[1],
            "us": self.us,
            "them": self.them,
            "us_name": self.company.name,
            "them_name": self.counterparty.name,
            "other_name": self.counterparty.other,
            "them_city": self.counterparty.city,
            "price": self.kind.price,
            "signed": signed,
            "start": start,
            "end": end,
        }
        if self.currency is not None:
            words = figures.sum_in_words(self.total, self.currency, language)
            out |= {
                "currency": self.currency,
                "total": self.total,
                "money": figures.money(self.total, self.date_style + self.style),
                "money_words": words,
            }
        return out

    def ending(self, end: date) -> Deal:
        return replace(self, dates=(*self.dates[:2], end))


def make(kind: Kind, rng: Random) -> Deal:
    people = texts.people(kind.language)
    ours, other = people["us"], rng.choice(people[kind.counterparty])
    us = Party(ours["name"], ours["city"], ours["address"], ours["person"])
    person = rng.choice(people["people"]) if kind.counterparty == "firms" else ""
    them = Party(other[0], other[2], other[3], person, other[1])
    signed = date(2025, 1, 6) + timedelta(days=rng.randrange(420))
    start = signed + timedelta(days=rng.randrange(1, 40))
    years = rng.choice((1, 2, 3))
    end = start.replace(year=start.year + years, day=min(start.day, 28)) - timedelta(days=1)
    items, amounts = _items(kind, years, rng)
    company_first = kind.company == "a"
    return Deal(
        kind=kind,
        a=us if company_first else them,
        b=them if company_first else us,
        roles=rng.choice(kind.roles),
        number=f"{kind.prefix}-{signed.year}-{rng.randrange(100, 1000)}",
        currency=rng.choice(kind.currency) if kind.currency else None,
        items=items,
        amounts=amounts,
        dates=(signed, start, end),
        style=rng.randrange(3),
        date_style=rng.randrange(3),
    )


def _items(kind: Kind, years: int, rng: Random) -> tuple[Rows, tuple[int, ...]]:
    if kind.total is None or kind.table is None:
        return (), ()
    labels = texts.labels(kind.language)
    aim = rng.randint(*kind.total)
    rows: list[tuple[str, ...]] = []
    amounts: list[int] = []
    if kind.table == "rent":
        rent = max(1000, aim // (12 * years) // 100 * 100)
        for year in range(1, years + 1):
            rows.append((labels["year"].format(year), "12", _sum(rent), _sum(rent * 12)))
            amounts.append(rent * 12)
        return tuple(rows), tuple(amounts)
    names = rng.sample(texts.people(kind.language)[kind.table], rng.randint(4, 8))
    pool = texts.annex_texts(kind.language)
    models = pool.get("goods", pool)["words"]["model"]
    weights = [rng.uniform(0.3, 2) for _ in names]
    for number, (name, weight) in enumerate(zip(names, weights, strict=True), 1):
        quantity = rng.choice((2, 4, 6, 8, 12, 20, 24, 40))
        price = max(10, int(aim * weight / sum(weights) / quantity) // 10 * 10)
        kind_of = rng.choice(models) if kind.table == "goods" else ""
        middle = (kind_of, str(quantity)) if kind_of else (str(quantity), labels["unit"])
        rows.append((str(number), name, *middle, _sum(price), _sum(quantity * price)))
        amounts.append(quantity * price)
    return tuple(rows), tuple(amounts)


def table(deal: Deal, off: Random | None) -> Rows:
    """Head, items and the row of the total; with ``off`` one item's price is another, so that the
    items no longer make up the total."""
    if deal.kind.table is None:
        return ()
    labels = texts.labels(deal.kind.language)
    head: tuple[str, ...] = tuple(labels[deal.kind.table])
    rows = list(deal.items)
    if off is not None:
        at = off.randrange(len(rows))
        *first, price, amount = rows[at]
        raised = _number(price) * off.choice((110, 120, 125, 150)) // 100
        times = _number(amount) // _number(price)
        rows[at] = (*first, _sum(raised), _sum(raised * times))
    last = ("", labels["total"], *[""] * (len(head) - 3), _sum(deal.total))
    return (head, *rows, last if len(head) > 4 else (labels["total"], "", "", _sum(deal.total)))


def blank_table(kind: Kind) -> Rows:
    if kind.table is None:
        return ()
    labels: Mapping[str, Any] = texts.labels(kind.language)
    head: tuple[str, ...] = tuple(labels[kind.table])
    return (head, *[("____",) * len(head)] * 3, (labels["total"], *["____"] * (len(head) - 1)))


def _sum(amount: int) -> str:
    return figures.money(amount)


def _number(text: str) -> int:
    return int(float(text.replace(",", "")))
