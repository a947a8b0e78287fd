"""``/scaling``: what an autoscaler needs to know of this process and of its model servers.

The need of a replica follows from Little's law: what is inside, what waits, and what was refused for
want of a place would together take so many places; a replica is to have ``target`` of its own taken.
Every process tells of itself. An autoscaler adds the ``needed`` of all, or asks one and says how many
``replicas`` there are.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from dazi.gateway.exchange import Exchange
from dazi.gateway.gate import Gate
from dazi.gateway.load_meter import LATELY_S
from dazi.gateway.operator_entry import admit_monitor
from dazi.gateway.reply import encode
from dazi.inference.pool.backend import Backend
from dazi.inference.pool.engine import PoolEngine
from dazi.inference.pool.places import Places

MOST_REPLICAS = 10_000


class ServerScaling(Struct, frozen=True):
    """A model server. ``waiting``: of the requests without a place those that it would suit;
    ``tokens``: in flight, by the mean of a request there."""

    name: str
    state: str
    outstanding: int
    at_once: int
    waiting: int
    tokens: int


class ModelScaling(Struct, frozen=True):
    """The servers of one model in one place. ``replicas``: those that can be reckoned with;
    ``needed``: as of the whole, for them."""

    name: str
    place: str
    replicas: int
    outstanding: int
    waiting: int
    places: int
    utilisation: float
    needed: float
    desired_replicas: int
    servers: list[ServerScaling]


class ScalingView(Struct, frozen=True):
    """``in_flight``: places taken, or turns being answered where that is more (pages take no place);
    ``load``: the mean of what is inside or waits, of the last quarter of a minute or so; ``refused``:
    in the last minute; ``queue_wait_s`` and ``queue_wait_most_s``: of those who waited then;
    ``turn_s``: how long a place is held; ``tokens_in_flight``: by the mean of a turn; ``needed``:
    replicas that what comes here would take to ``target``, a fraction."""

    in_flight: int
    queued: int
    places: int
    refused: int
    queue_wait_s: float
    queue_wait_most_s: float
    turn_s: float
    tokens_in_flight: int
    load: float
    utilisation: float
    target: float
    needed: float
    replicas: int
    desired_replicas: int
    models: list[ModelScaling]


async def scaling(x: Exchange) -> None:
    admit_monitor(x)
    replicas = x.number("replicas", 1, least=1, most=MOST_REPLICAS)
    state, gate = x.state, x.state.gate
    meter, rules = gate.meter, state.scaling.rules
    now = meter.clock()
    in_flight = max(gate.taken, state.service.under_way)
    load = max(meter.mean(), meter.level, in_flight)
    needed = (load + turned_away(gate, now)) / (gate.places * rules.target)
    desired = state.scaling.of("").desired(now, replicas, needed * replicas)
    models: list[ModelScaling] = []
    if isinstance(state.engine, PoolEngine):
        models = list(_models(x, state.engine, now))
    view = ScalingView(
        in_flight,
        gate.waiting,
        gate.places,
        meter.refused.count(now),
        round(meter.waited.mean(now), 4),
        round(meter.waited.most(now), 4),
        round(meter.held_s, 4),
        round(in_flight * state.service.mean_tokens),
        round(load, 2),
        round(load / gate.places, 4),
        rules.target,
        round(needed, 4),
        replicas,
        desired,
        models,
    )
    await x.reply(encode(view), (b"cache-control", b"no-store"))


def turned_away(gate: Gate, now: float) -> float:
    """Places that those refused would have taken (their rate, times how long a place is held); no
    more than there are, because who is refused asks again."""
    meter = gate.meter
    return min(gate.places, meter.refused.count(now) / LATELY_S * meter.held_s)


def _models(x: Exchange, pool: PoolEngine, now: float) -> Iterator[ModelScaling]:
    kinds: dict[tuple[str, str], list[Backend]] = {}
    for b in pool.backends:
        kinds.setdefault((b.engine.profile.name, b.place), []).append(b)
    for (model, place), backends in kinds.items():
        yield _model(x, (model, place), backends, pool.places, now)


def _model(
    x: Exchange, kind: tuple[str, str], backends: Sequence[Backend], queue: Places, now: float
) -> ModelScaling:
    name, place = kind
    dampers = x.state.scaling
    up = [b for b in backends if b.alive]
    at_once = sum(b.spec.at_once for b in up)
    outstanding = sum(b.under_way for b in backends)
    waiting = queue.waiting_at(backends)
    each = at_once / len(up) if up else backends[0].spec.at_once
    needed = (outstanding + waiting) / (each * dampers.rules.target)
    return ModelScaling(
        name,
        place,
        len(up),
        outstanding,
        waiting,
        at_once,
        round(outstanding / at_once, 4) if at_once else 0.0,
        round(needed, 4),
        dampers.of(f"{place}/{name}").desired(now, len(up), needed),
        [_server(b, queue) for b in backends],
    )


def _server(b: Backend, queue: Places) -> ServerScaling:
    c = b.counts
    tokens = (c.prompt_tokens + c.completion_tokens) / c.served if c.served else 0.0
    return ServerScaling(
        b.name,
        b.state,
        b.under_way,
        b.spec.at_once,
        queue.waiting_for(b),
        round(tokens * b.under_way),
    )
