"""What the form of the simulator means."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dazi.console import plan_fields
from dazi.console.plan_fields import Field, choice, number, whole
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.ops.plan.accelerators import ACCELERATORS
from dazi.ops.plan.memory import PRECISIONS
from dazi.ops.plan.models import SHAPES
from dazi.ops.plan.simulate.outcome import Wanted
from dazi.ops.plan.simulate.policy import NAMES
from dazi.ops.plan.simulate.scenario import Scaling, Scenario, Servers, checked
from dazi.ops.plan.simulate.traffic import Traffic

MOST_TURNS = 60_000
"""Turns that the page simulates at most: a second or two of another core. The command takes more."""
FIELDS = (
    whole("users", "traffic", Traffic.users),
    number("turns", "traffic", Traffic.turns),
    number("bursts", "traffic", Traffic.bursts),
    whole("read", "traffic", Traffic.read),
    whole("written", "traffic", Traffic.written),
    number("calls", "traffic", Traffic.calls),
    choice("kind", "servers", Servers.kind, ("server", "embedded")),
    choice("model", "servers", Servers.model, tuple(SHAPES)),
    choice("precision", "servers", Servers.precision, PRECISIONS),
    choice("gpu", "servers", Servers.gpu, tuple(ACCELERATORS)),
    whole("cards", "servers", Servers.cards),
    whole("cores", "servers", Servers.cores),
    number("start", "servers", Servers.start),
    choice("policy", "scaling", Scaling.policy, NAMES),
    whole("replicas", "scaling", Scaling.replicas),
    whole("most", "scaling", Scaling.most),
    number("target", "scaling", Scaling.target),
    Field("schedule", "scaling", "", "text"),
    number("first", "wanted", Wanted.first),
    number("whole", "wanted", Wanted.whole),
)
_OF_CODES = {"unknown_model": "model", "unknown_gpu": "gpu"}


@dataclass(frozen=True, slots=True)
class Read:
    """``parts`` make a ``Scenario``; None where something is ``wrong``, by field."""

    parts: Mapping[str, Mapping[str, Any]] | None
    wrong: Mapping[str, Text]


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """What an address gives, and defaults for the rest and for what is none of the options."""
    return plan_fields.filled(FIELDS, given)


def read(given: Mapping[str, str]) -> Read:
    """``given`` holds every field."""
    numbers, wrong = plan_fields.numbers(FIELDS, given)
    if wrong:
        return Read(None, wrong)
    parts: dict[str, dict[str, Any]] = {}
    for f in FIELDS:
        value = numbers[f.name] if f.name in numbers else given[f.name].strip()
        parts.setdefault(f.group, {})[f.name] = value
    try:
        checked(
            Scenario(
                Traffic(**parts["traffic"]),
                Servers(**parts["servers"]),
                Scaling(**parts["scaling"]),
                Wanted(**parts["wanted"]),
            )
        )
    except CallerError as e:
        name = _OF_CODES.get(e.code, e.code)
        return Read(None, {name if name in given else "users": e.text})
    return Read(parts, {})


def question(parts: Mapping[str, Mapping[str, Any]], language: Language) -> dict[str, Any]:
    """For the process that simulates."""
    made: dict[str, Any] = {group: dict(values) for group, values in parts.items()}
    return made | {"most": MOST_TURNS, "language": language}


def command(given: Mapping[str, str]) -> str:
    return shlex.join(["dazi", "plan", "simulate", *plan_fields.options(FIELDS, given)])
