"""What a model costs on machines of one's own beside an API: a thousand requests, three years with power and staff."""

from __future__ import annotations

import math
from dataclasses import dataclass

HOURS_A_YEAR = 8760
YEARS = 3
DAYS = 365 * YEARS


@dataclass(frozen=True)  # no slots: their defaults are those of the command
class Load:
    """A day's ``requests``, and the tokens of one: read and written."""

    requests: int = 10_000
    read: int = 1500
    written: int = 300


@dataclass(frozen=True)
class Prices:
    """In yuan. None of them is measured: each is an assumption that a setting replaces. ``gpu``: to buy one with
    its share of the machine; ``hour``: to rent one, 0 where they are bought; ``kwh``; ``pue``: power of the house
    for one of the machine's; ``staff``: of the people who run it, a year; ``api_read`` and ``api_written``: of a
    million tokens."""

    gpu: float = 120_000.0
    hour: float = 0.0
    kwh: float = 0.8
    pue: float = 1.4
    staff: float = 100_000.0
    api_read: float = 1.0
    api_written: float = 4.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """``replicas`` of the model, each on ``group`` GPUs of ``watts`` and good for ``capacity`` requests a day."""

    group: int
    replicas: int
    watts: int
    capacity: float

    @property
    def gpus(self) -> int:
        return self.group * self.replicas


@dataclass(frozen=True, slots=True)
class Cost:
    """In yuan. ``thousand``: of requests, all in. ``private`` and ``api``: of three years, ``private`` in its parts."""

    thousand: float
    api_thousand: float
    private: float
    hardware: float
    power: float
    staff: float
    api: float
    even: int
    """Requests a day from which on machines of one's own are cheaper, as many of them as that takes; 0 where
    they never are."""


def cost_of(load: Load, prices: Prices, fleet: Fleet) -> Cost:
    hardware, power = _machines(prices, fleet.gpus, fleet.watts)
    staff = prices.staff * YEARS
    private = hardware + power + staff
    requests = load.requests * DAYS
    one = (load.read * prices.api_read + load.written * prices.api_written) / 1e6
    return Cost(
        private / requests * 1000 if requests else 0.0,
        one * 1000,
        private,
        hardware,
        power,
        staff,
        one * requests,
        _even(one * DAYS, staff, sum(_machines(prices, fleet.group, fleet.watts)), fleet.capacity),
    )


def _machines(prices: Prices, gpus: int, watts: int) -> tuple[float, float]:
    """Of three years: to have them, and their power, which is in the price of what is rented."""
    hours = HOURS_A_YEAR * YEARS
    if prices.hour > 0:
        return prices.hour * hours * gpus, 0.0
    return prices.gpu * gpus, watts * gpus / 1000 * prices.pue * prices.kwh * hours


def _even(api: float, staff: float, group: float, capacity: float) -> int:
    """``api``: what it takes for one request a day; ``group``: what one replica's GPUs take. Each replica that is
    added must first be paid for, so the last load at which one still was not is looked for."""
    gain = api * capacity - group
    if api <= 0 or gain <= 0:
        return 0
    replicas = math.ceil((staff + group) / gain)
    return max(1, math.ceil((staff + replicas * group) / api))
