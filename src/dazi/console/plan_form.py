"""What the form of the planning page holds, as text, and what it means."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from dazi.console import plan_texts as texts
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.ops.plan.accelerators import ACCELERATORS, accelerator_of
from dazi.ops.plan.cost import Load, Prices
from dazi.ops.plan.memory import PRECISIONS
from dazi.ops.plan.models import SHAPES, shape_of
from dazi.ops.plan.planning import Plan, Wanted, plan

Group = Literal["model", "load", "price"]
LONGEST = 24
"""Characters that a field takes."""
_NUMBER = re.compile(r"-?\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """``name`` is that of the command's option; ``options``: where one of these is chosen."""

    name: str
    group: Group
    default: str
    options: tuple[str, ...] = ()
    whole: bool = True


def _number(name: str, group: Group, default: float) -> Field:
    return Field(name, group, f"{default:g}", (), False)


FIELDS = (
    Field("model", "model", "Qwen/Qwen3-14B", tuple(SHAPES)),
    Field("precision", "model", "bf16", PRECISIONS),
    Field("gpu", "model", "A100-80GB", tuple(ACCELERATORS)),
    Field("context", "model", "30720"),
    Field("concurrency", "model", "1"),
    Field("half_cache", "model", "", ("", "1")),
    Field("requests", "load", str(Load.requests)),
    Field("read", "load", str(Load.read)),
    Field("written", "load", str(Load.written)),
    _number("gpu_price", "price", Prices.gpu),
    _number("gpu_hour", "price", Prices.hour),
    _number("kwh", "price", Prices.kwh),
    _number("pue", "price", Prices.pue),
    _number("staff", "price", Prices.staff),
    _number("api_read", "price", Prices.api_read),
    _number("api_written", "price", Prices.api_written),
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
    made = {}
    for field in FIELDS:
        value = given.get(field.name, field.default)[:LONGEST]
        made[field.name] = value if not field.options or value in field.options else field.default
    for _ in FIELDS:  # each time at least one of them is mended
        if not (wrong := read(made).wrong):
            return made
        made |= {f.name: f.default for f in FIELDS if f.name in wrong}
    return {f.name: f.default for f in FIELDS}


def read(given: Mapping[str, str]) -> Read:
    """``given`` holds every field."""
    numbers: dict[str, float] = {}
    wrong: dict[str, Text] = {}
    for field in FIELDS:
        if field.options:
            continue
        text = _plain(given[field.name])
        if not _NUMBER.fullmatch(text) or (field.whole and "." in text):
            wrong[field.name] = texts.NOT_WHOLE if field.whole else texts.NOT_NUMBER
        else:
            numbers[field.name] = int(text) if field.whole else float(text)
    if wrong:
        return Read(None, wrong)
    try:
        return Read(plan(_wanted(given, numbers)), {})
    except CallerError as e:
        return Read(None, {_OF_CODES.get(e.code, e.code): e.text})


def _plain(text: str) -> str:
    """As people type numbers: ``１０,000`` is 10000."""
    return unicodedata.normalize("NFKC", text).replace(",", "").strip()


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


def changed(given: Mapping[str, str]) -> dict[str, str]:
    """What is not as it is by default: for the address and the command."""
    plain = {f.name: _plain(given[f.name]) for f in FIELDS}
    return {f.name: plain[f.name] for f in FIELDS if plain[f.name] != f.default}


def command(given: Mapping[str, str]) -> str:
    parts = ["dazi", "plan"]
    for name, value in changed(given).items():
        option = f"--{name.replace('_', '-')}"
        parts += [option] if name == "half_cache" else [option, value]
    return shlex.join(parts)
