"""Tokens a second at 1, 8 and 32 requests at once, after a prompt each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bench.gpu.shape import prompts
from bench.gpu.sides import SIDES
from dazi.ops.plan.models import Shape

BATCHES = (1, 8, 32)
READ, NEW = 512, 128
WARM = 8


def cases() -> tuple[str, ...]:
    return tuple(f"{side}, {batch}" for side in SIDES for batch in BATCHES)


def run(model: Any, shape: Shape, case: str, *, tiny: bool) -> Iterator[dict[str, Any]]:
    side, _, batch = case.rpartition(", ")
    read, new = (32, 8) if tiny else (READ, NEW)
    given = prompts(shape, int(batch), read)
    if not tiny:
        SIDES[side](model, given, WARM)
    made = SIDES[side](model, given, new)
    yield {
        "side": side,
        "batch": int(batch),
        "context": read + new // 2,
        "tokens_per_second": made.rate,
        "tokens": made.later,
        "seconds": made.decode,
    }
