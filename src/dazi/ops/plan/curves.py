"""What a plan's plots show: the same reckoning for other precisions, requests at once, months and loads."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dazi.ops.plan.cost import YEARS
from dazi.ops.plan.memory import MB, PRECISIONS, Memory, Precision, memory_of
from dazi.ops.plan.planning import AT_ONCE, MOST, USED, Plan, Wanted, plan
from dazi.ops.plan.speed import MEASURED_TOKENS, Published, speed_of

MONTHS = 12 * YEARS
BATCHES = tuple(2**n for n in range(11))
"""Requests at once along the roofline."""
LOADS = (100, 10_000_000)
"""Requests a day that are shown at least."""
_STEPS = 60


@dataclass(frozen=True, slots=True)
class Bar:
    precision: Precision
    concurrency: int
    memory: Memory
    chosen: bool


@dataclass(frozen=True, slots=True)
class Stack:
    """``card``: MB of 2^20 bytes that one card gives a server; ``cards`` of them hold what was chosen."""

    bars: tuple[Bar, ...]
    card: float
    cards: int


def stack(p: Plan) -> Stack:
    w = p.wanted
    steps = sorted({1, w.concurrency, 4 * w.concurrency, *((16,) if w.concurrency == 1 else ())})
    bars = [
        Bar(
            precision,
            n,
            memory_of(w.shape, precision, w.context, n, fp8_cache=w.fp8_cache),
            (precision, n) == (w.precision, w.concurrency),
        )
        for precision in PRECISIONS
        for n in steps
    ]
    return Stack(tuple(bars), w.gpu.memory * 1e9 * USED / MB, p.fits)


@dataclass(frozen=True, slots=True)
class Roof:
    """Tokens a second that the hardware allows at so many requests at once, as (requests, tokens). ``short``: the
    same for what was published, in bf16 on one card; empty where nothing was. ``room``: requests whose cache finds
    room on the cards that hold the plan."""

    wanted: tuple[tuple[int, float], ...]
    short: tuple[tuple[int, float], ...]
    published: tuple[tuple[int, Published], ...]
    room: int


def roof(p: Plan) -> Roof:
    w = p.wanted

    def bound(precision: Precision, gpus: int, tokens: int, n: int, *, half: bool) -> float:
        return speed_of(w.shape, precision, w.gpu, gpus, tokens, n, fp8_cache=half).together

    batches = sorted({*BATCHES, w.concurrency})
    one = memory_of(w.shape, w.precision, w.context, 1, fp8_cache=w.fp8_cache)
    free = w.gpu.memory * 1e9 * USED / MB * p.fits - one.weights - one.beside
    return Roof(
        tuple((n, bound(w.precision, p.fits, w.context, n, half=w.fp8_cache)) for n in batches),
        tuple((n, bound("bf16", 1, MEASURED_TOKENS, n, half=False)) for n in batches)
        if p.published
        else (),
        tuple((AT_ONCE, x) for x in p.published),
        int(free / max(1, one.cache)),
    )


@dataclass(frozen=True, slots=True)
class Course:
    """Yuan spent by the end of each month, the first of them before it begins. ``even``: months after which the
    machines have cost as much as the API; None where that is not within these years."""

    private: tuple[float, ...]
    api: tuple[float, ...]
    even: float | None


def course(p: Plan) -> Course:
    """What is bought is paid for at the beginning, all else by the month."""
    c = p.cost
    at_once = 0.0 if p.wanted.prices.hour > 0 else c.hardware
    monthly, api = (c.private - at_once) / MONTHS, c.api / MONTHS
    even = at_once / (api - monthly) if api > monthly else None
    return Course(
        tuple(at_once + monthly * m for m in range(MONTHS + 1)),
        tuple(api * m for m in range(MONTHS + 1)),
        even if even is not None and even <= MONTHS else None,
    )


@dataclass(frozen=True, slots=True)
class Rate:
    """Yuan for a thousand requests at so many ``requests`` a day, on ``gpus`` cards and by an API."""

    requests: int
    gpus: int
    private: float
    api: float


def rates(wanted: Wanted) -> tuple[Rate, ...]:
    """Each with as many cards as its load takes."""
    low, high = LOADS[0], max(LOADS[1], min(MOST, 10 * wanted.load.requests))
    grid = {round(low * (high / low) ** (n / _STEPS)) for n in range(_STEPS + 1)}
    chosen = {wanted.load.requests} if wanted.load.requests else set()
    found = []
    for requests in sorted(grid | chosen):
        p = plan(replace(wanted, load=replace(wanted.load, requests=requests)))
        found.append(Rate(requests, p.gpus, p.cost.thousand, p.cost.api_thousand))
    return tuple(found)
