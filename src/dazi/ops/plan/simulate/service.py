"""How long a server takes: models with few parameters, of data sheets or of a measurement.

A server works in steps. A step gives every request that writes one token, and reads so many tokens of
the prompts that wait to be read (chunked prefill, as vLLM and OpenVINO do):

    seconds = max(base, read * prefill) + writing * each + cached * cache

``base`` is reading the weights once, ``each`` what a request adds (sampling, scheduling), ``cache`` what
a token in the cache adds.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from dazi.ops.plan.accelerators import Accelerator
from dazi.ops.plan.memory import MB, Precision, cache_bytes, memory_of, read_bytes
from dazi.ops.plan.models import Shape
from dazi.ops.plan.planning import USED

MEMORY_REACHED = 0.8
"""Of an accelerator's bandwidth. Assumed."""
ARITHMETIC_REACHED = 0.5
"""Of its arithmetic, while prompts are read. Assumed."""
EACH_S = 0.23e-3
"""What a request adds to a step beside its cache: with it, 256 requests at once on an A100 make as many
tokens a second as was published for vLLM 0.11 (speed.PUBLISHED) while as many are read."""
CHUNK = 2_048
"""Tokens that are read in a step at most (vLLM's default with chunked prefill)."""


@dataclass(frozen=True, slots=True)
class Engine:
    """Seconds, as above. ``chunk``: tokens read in a step; ``at_once``: requests in the batch;
    ``room``: tokens that the cache holds; ``kept``: the share of what could be found in the cache that
    is found there."""

    base: float
    each: float
    prefill: float
    cache: float = 0.0
    chunk: int = CHUNK
    at_once: int = 256
    room: float = 1e12
    kept: float = 0.9

    def step(self, writing: int, held: float = 0.0, read: float = 0.0) -> float:
        return max(self.base, read * self.prefill) + writing * self.each + held * self.cache

    def capacity(self, fresh: float, answer: float, held: float, writing: int) -> float:
        """Requests a second of so many tokens, with ``writing`` of them at once; ``held``: tokens that
        one has in the cache."""
        decode = self.step(writing, held * writing) * answer / writing
        return 1.0 / (fresh * self.prefill + decode)


@dataclass(frozen=True, slots=True)
class Front:
    """Dazi's own part: the processor's seconds of a turn and of each model request, places and queue
    as ``DAZI_MAX_CONCURRENT``, ``DAZI_MAX_QUEUED`` and ``DAZI_QUEUE_SECONDS`` have them; ``tool``:
    seconds that a call takes elsewhere."""

    turn: float = 2e-3
    round: float = 1e-3
    tool: float = 0.05
    places: int = 64
    queued: int = 64
    wait: float = 2.0


def vllm(
    shape: Shape,
    precision: Precision,
    gpu: Accelerator,
    cards: int = 1,
    *,
    context: int = 2_000,
    fp8_cache: bool = False,
) -> Engine:
    """A replica on ``cards``. By the roofline of speed.py, with the shares above."""
    bandwidth = gpu.bandwidth * 1e9 * cards * MEMORY_REACHED
    fast = gpu.fp8 if precision == "fp8" and gpu.fp8 else gpu.bf16
    operations = 2.0 * (shape.active_linear + shape.vocabulary * shape.hidden)
    one = memory_of(shape, precision, context, 1, fp8_cache=fp8_cache)
    free = (gpu.memory * 1e9 * USED * cards) - (one.weights + one.beside) * MB
    token = cache_bytes(shape, fp8_cache=fp8_cache)
    return Engine(
        read_bytes(shape, precision) / bandwidth,
        EACH_S,
        operations / (fast * 1e12 * cards * ARITHMETIC_REACHED),
        token / bandwidth,
        room=max(0.0, free / token),
    )


BUNDLED = Engine(base=1.9e-3, each=0.171e-3, prefill=0.05e-3, chunk=256, at_once=256)
"""The embedded engine with the model that ships with Dazi, on one core, as bench/simulate/run.py fitted it on
2026-11-30 (bench/results/simulate.md)."""
BUNDLED_TURN = 23e-3
"""Seconds of the processor that Dazi's own part of a turn took there."""


def embedded(cores: int) -> Engine:
    """The embedded engine on so many cores: what one core was measured to do, shared out. Assumed: the
    batch's part and reading go by the cores, a step's base does not."""
    one = BUNDLED
    return replace(one, each=one.each / cores, prefill=one.prefill / cores)
