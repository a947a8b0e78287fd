"""A whole question to the simulator: this traffic, on such servers, scaled so."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, replace
from typing import get_args

from dazi.core.errors import CallerError
from dazi.ops.plan.accelerators import accelerator_of
from dazi.ops.plan.cost import HOURS_A_YEAR, YEARS, Prices
from dazi.ops.plan.memory import Precision
from dazi.ops.plan.models import shape_of
from dazi.ops.plan.simulate.fleet import Fleet, Kind
from dazi.ops.plan.simulate.outcome import Course, Summary, Wanted, course, summary
from dazi.ops.plan.simulate.policy import (
    NAMES,
    Fixed,
    Name,
    Policy,
    Queue,
    Schedule,
    Utilisation,
    oracle,
    scheduled,
)
from dazi.ops.plan.simulate.run import Rules, Run, Told
from dazi.ops.plan.simulate.service import BUNDLED_TURN, Engine, Front, embedded, vllm
from dazi.ops.plan.simulate.trace import Trace
from dazi.ops.plan.simulate.traffic import Traffic, generate
from dazi.ops.plan.simulate.traffic import checked as checked_traffic
from dazi.ops.scaling import ScalingRules

MOST_SIMULATED = 2_000_000
"""Turns; of more, those of one user in so many are, on as small a share of the servers."""
CORE_HOUR = 0.25
"""Yuan for a core and its memory, an hour. Assumed."""
MOST_REPLICAS = 100_000
START_S: dict[Kind, float] = {"embedded": 15.0, "server": 180.0}
"""Until a new one serves: a process with its model, a server that loads weights. Assumed."""


@dataclass(frozen=True)  # no slots: their defaults are those of the command
class Servers:
    """``kind``: ``embedded`` (a Dazi process with the engine inside, on ``cores``) or ``server`` (vLLM with
    ``model`` on ``cards`` of ``gpu``). ``start``: seconds until a new one serves, 0 for what is usual;
    ``price``: yuan an hour, 0 for what ``Prices`` make of it."""

    kind: str = "server"
    cores: int = 2
    model: str = "Qwen/Qwen3-14B"
    precision: Precision = "bf16"
    gpu: str = "A100-80GB"
    cards: int = 1
    start: float = 0.0
    price: float = 0.0
    at_once: int = 32
    places: int = 64
    queued: int = 64
    wait: float = 2.0


@dataclass(frozen=True)
class Scaling:
    """``policy`` is one of ``policy.NAMES``; ``replicas`` to begin with, or for ``fixed`` all the time, 0
    for as many as the busiest hour takes; ``schedule``: as ``policy.scheduled``."""

    policy: str = "queue"
    replicas: int = 0
    least: int = 1
    most: int = 0
    target: float = 0.7
    up: float = 30.0
    down: float = 300.0
    schedule: str = ""


@dataclass(frozen=True, slots=True)
class Scenario:
    traffic: Traffic = field(default_factory=Traffic)
    servers: Servers = field(default_factory=Servers)
    scaling: Scaling = field(default_factory=Scaling)
    wanted: Wanted = field(default_factory=Wanted)
    trace: Trace | None = None
    """One that was recorded, in place of ``traffic``."""
    engine: Engine | None = None
    front: Front | None = None
    """Measured ones, in place of those that ``servers`` speak of."""


@dataclass(frozen=True, slots=True)
class Simulated:
    scenario: Scenario
    summary: Summary
    course: Course
    fleet: Fleet
    first: int
    """Replicas to begin with."""


def simulate(s: Scenario, told: Told | None = None, most: int | None = None) -> Simulated:
    """Of more turns than ``most`` a sample. Raises ``CallerError`` for what makes no sense."""
    name = checked(s)
    one_in, trace = _sampled(s, most or MOST_SIMULATED)
    fleet = _fleet(s)
    busiest = _busiest(trace, fleet, s.scaling.target) if len(trace) else 1
    rules = _rules(s.scaling, busiest, one_in)
    policy = _policy(name, s.scaling, rules, trace, fleet, busiest, one_in)
    if fleet.kind == "server":
        inside = max(rules.most, policy.first()) * fleet.at_once
        fronts = max(1, math.ceil(inside / fleet.front.places))
        fleet = replace(fleet, fronts=fronts)
    run = Run(trace, fleet, policy, Rules(target=s.scaling.target), told)
    first = policy.first()
    outcome = run.go()
    a_second = (fleet.price) / 3600
    return Simulated(
        s, summary(outcome, s.wanted, a_second, one_in), course(outcome, one_in=one_in), fleet, first * one_in
    )  # fmt: skip


def checked(s: Scenario) -> Name:
    """Its policy. Raises ``CallerError``."""
    servers, scaling = s.servers, s.scaling
    name = next((n for n in NAMES if n == scaling.policy), None)
    if name is None:
        raise _wrong("policy", f"{', '.join(NAMES)}")
    if servers.kind not in get_args(Kind):
        raise _wrong("kind", ", ".join(get_args(Kind)))
    bounds: tuple[tuple[str, float, float, float], ...] = (
        ("cores", servers.cores, 1, 256), ("cards", servers.cards, 1, 64),
        ("start", servers.start, 0, 86_400), ("price", servers.price, 0, 1e6),
        ("at_once", servers.at_once, 1, 4_096), ("places", servers.places, 1, 100_000),
        ("queued", servers.queued, 0, 1_000_000), ("wait", servers.wait, 0.01, 600),
        ("replicas", scaling.replicas, 0, MOST_REPLICAS), ("least", scaling.least, 1, MOST_REPLICAS),
        ("most", scaling.most, 0, MOST_REPLICAS), ("target", scaling.target, 0.05, 1),
        ("up", scaling.up, 0, 86_400), ("down", scaling.down, 0, 86_400),
        ("first", s.wanted.first, 0.001, 3_600), ("whole", s.wanted.whole, 0.001, 3_600),
    )  # fmt: skip
    for what, value, low, high in bounds:
        if not low <= value <= high:
            raise _wrong(what, f"{low:g} - {high:g}")
    if s.trace is None:
        checked_traffic(s.traffic)
    return name


def _wrong(what: str, allowed: str) -> CallerError:
    return CallerError(what, f"{what} 应是 {allowed}", f"{what} must be {allowed}")


def _sampled(s: Scenario, most: int) -> tuple[int, Trace]:
    """One user in how many, and what they ask. Users ask for themselves, so fewer of them are traffic of
    the same kind, but for bursts, which shrink with it."""
    if s.trace is not None:
        one_in = max(1, math.ceil(len(s.trace) / most))
        return one_in, s.trace.of_users(one_in)
    t = s.traffic
    one_in = max(1, math.ceil(t.users * t.turns * t.days / most))
    if one_in == 1:
        return 1, generate(t)
    return one_in, generate(
        replace(t, users=max(1, t.users // one_in), questions=max(1, t.questions // one_in))
    )


def _fleet(s: Scenario) -> Fleet:
    v = s.servers
    front = s.front or Front(places=v.places, queued=v.queued, wait=v.wait)
    kind: Kind = "embedded" if v.kind == "embedded" else "server"
    start = v.start or START_S[kind]
    if kind == "embedded":
        engine = s.engine or embedded(v.cores)
        front = s.front or replace(front, turn=BUNDLED_TURN, round=0.0)
        price = v.price or v.cores * CORE_HOUR
        return Fleet(kind, engine, front, 1, engine.at_once, start=start, price=price, shares=True)
    gpu, prices = accelerator_of(v.gpu), Prices()
    bought = prices.gpu / (HOURS_A_YEAR * YEARS) + gpu.watts / 1000 * prices.pue * prices.kwh
    engine = s.engine or vllm(shape_of(v.model), v.precision, gpu, v.cards)
    if engine.room < 1_000:
        raise CallerError(
            "cards",
            f"{v.cards} 块 {gpu.name} 放不下 {v.model}({v.precision})",
            f"{v.model} ({v.precision}) does not fit on {v.cards} of {gpu.name}",
        )
    return Fleet(
        kind, engine, front, 0, v.at_once, start=start, price=v.price or bought * v.cards
    )  # fmt: skip


def _busiest(trace: Trace, fleet: Fleet, target: float) -> int:
    """Replicas that the busiest five minutes take."""
    needs = oracle(trace, fleet, ScalingRules(target)).needs
    return max(1, math.ceil(float(needs.max(initial=0.0))))


def _rules(c: Scaling, busiest: int, one_in: int) -> ScalingRules:
    most = math.ceil(c.most / one_in) if c.most else max(2, 2 * busiest)
    least = max(1, round(c.least / one_in))
    return ScalingRules(c.target, least, max(least, most), c.up, c.down)


def _policy(
    name: Name, c: Scaling, rules: ScalingRules, trace: Trace, fleet: Fleet, busiest: int, one_in: int
) -> Policy:  # fmt: skip
    given = math.ceil(c.replicas / one_in)
    match name:
        case "fixed":
            return Fixed(given or busiest)
        case "utilisation":
            return Utilisation(rules, max(rules.least, given))
        case "queue":
            return Queue(rules, max(rules.least, given))
        case "schedule":
            hours = scheduled(c.schedule or f"0={rules.least},8={busiest},19={rules.least}")
            shared = [(h, max(1, math.ceil(n / one_in) if c.schedule else n)) for h, n in hours]
            return Schedule(shared, trace.second_of_week)
        case "oracle":
            return oracle(trace, fleet, rules)
