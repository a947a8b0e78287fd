"""How fast a model can be at most: by the memory's bandwidth and the arithmetic of the hardware (the roofline); and
what was published for Qwen3-14B."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.ops.plan.accelerators import Accelerator
from dazi.ops.plan.memory import Precision, cache_bytes, read_bytes
from dazi.ops.plan.models import Shape


@dataclass(frozen=True, slots=True)
class Speed:
    """Bounds that no software can pass. ``alone``: tokens a second of one request; ``together`` of all at once;
    ``prefill``: tokens a second that are read; ``bound``: what limits ``together``."""

    alone: float
    together: float
    prefill: float
    bound: str


@dataclass(frozen=True, slots=True)
class Published:
    """Tokens a second that somebody measured: 1,000 ShareGPT requests at once, bf16, one GPU."""

    gpu: str
    server: str
    tokens: int


MEASURED_TOKENS = 500
"""Of a ShareGPT request about so many are in the cache."""
PUBLISHED = (
    Published("A100-80GB", "vLLM 0.11", 1887),
    Published("A100-80GB", "SGLang", 2542),
    Published("A100-80GB", "TensorRT-LLM", 2771),
    Published("H100", "vLLM 0.11", 3174),
    Published("H100", "SGLang", 4044),
)
"""Of Qwen3-14B."""


def speed_of(
    shape: Shape,
    precision: Precision,
    gpu: Accelerator,
    gpus: int,
    context: int,
    concurrency: int,
    *,
    fp8_cache: bool = False,
) -> Speed:
    """Weights are read once a step for all requests, each request's cache once; two operations a weight and token."""
    bandwidth = gpu.bandwidth * 1e9 * gpus
    fast = gpu.fp8 if precision == "fp8" and gpu.fp8 else gpu.bf16
    arithmetic = fast * 1e12 * gpus
    operations = 2.0 * (shape.active_linear + shape.vocabulary * shape.hidden)
    cache = context * cache_bytes(shape, fp8_cache=fp8_cache)

    def step(requests: int) -> tuple[float, str]:
        read = min(
            read_bytes(shape, precision) * (requests if shape.experts > 1 else 1),
            _all(shape, precision),
        )
        by_memory = (read + requests * cache) / bandwidth
        by_arithmetic = requests * operations / arithmetic
        return max((by_memory, "memory"), (by_arithmetic, "arithmetic"))

    seconds, bound = step(concurrency)
    return Speed(1 / step(1)[0], concurrency / seconds, arithmetic / operations, bound)


def first_token_of(
    shape: Shape, precision: Precision, gpu: Accelerator, gpus: int, tokens: int
) -> float:
    """Seconds that reading a prompt of so many ``tokens`` takes at least: every token is multiplied with the layers
    and with those before it (half of all pairs, twice two operations for each of the queries' numbers), the last
    one with the output layer; the weights are read once."""
    fast = gpu.fp8 if precision == "fp8" and gpu.fp8 else gpu.bf16
    layers = 2.0 * shape.active_linear * tokens
    attention = 2.0 * shape.layers * shape.heads * shape.head_dim * tokens**2
    output = 2.0 * shape.vocabulary * shape.hidden
    by_memory = read_bytes(shape, precision) / (gpu.bandwidth * 1e9 * gpus)
    # In 8 bits the layers are; attention stays in 16.
    by_arithmetic = (layers + output) / (fast * 1e12 * gpus) + attention / (gpu.bf16 * 1e12 * gpus)
    return max(by_memory, by_arithmetic)


def _all(shape: Shape, precision: Precision) -> float:
    """Of a mixture of experts a large batch reads every one of them."""
    whole = read_bytes(shape, precision)
    return whole * shape.linear / shape.active_linear if shape.experts > 1 else whole
