"""A plan: what a model needs, how many accelerators hold it, how fast they can be, and what that costs."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field
from typing import Any

from dazi.core.errors import CallerError
from dazi.ops.plan.accelerators import Accelerator
from dazi.ops.plan.cost import Cost, Fleet, Load, Prices, cost_of
from dazi.ops.plan.memory import MB, Memory, Precision, cache_bytes, memory_of
from dazi.ops.plan.models import Shape
from dazi.ops.plan.speed import PUBLISHED, Published, Speed, speed_of

YARN = 4
"""Times its own context a model can be stretched to."""
USED = 0.9
"""The share of an accelerator's memory that a server may take."""
WORKING_DAY = 8 * 3600
"""Seconds in which a day's requests come."""
MOST = 1_000_000_000
"""Of anything: what is beyond it is a slip of the finger."""
MOST_AT_ONCE = 100_000
AT_ONCE = 256
"""Requests that a server takes at once unless told otherwise."""
REACHED = 0.18
"""Of the bound what a server reaches: with so many requests of 500 tokens on an A100 the published figures are 0.18
to 0.27 of it. Assumed to hold for other hardware and other requests."""


@dataclass(frozen=True, slots=True)
class Wanted:
    shape: Shape
    precision: Precision
    context: int
    concurrency: int
    gpu: Accelerator
    load: Load = field(default_factory=Load)
    prices: Prices = field(default_factory=Prices)
    fp8_cache: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """``fits``: GPUs that hold it, a power of two for the tensors to be split; ``replicas`` of those for the load,
    each with ``at_once`` of its requests; ``busy``: the share of a working day that they then work."""

    wanted: Wanted
    memory: Memory
    fits: int
    replicas: int
    at_once: int
    speed: Speed
    busy: float
    cost: Cost
    published: tuple[Published, ...]

    @property
    def gpus(self) -> int:
        return self.fits * self.replicas


def plan(wanted: Wanted) -> Plan:
    """Raises ``CallerError`` for what no plan can be made of."""
    shape, gpu = wanted.shape, wanted.gpu
    _check(wanted)
    memory = memory_of(
        shape, wanted.precision, wanted.context, wanted.concurrency, fp8_cache=wanted.fp8_cache
    )
    room = gpu.memory * 1e9 * USED / MB
    fits = 2 ** max(0, math.ceil(math.log2(memory.total / room)))
    half = wanted.fp8_cache
    speed = speed_of(
        shape, wanted.precision, gpu, fits, wanted.context, wanted.concurrency, fp8_cache=half
    )
    load = wanted.load
    at_once = _held(wanted, memory, room * fits)
    tokens = max(1, load.read + load.written)
    daily = speed_of(shape, wanted.precision, gpu, fits, tokens, at_once, fp8_cache=half)
    one = load.written / (daily.together * REACHED) + load.read / (daily.prefill * REACHED)
    capacity = WORKING_DAY / one if one else math.inf
    replicas = max(1, math.ceil(load.requests / capacity))
    fleet = Fleet(fits, replicas, gpu.watts, capacity)
    return Plan(
        wanted,
        memory,
        fits,
        replicas,
        at_once,
        speed,
        load.requests / capacity / replicas,
        cost_of(load, wanted.prices, fleet),
        tuple(p for p in PUBLISHED if p.gpu == gpu.name and shape.name == "Qwen/Qwen3-14B"),
    )


def _held(wanted: Wanted, memory: Memory, room: float) -> int:
    """Of the day's requests how many find room beside the weights, in MB, at once."""
    tokens = max(1, wanted.load.read + wanted.load.written)
    one = cache_bytes(wanted.shape, fp8_cache=wanted.fp8_cache) * tokens / MB
    return max(1, min(AT_ONCE, int((room - memory.weights - memory.beside) / one)))


def _check(wanted: Wanted) -> None:
    most = wanted.shape.context * YARN
    if not 1 <= wanted.context <= most:
        raise CallerError(
            "context",
            f"上下文要在 1 到 {most} 之间(本身 {wanted.shape.context},YaRN 可到 {YARN} 倍)",
            f"the context must be 1 to {most} ({wanted.shape.context} of its own, {YARN} times that with YaRN)",
        )
    if not 1 <= wanted.concurrency <= MOST_AT_ONCE:
        raise CallerError(
            "concurrency",
            f"并发要在 1 到 {MOST_AT_ONCE:,} 之间",
            f"concurrency must be 1 to {MOST_AT_ONCE:,}",
        )
    for name, number in (asdict(wanted.load) | asdict(wanted.prices)).items():
        if not 0 <= number <= MOST:
            raise CallerError(
                name,
                f"数量和价格要在 0 到 {MOST:,} 之间({name})",
                f"amounts and prices must be 0 to {MOST:,} ({name})",
            )


def as_plain(p: Plan) -> dict[str, Any]:
    """For JSON; ``memory_mb`` in MB of 2^20 bytes, money in yuan."""
    w = p.wanted
    return {
        "model": w.shape.name,
        "parameters": w.shape.parameters,
        "precision": w.precision,
        "context": w.context,
        "yarn": w.context > w.shape.context,
        "concurrency": w.concurrency,
        "memory_mb": p.memory.total,
        "weights_mb": p.memory.weights,
        "cache_mb": p.memory.cache,
        "beside_mb": p.memory.beside,
        "gpu": w.gpu.name,
        "gpus_to_hold_it": p.fits,
        "replicas": p.replicas,
        "requests_at_once": p.at_once,
        "gpus": p.gpus,
        "busy": round(p.busy, 3),
        "tokens_per_second": {
            "one_request_at_most": round(p.speed.alone, 1),
            "all_at_most": round(p.speed.together, 1),
            "read_at_most": round(p.speed.prefill, 1),
            "bound": p.speed.bound,
            "published": [asdict(x) for x in p.published],
        },
        "cost": {k: round(v, 2) for k, v in asdict(p.cost).items()},
        "assumed": {**asdict(w.load), **asdict(w.prices), "reached": REACHED, "memory_used": USED},
    }
