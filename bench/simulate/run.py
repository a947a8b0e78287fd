"""``make bench-simulate``: the simulator beside what it simulates.

For each side a model of service is fitted to a short closed loop at a few numbers of callers. Then three
traces that have nothing to do with that loop are replayed in real time over HTTP, three runs each: other
numbers of requests a second (below, near and beyond what was fitted), arriving at random and in bursts, with
other shares of the kinds of question. The same traces go through the simulator, with the tokens and model
requests that each turn was seen to take (as a recorded trace has them) and nothing of how long it took, and both
are compared.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT)]

from bench.machine import cores, describe, pinned  # noqa: E402
from bench.simulate.fit import Fit, Level, fitted  # noqa: E402
from bench.simulate.replay import Measured  # noqa: E402
from bench.simulate.sides import KINDS, Side, Turns, bundled, paced  # noqa: E402
from bench.tables import Table  # noqa: E402
from dazi.ops.plan.simulate.outcome import ANSWERED, NO_PLACE, NO_SERVER, Outcome  # noqa: E402
from dazi.ops.plan.simulate.policy import Fixed  # noqa: E402
from dazi.ops.plan.simulate.run import Rules, Run  # noqa: E402

RESULTS = ROOT / "bench" / "results" / "simulate.md"
CALLERS = (1, 4, 12)
LOADS = (0.5, 0.9, 1.8)
"""Of what the fitted model can do, in the three traces."""
MIXES = ((0.4, 0.3, 0.2, 0.1), (0.1, 0.2, 0.3, 0.4), (0.25, 0.25, 0.25, 0.25))
CALIBRATED = (0.3, 0.3, 0.2, 0.2)
"""Shares of the kinds of question in each trace, and in the calibration."""
BURST, ECHO_S = 0.3, 2.0
"""Of the arrivals so many were brought about by another, so long after it in the mean."""
WARM, SETTLED, FASTER, WARM_AT_MOST = 48, 2, 1.05, 960
"""Blocks of so many turns, until so many one after another are not faster by so much, so many turns in all at
most."""
RUNS = 3
TOO_BUSY = 0.05
TRIES = 2
RATE_WITHIN, P99_WITHIN = 0.15, 0.25
MANY = 4096
FIRST_TEST = 32 * MANY
"""Turns of the traces are numbered from here: none was asked while calibrating. The number of a turn, by
``MANY``, says of which kind it is."""


@dataclass(frozen=True, slots=True)
class Compared:
    name: str
    load: float
    offered: float
    rate: tuple[float, ...]
    p99: tuple[float, ...]
    p50: tuple[float, ...]
    refused: tuple[float, ...]
    waited: tuple[float, ...]
    sim_rate: float
    sim_p99: float
    sim_p50: float
    sim_refused: float
    slowed: float

    @property
    def rate_off(self) -> float:
        return self.sim_rate / float(np.median(self.rate)) - 1

    @property
    def p99_off(self) -> float:
        return self.sim_p99 / float(np.median(self.p99)) - 1

    @property
    def met(self) -> tuple[bool, bool]:
        within = min(self.p99) <= self.sim_p99 <= max(self.p99)
        return abs(self.rate_off) <= RATE_WITHIN, within or abs(self.p99_off) <= P99_WITHIN


def arrivals(rate: float, seconds: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    first = rng.random(rng.poisson(rate * (1 - BURST) * seconds)) * seconds
    found, last = [first], first
    while len(last):
        last = np.repeat(last, rng.poisson(BURST, len(last)))
        last = last + rng.exponential(ECHO_S, len(last))
        found.append(last)
    at = np.concatenate(found)
    return np.sort(at[at < seconds])


def kinds_of(shares: Sequence[float], seed: int) -> np.ndarray:
    return np.random.default_rng(seed).choice(KINDS, MANY, p=shares)


async def compare(name: str, seconds: float, runs: int, tables: list[Table]) -> list[Compared]:
    kinds = kinds_of(CALIBRATED, 1)
    opened = paced if name == "paced" else bundled
    async with opened(kinds) as side:
        levels = await _calibrated(side, seconds / 2)
        turns = side.turns.after(d for level in levels for d in level.found.turns)
        fit = fitted(side, turns, levels)
        tables.append(_fit_table(side, fit, levels))
        print(tables[-1].text(), flush=True)
        top = max(len(level.found.took) / level.found.seconds for level in levels)
        out = []
        for i, (load, shares) in enumerate(zip(LOADS, MIXES, strict=True)):
            seed = 100 + i
            mixed = replace(turns, kind=kinds_of(shares, seed))
            # The rate at which this mix would keep the fitted model as busy.
            rate = top * load * _work(side, turns) / _work(side, mixed)
            at = arrivals(rate, seconds, seed)
            kinds[:] = mixed.kind
            mixed = replace(mixed, kind=mixed.kind[: len(at)])
            measured, simulated = [], []
            for n in range(runs):
                m = await _clean(side, at, FIRST_TEST + MANY * (i * runs + n) * 4)
                known = {d.turn % MANY: d.used for d in m.turns if d.ok}
                fleet = side.fleet(fit.engine, fit.front, m.slowed)
                trace = mixed.trace(at, seconds, known)
                measured.append(m)
                simulated.append(Run(trace, fleet, Fixed(1), Rules(seed=seed)).go())
            out.append(_compared(side.name, load, at, seconds, measured, simulated))
            print(out[-1], flush=True)
        return out


async def _calibrated(side: Side, seconds: float) -> list[Level]:
    """A closed loop at each number of callers, about as long each, once the server is warm."""
    pace, first = await _warm(side)
    levels = []
    for callers in CALLERS:
        count = max(32, min(MANY // 4, int(pace * seconds * min(1.0, callers / 3))))
        tried = []
        for _ in range(TRIES):
            chosen = range(first, first + count)
            first += count
            tried.append(Level(callers, chosen, await side.load.closed(callers, chosen)))
            if _disturbed(tried[-1].found) <= TOO_BUSY:
                break
        levels.append(min(tried, key=lambda level: _disturbed(level.found)))
    return levels


async def _warm(side: Side) -> tuple[float, int]:
    """Turns until they come no faster any more: turns a second then, and how many there were. What is asked
    first fills the caches (prompts, grammars, connections), and so is no measure of what comes after."""
    best, since, first = 0.0, 0, 0
    while since < SETTLED and first < WARM_AT_MOST:
        found = await side.load.closed(max(CALLERS), range(first, first + WARM))
        pace = len(found.took) / found.seconds
        since = 0 if pace > best * FASTER else since + 1
        best = max(best, pace)
        first += WARM
        print(f"warming: {pace:.2f} turns/s", flush=True)
    return best, first


def _disturbed(m: Measured) -> float:
    return max(m.waited, m.around)


async def _clean(side: Side, at: np.ndarray, first: int) -> Measured:
    """Where others had the core for long it is tried again, and the best one counts."""
    tried = []
    for n in range(TRIES):
        tried.append(await side.load.open(at.tolist(), first + n * MANY))
        if _disturbed(tried[-1]) <= TOO_BUSY:
            break
    return min(tried, key=_disturbed)


def _work(side: Side, turns: Turns) -> float:
    """What a turn of this mix takes of the engine, in arbitrary units."""
    e = side.guess
    answer = np.array(turns.answer)[turns.kind].mean()
    prompt = np.array(turns.prompt)[turns.kind].mean()
    return float(prompt * e.prefill + answer * (e.base / 8 + e.each) + side.front.turn)


def _compared(
    name: str,
    load: float,
    at: np.ndarray,
    seconds: float,
    measured: list[Measured],
    simulated: list[Outcome],
) -> Compared:
    def at_(percent: float) -> tuple[float, ...]:
        return tuple(float(np.percentile(m.took, percent)) for m in measured)

    def of(what: Callable[[Outcome], float]) -> float:
        return float(np.median([what(o) for o in simulated]))

    def took(o: Outcome) -> np.ndarray:
        return o.whole[o.status == ANSWERED]

    span = [max(d.came + d.took for d in m.turns) for m in measured]
    return Compared(
        name,
        load,
        len(at) / seconds,
        tuple(len(m.took) / s for m, s in zip(measured, span, strict=True)),
        at_(99),
        at_(50),
        tuple(sum(d.refused for d in m.turns) / len(m.turns) for m in measured),
        tuple(_disturbed(m) for m in measured),
        of(lambda o: len(took(o)) / float(np.nanmax(o.come + o.whole))),
        of(lambda o: float(np.percentile(took(o), 99))),
        of(lambda o: float(np.percentile(took(o), 50))),
        of(lambda o: o.count(NO_PLACE, NO_SERVER) / len(at)),
        float(np.median([m.slowed for m in measured])),
    )


def _fit_table(side: Side, fit: Fit, levels: list[Level]) -> Table:
    table = Table(
        f"fit-{side.name}",
        f"{side.name}: the closed loops that were fitted",
        ("callers", "turns", "turns/s", "p50 ms", "p99 ms", "others had the core"),
    )
    for level in levels:
        m = level.found
        table.rows.append(
            (
                level.callers, len(m.took), len(m.took) / m.seconds,
                float(np.percentile(m.took, 50)) * 1e3, float(np.percentile(m.took, 99)) * 1e3,
                f"{_disturbed(m):.0%}",
            )
        )  # fmt: skip
        if m.others:
            table.notes.append(f"not counted: {m.others}")
    told = ", ".join(f"{name} {fit.value(name) * 1e3:.3g} ms" for name in side.free)
    table.notes.append(f"Fitted: {told}; squared error of the logarithms {fit.error:.3g}.")
    return table


def compared_table(found: list[Compared]) -> Table:
    table = Table(
        "compared",
        "Simulated beside measured: three traces that were not fitted, three runs each",
        (
            "side", "load", "offered/s", "measured/s", "simulated/s", "off", "p50 ms", "simulated",
            "p99 ms", "simulated p99", "p99 off", "refused", "simulated refused", "others", "slowed", "met",
        ),
    )  # fmt: skip

    def spread(values: Sequence[float], by: float = 1e3) -> str:
        low, high = min(values) * by, max(values) * by
        return f"{low:,.0f}-{high:,.0f}" if high >= 10 else f"{low:.2f}-{high:.2f}"

    for c in found:
        table.rows.append(
            (
                c.name, f"{c.load:g}", c.offered, spread(c.rate, 1), c.sim_rate, f"{c.rate_off:+.0%}",
                spread(c.p50), c.sim_p50 * 1e3, spread(c.p99), c.sim_p99 * 1e3, f"{c.p99_off:+.0%}",
                f"{min(c.refused):.1%}-{max(c.refused):.1%}", f"{c.sim_refused:.1%}",
                f"{min(c.waited):.0%}-{max(c.waited):.0%}", f"{c.slowed:.2f}x",
                " ".join(("rate" if c.met[0] else "NOT rate", "p99" if c.met[1] else "NOT p99")),
            )
        )  # fmt: skip
    table.notes.append(
        f"Bar: throughput within {RATE_WITHIN:.0%} of the median run; p99 within the runs' spread or "
        f"{P99_WITHIN:.0%} of their median. off: simulated beside the median run."
    )
    table.notes.append(
        "others: of the time, the share in which another program had the core of the server or of the load "
        f"while it could have run. Above {TOO_BUSY:.0%} a run is tried again, {TRIES} times in all, and "
        "the best one counts, however bad it is; so with the closed loops."
    )
    table.notes.append(
        "slowed: how much longer the server's work took than alone, by the kernel's count of how long it "
        "waited for its core. The fitted model is of the work alone, and both the closed loops and the "
        "traces are simulated with it slowed as it was measured in them: else a model fitted in a busy "
        "minute would say nothing of a quiet one."
    )
    return table


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", choices=("paced", "bundled"), action="append", default=[])
    parser.add_argument("--seconds", type=float, default=30.0, help="of each run")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--write", action="store_true", help="into bench/results/simulate.md")
    asked = parser.parse_args()
    tables: list[Table] = []
    found: list[Compared] = []
    with pinned(cores().load):
        for name in asked.only or ("paced", "bundled"):
            found += asyncio.run(compare(name, asked.seconds, asked.runs, tables))
    tables.append(compared_table(found))
    text = "\n\n".join(t.text() for t in tables)
    print(text)
    if asked.write:
        about = describe() | {"load average": ", ".join(f"{v:.1f}" for v in os.getloadavg())}
        head = "# The simulator beside what it simulates\n\n" + (__doc__ or "").partition("\n\n")[2]
        machine = "\n".join(f"- {k}: {v}" for k, v in about.items())
        body = "\n\n".join(t.markdown() for t in tables)
        RESULTS.write_text(f"{head}\n{machine}\n\n{body}\n", "utf-8")
    missed = sum(not all(c.met) for c in found)
    print(json.dumps({"compared": len(found), "missed": missed}))
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
