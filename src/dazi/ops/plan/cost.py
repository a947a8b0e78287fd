"""What a model costs on machines of one's own beside an API: a thousand requests, three years with power and staff."""

from __future__ import annotations

from dataclasses import dataclass

HOURS_A_YEAR = 8760
YEARS = 3


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
    """Requests a day from which on machines of one's own are cheaper; 0 where they never are."""


def cost_of(load: Load, prices: Prices, gpus: int, watts: int) -> Cost:
    hours = HOURS_A_YEAR * YEARS
    rented = prices.hour > 0
    hardware = prices.hour * hours * gpus if rented else prices.gpu * gpus
    power = 0.0 if rented else watts * gpus / 1000 * prices.pue * prices.kwh * hours
    staff = prices.staff * YEARS
    private = hardware + power + staff
    requests = load.requests * 365 * YEARS
    one = (load.read * prices.api_read + load.written * prices.api_written) / 1e6
    even = round(private / (one * 365 * YEARS)) if one > 0 else 0
    return Cost(
        private / requests * 1000 if requests else 0.0,
        one * 1000,
        private,
        hardware,
        power,
        staff,
        one * requests,
        even,
    )
