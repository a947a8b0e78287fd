"""Traffic as a company makes it: by the hour and the day, in sessions, in bursts, and the same for the
same seed."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from dazi.core.errors import CallerError
from dazi.ops.plan.simulate.trace import WEEK_S, Floats, Ints, Trace

HOUR_S = 3600.0
DAY_S = 86_400.0
WORKDAY = (
    0.1, 0.06, 0.04, 0.03, 0.03, 0.05, 0.15, 0.4, 1.1, 2.2, 2.6, 2.1,
    1.0, 1.5, 2.3, 2.5, 2.2, 1.7, 0.9, 0.6, 0.5, 0.4, 0.3, 0.2,
)  # fmt: skip
"""How much there is to do in each hour: an office with two peaks and lunch. Assumed."""
WEEKEND = 0.15
"""Of a workday, spread as evenly as the day is. Assumed."""
ASIDE = 0.35
"""Spread (of the logarithm) of think times."""
MOST_TURNS = 40_000_000


@dataclass(frozen=True)  # no slots: their defaults are those of the command
class Traffic:
    """``users`` with so many ``turns`` each on a workday, ``per_session`` at once with ``think`` seconds
    between an answer and the next question. ``days`` from ``weekday`` (0: Monday) on.

    ``bursts``: of all sessions the share that another one brings about (a Hawkes process; 0 is Poisson),
    ``echo`` seconds later in the mean. ``read`` and ``written``: tokens of a turn, in the median, with
    ``spread`` of their logarithm; ``calls`` of tools in a turn, in the mean. ``shared``: tokens at the
    beginning of every prompt; ``questions``: different first ones, asked as often as Zipf's law with
    exponent ``zipf`` has it.
    """

    users: int = 1_000
    turns: float = 8.0
    days: float = 1.0
    weekday: int = 0
    bursts: float = 0.3
    echo: float = 120.0
    per_session: float = 3.0
    think: float = 40.0
    read: int = 1_500
    written: int = 300
    spread: float = 0.6
    calls: float = 0.6
    shared: int = 1_000
    questions: int = 20_000
    zipf: float = 1.0
    seed: int = 1


def checked(t: Traffic) -> None:
    """Raises ``CallerError``."""
    limits: dict[str, tuple[float, float]] = {
        "users": (1, 1_000_000), "turns": (0.01, 1_000), "days": (0.001, 31), "weekday": (0, 6),
        "bursts": (0, 0.95), "echo": (1, 86_400), "per_session": (1, 50), "think": (0, 3_600),
        "read": (1, 1_000_000), "written": (1, 100_000), "spread": (0, 2), "calls": (0, 10),
        "shared": (0, 100_000), "questions": (1, 10_000_000), "zipf": (0, 3), "seed": (0, 2**31),
    }  # fmt: skip
    for name, value in asdict(t).items():
        low, high = limits[name]
        if not low <= value <= high:
            raise CallerError(
                name,
                f"{name} 要在 {low:g} 到 {high:g} 之间",
                f"{name} must be from {low:g} to {high:g}",
            )
    if t.users * t.turns * t.days > MOST_TURNS:
        raise CallerError(
            "users",
            f"一共超过 {MOST_TURNS:,} 轮;少算几天或几个用户",
            f"that makes more than {MOST_TURNS:,} turns; take fewer days or users",
        )


def curve(second_of_week: Floats) -> Floats:
    """How much there is to do, 1 in the mean of a workday; between hours as a straight line."""
    hours = np.arange(24) + 0.5
    mean = sum(WORKDAY) / 24
    level = np.interp(second_of_week % DAY_S / HOUR_S, hours, WORKDAY, period=24) / mean
    return np.where(second_of_week % WEEK_S >= 5 * DAY_S, level * WEEKEND, level)


def generate(t: Traffic) -> Trace:
    """Raises ``CallerError``."""
    checked(t)
    rng = np.random.default_rng(t.seed)
    starts = t.weekday * DAY_S
    seconds = t.days * DAY_S
    began = _clustered(t, _began(t, rng, starts, seconds), rng)
    began = np.sort(began[began < seconds])
    return _turns(t, began, rng, seconds, starts)


def _began(t: Traffic, rng: np.random.Generator, starts: float, seconds: float) -> Floats:
    """When sessions begin that nobody brought about: an inhomogeneous Poisson process, by the inverse of
    its cumulated rate."""
    grid = np.linspace(0, seconds, max(2, int(seconds / 60)) + 1)
    rate = curve(starts + grid)
    steps = (rate[1:] + rate[:-1]) / 2 * np.diff(grid)
    total = np.concatenate([[0.0], np.cumsum(steps)])
    a_day = t.users * t.turns / t.per_session * (1 - t.bursts)
    count = rng.poisson(a_day * total[-1] / DAY_S)
    return np.asarray(np.interp(rng.random(count) * total[-1], total, grid), dtype=np.float64)


def _clustered(t: Traffic, first: Floats, rng: np.random.Generator) -> Floats:
    """With the sessions that those bring about, and those again (Hawkes and Oakes 1974): one brings
    about ``bursts`` others in the mean, each after a time that is exponential."""
    found = [first]
    last = first
    while t.bursts and len(last):
        children = rng.poisson(t.bursts, len(last))
        last = np.repeat(last, children) + rng.exponential(t.echo, int(children.sum()))
        found.append(last)
    return np.concatenate(found)


def _turns(
    t: Traffic, began: Floats, rng: np.random.Generator, seconds: float, starts: float
) -> Trace:
    many = rng.geometric(1 / t.per_session, len(began))
    session = np.repeat(np.arange(len(began)), many)
    firsts = np.cumsum(many) - many
    index = np.arange(len(session)) - np.repeat(firsts, many)
    pause = rng.lognormal(np.log(max(t.think, 1e-9)), ASIDE, len(session))
    pause[index == 0] = 0.0
    into = np.cumsum(pause)
    at = began[session] + into - np.repeat(into[firsts], many) if len(session) else began[:0]
    own = _lognormal(rng, max(1, t.read - t.shared), t.spread, len(session))
    answer = _lognormal(rng, t.written, t.spread, len(session))
    calls = np.minimum(rng.poisson(t.calls, len(session)), 10)
    # A session's later prompts hold what was said before, which its server has.
    said = np.cumsum(own + answer)
    before = said - (own + answer)
    history = before - np.repeat(before[firsts], many) if len(session) else before
    question = _zipf(rng, t, len(session))
    user = (rng.random(len(began)) ** 2 * t.users).astype(np.int64)
    one = t.shared + history + own
    keep = at < seconds
    order = np.argsort(at[keep], kind="stable")

    def column(values: Ints) -> Ints:
        return values[keep][order]

    calls = column(calls)
    # A tool's result makes each later request of a turn longer by about a tenth of the first.
    prompt = column(one) * (calls + 1) + column(own) * calls * (calls + 1) // 20
    fresh = column(own) + column(own) * calls // 10
    asked = np.where(column(index) == 0, column(question), -1)
    return Trace(
        at[keep][order],
        prompt,
        column(answer),
        calls,
        calls + 1,
        fresh,
        turns_ago(asked),
        column(user[session]),
        seconds,
        starts,
    )


def _lognormal(rng: np.random.Generator, median: float, spread: float, count: int) -> Ints:
    made = rng.lognormal(np.log(median), spread, count) if spread else np.full(count, median)
    return np.maximum(1, made).astype(np.int64)


def _zipf(rng: np.random.Generator, t: Traffic, count: int) -> Ints:
    """Ranks from 0 on, by the inverse of their cumulated shares."""
    shares = 1.0 / np.arange(1, t.questions + 1) ** t.zipf
    total = np.cumsum(shares)
    found = np.searchsorted(total, rng.random(count) * total[-1])
    return np.asarray(found, dtype=np.int64)


def turns_ago(asked: Ints) -> Ints:
    """For each question, how many turns ago it was asked last; -1 where it was not, or is -1 itself."""
    order = np.lexsort((np.arange(len(asked)), asked))
    same = np.zeros(len(asked), dtype=bool)
    same[1:] = (asked[order][1:] == asked[order][:-1]) & (asked[order][1:] >= 0)
    ago = np.full(len(asked), -1, dtype=np.int64)
    ago[order[same]] = order[same] - order[np.flatnonzero(same) - 1]
    return ago
