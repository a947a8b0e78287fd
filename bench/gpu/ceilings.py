"""What the device reaches with the two simplest things: a copy, and a product of matrices."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.gpu.limits import Ceilings
from bench.gpu.sides import wait

ROUNDS = 5
REPEATED = 10


def measure(device: str) -> Ceilings:
    import torch

    cuda = device != "cpu"
    side = 8192 if cuda else 512
    count = (4 << 30) if cuda else (32 << 20)
    kind = torch.bfloat16 if cuda else torch.float32
    with torch.inference_mode():
        source = torch.empty(count // 2, dtype=torch.bfloat16, device=device).normal_()
        copying = _best(torch.empty_like(source).copy_, (source,), source.device)
        del source
        a, b = (torch.randn(side, side, dtype=kind, device=device) for _ in range(2))
        product = _best(torch.matmul, (a, b), a.device)
    return Ceilings(2 * count / copying / 1e9, 2 * side**3 / product / 1e12)


def _best(work: Callable[..., Any], given: tuple[Any, ...], device: Any) -> float:
    """Seconds of one, in the best of some rounds after one to warm up."""
    times = []
    for _ in range(ROUNDS + 1):
        wait(device)
        begun = time.perf_counter()
        for _ in range(REPEATED):
            work(*given)
        wait(device)
        times.append((time.perf_counter() - begun) / REPEATED)
    return min(times[1:])
