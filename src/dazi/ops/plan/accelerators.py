"""Accelerators as their vendors' data sheets give them."""

from __future__ import annotations

import re
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


_BESIDE_THE_NAME = re.compile(r"NVIDIA|GEFORCE|TESLA|SXM\d*|HBM\w*|\d+GB")


def detected(name: str, memory: float) -> Accelerator | None:
    """By what a driver calls the device (``NVIDIA A100-SXM4-80GB``) and its ``memory`` in bytes. None for one
    whose data sheet is not here, as for another form of a known one (PCIe, NVL, laptops): its figures differ."""
    parts = re.split(r"[\s-]+", name.upper())
    plain = "-".join(p for p in parts if not _BESIDE_THE_NAME.fullmatch(p))
    for known in ACCELERATORS.values():
        share = memory / (known.memory * 1e9)  # vendors count 2^30, and some is the driver's own
        if re.sub(r"-\d+GB$", "", known.name.upper()) == plain and 0.85 < share < 1.1:
            return known
    return None


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
