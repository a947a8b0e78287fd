"""What the form of the planning page means."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields

from dazi.console import plan_fields
from dazi.console.plan_fields import Field, choice, number, whole
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.plan.accelerators import ACCELERATORS, accelerator_of
from dazi.ops.plan.cost import Load, Prices
from dazi.ops.plan.memory import PRECISIONS
from dazi.ops.plan.models import SHAPES, shape_of
from dazi.ops.plan.planning import Plan, Wanted, plan

FIELDS = (
    choice("model", "model", "Qwen/Qwen3-14B", tuple(SHAPES)),
    choice("precision", "model", "bf16", PRECISIONS),
    choice("gpu", "model", "A100-80GB", tuple(ACCELERATORS)),
    whole("context", "model", 30720),
    whole("concurrency", "model", 1),
    Field("half_cache", "model", "", "tick"),
    whole("requests", "load", Load.requests),
    whole("read", "load", Load.read),
    whole("written", "load", Load.written),
    number("gpu_price", "price", Prices.gpu),
    number("gpu_hour", "price", Prices.hour),
    number("kwh", "price", Prices.kwh),
    number("pue", "price", Prices.pue),
    number("staff", "price", Prices.staff),
    number("api_read", "price", Prices.api_read),
    number("api_written", "price", Prices.api_written),
)
"""The defaults are those of ``dazi plan``."""
_OF_CODES = {"unknown_model": "model", "unknown_gpu": "gpu", "gpu": "gpu_price", "hour": "gpu_hour"}
"""Fields that an error's code names otherwise."""


@dataclass(frozen=True, slots=True)
class Read:
    """``plan`` is None where something is ``wrong``, which is told by field."""

    plan: Plan | None
    wrong: Mapping[str, Text]


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """What an address gives, and defaults for the rest and for what is wrong in it."""
    made = plan_fields.filled(FIELDS, given)
    for _ in FIELDS:  # each time at least one of them is mended
        if not (wrong := read(made).wrong):
            return made
        made |= {f.name: f.default for f in FIELDS if f.name in wrong}
    return {f.name: f.default for f in FIELDS}


def read(given: Mapping[str, str]) -> Read:
    """``given`` holds every field."""
    numbers, wrong = plan_fields.numbers(FIELDS, given)
    if wrong:
        return Read(None, wrong)
    try:
        return Read(plan(_wanted(given, numbers)), {})
    except CallerError as e:
        return Read(None, {_OF_CODES.get(e.code, e.code): e.text})


def _wanted(given: Mapping[str, str], numbers: Mapping[str, float]) -> Wanted:
    n = numbers
    return Wanted(
        shape_of(given["model"]),
        next(p for p in PRECISIONS if p == given["precision"]),
        int(n["context"]),
        int(n["concurrency"]),
        accelerator_of(given["gpu"]),
        Load(**{f.name: int(n[f.name]) for f in fields(Load)}),
        Prices(n["gpu_price"], n["gpu_hour"], *(n[f.name] for f in fields(Prices)[2:])),
        fp8_cache=given["half_cache"] == "1",
    )


def command(given: Mapping[str, str]) -> str:
    return shlex.join(["dazi", "plan", *plan_fields.options(FIELDS, given)])
