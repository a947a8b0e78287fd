"""How much memory a model takes: its weights, the cache of its context, and what the runtime needs beside."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dazi.ops.plan.models import Shape

Precision = Literal["bf16", "fp8", "awq"]
PRECISIONS: tuple[Precision, ...] = ("bf16", "fp8", "awq")
MB = 1 << 20
"""Tools for GPUs, and Qwen's own tables, count 2^20 bytes."""
BITS: dict[Precision, float] = {
    "bf16": 16.0,
    "fp8": 8.0 + 32 / 128**2,  # a scale for each block of 128 x 128
    "awq": 4.0 + (16 + 4) / 128,  # a scale and a zero for each 128 weights
}
"""Of a weight in the layers; the embedding and the output layer stay in 16."""
BESIDE: dict[Precision, int] = {"bf16": 366, "fp8": 444, "awq": 1010}
"""MB beside weights and cache: what Qwen3-14B's official measurements at 30,720 tokens (33,336, 20,813, 15,323 MB)
leave. For other models by the width of their layers."""
_MEASURED_WIDTH = 5120


@dataclass(frozen=True, slots=True)
class Memory:
    """In MB of 2^20 bytes."""

    weights: int
    cache: int
    beside: int

    @property
    def total(self) -> int:
        return self.weights + self.cache + self.beside


def weights_bytes(shape: Shape, precision: Precision) -> float:
    return shape.linear * BITS[precision] / 8 + shape.embeddings * 2


def read_bytes(shape: Shape, precision: Precision) -> float:
    """Of the weights what one step of one request reads: of experts those that are active; of the embedding a row."""
    output = shape.vocabulary * shape.hidden * 2
    return shape.active_linear * BITS[precision] / 8 + output


def cache_bytes(shape: Shape, *, fp8_cache: bool = False) -> int:
    """For a token."""
    return shape.kv_values * (1 if fp8_cache else 2)


def memory_of(
    shape: Shape, precision: Precision, context: int, concurrency: int, *, fp8_cache: bool = False
) -> Memory:
    """For so many requests at once, each with so many tokens."""
    cache = cache_bytes(shape, fp8_cache=fp8_cache) * context * concurrency
    return Memory(
        round(weights_bytes(shape, precision) / MB),
        round(cache / MB),
        round(BESIDE[precision] * shape.hidden / _MEASURED_WIDTH),
    )
