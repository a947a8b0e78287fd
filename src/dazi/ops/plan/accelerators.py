"""Accelerators as their vendors' data sheets give them."""

from __future__ import annotations

from dataclasses import dataclass

from dazi.core.errors import CallerError


@dataclass(frozen=True, slots=True)
class Accelerator:
    """``memory``: GB (10^9); ``bandwidth``: GB/s; ``bf16`` and ``fp8``: TFLOP/s without sparsity, ``fp8`` 0 where the
    hardware has none; ``watts`` at most."""

    name: str
    memory: float
    bandwidth: float
    bf16: float
    fp8: float
    watts: int


ACCELERATORS = {
    a.name: a
    for a in (
        Accelerator("RTX-4090", 24, 1008, 165, 330, 450),
        Accelerator("L4", 24, 300, 121, 242, 72),
        Accelerator("A10", 24, 600, 125, 0, 150),
        Accelerator("L20", 48, 864, 119.5, 239, 275),
        Accelerator("L40S", 48, 864, 362, 733, 350),
        Accelerator("A100-40GB", 40, 1555, 312, 0, 400),
        Accelerator("A100-80GB", 80, 2039, 312, 0, 400),
        Accelerator("A800-80GB", 80, 2039, 312, 0, 400),
        Accelerator("H20", 96, 4000, 148, 296, 400),
        Accelerator("H100", 80, 3350, 989, 1979, 700),
        Accelerator("H200", 141, 4800, 989, 1979, 700),
    )
}


def accelerator_of(name: str) -> Accelerator:
    """Raises ``CallerError`` with the names that are known."""
    wanted = name.strip().lower().replace(" ", "-")
    for known, found in ACCELERATORS.items():
        if known.lower() == wanted or known.lower().removesuffix("-80gb") == wanted:
            return found
    names = ", ".join(ACCELERATORS)
    raise CallerError(
        "unknown_gpu",
        f"不认识显卡 {name};认识的有 {names}",
        f"{name} is not known; known are {names}",
    )
