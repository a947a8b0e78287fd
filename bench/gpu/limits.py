"""What the hardware allows, by its data sheet and by what it reached here; needs nothing but the planner."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dazi.ops.plan.accelerators import Accelerator, detected
from dazi.ops.plan.models import Shape
from dazi.ops.plan.speed import first_token_of, speed_of


@dataclass(frozen=True, slots=True)
class Ceilings:
    """GB/s of a copy, bytes read and written counted, and TFLOP/s of a bf16 matrix product, as measured."""

    bandwidth: float
    bf16: float


@dataclass(frozen=True, slots=True)
class Limits:
    """``sheet`` is None for a device whose data sheet is not known, ``measured`` before it was measured."""

    sheet: Accelerator | None
    measured: Accelerator | None


def limits_of(device: str, memory: int, ceilings: Ceilings | None) -> Limits:
    """``memory`` in bytes."""
    sheet = detected(device, memory)
    base = sheet or Accelerator(device, memory / 1e9, 0, 0, 0, 0)
    measured = (
        replace(base, bandwidth=ceilings.bandwidth, bf16=ceilings.bf16, fp8=0) if ceilings else None
    )
    return Limits(sheet, measured)


def decode_limit(shape: Shape, gpu: Accelerator | None, context: int, batch: int) -> float | None:
    """Tokens a second of ``batch`` requests, each with ``context`` tokens in the cache."""
    return speed_of(shape, "bf16", gpu, 1, context, batch).together if gpu else None


def first_token_limit(shape: Shape, gpu: Accelerator | None, tokens: int) -> float | None:
    """Seconds at least."""
    return first_token_of(shape, "bf16", gpu, 1, tokens) if gpu else None
