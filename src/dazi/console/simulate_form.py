"""What the form of the simulator holds, as text, and what it means."""

from __future__ import annotations

import re
import shlex
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from dazi.console import plan_texts
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.ops.plan.accelerators import ACCELERATORS
from dazi.ops.plan.memory import PRECISIONS
from dazi.ops.plan.models import SHAPES
from dazi.ops.plan.simulate.outcome import Wanted
from dazi.ops.plan.simulate.policy import NAMES
from dazi.ops.plan.simulate.scenario import Scaling, Scenario, Servers, checked
from dazi.ops.plan.simulate.traffic import Traffic

Group = Literal["traffic", "servers", "scaling", "wanted"]
LONGEST = 40
MOST_TURNS = 60_000
"""Turns that the page simulates at most: a second or two of another core. The command takes more."""
_NUMBER = re.compile(r"\d+(\.\d+)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Field:
    """``name`` is that of the command's option."""

    name: str
    group: Group
    default: str
    options: tuple[str, ...] = ()
    whole: bool = True
    text: bool = False


def _n(name: str, group: Group, default: float, *, whole: bool = True) -> Field:
    return Field(name, group, f"{default:g}", (), whole)


FIELDS = (
    _n("users", "traffic", Traffic.users),
    _n("turns", "traffic", Traffic.turns, whole=False),
    _n("bursts", "traffic", Traffic.bursts, whole=False),
    _n("read", "traffic", Traffic.read),
    _n("written", "traffic", Traffic.written),
    _n("calls", "traffic", Traffic.calls, whole=False),
    Field("kind", "servers", Servers.kind, ("server", "embedded")),
    Field("model", "servers", Servers.model, tuple(SHAPES)),
    Field("precision", "servers", Servers.precision, PRECISIONS),
    Field("gpu", "servers", Servers.gpu, tuple(ACCELERATORS)),
    _n("cards", "servers", Servers.cards),
    _n("cores", "servers", Servers.cores),
    _n("start", "servers", Servers.start, whole=False),
    Field("policy", "scaling", Scaling.policy, NAMES),
    _n("replicas", "scaling", Scaling.replicas),
    _n("most", "scaling", Scaling.most),
    _n("target", "scaling", Scaling.target, whole=False),
    Field("schedule", "scaling", "", text=True),
    _n("first", "wanted", Wanted.first, whole=False),
    _n("whole", "wanted", Wanted.whole, whole=False),
)
_OF_CODES = {"unknown_model": "model", "unknown_gpu": "gpu"}


@dataclass(frozen=True, slots=True)
class Read:
    """``parts`` make a ``Scenario``; None where something is ``wrong``, by field."""

    parts: Mapping[Group, Mapping[str, Any]] | None
    wrong: Mapping[str, Text]


def filled(given: Mapping[str, str]) -> dict[str, str]:
    """What an address gives, and defaults for the rest and for what is none of the options."""
    made = {}
    for field in FIELDS:
        value = given.get(field.name, field.default)[:LONGEST]
        made[field.name] = value if not field.options or value in field.options else field.default
    return made


def read(given: Mapping[str, str]) -> Read:
    """``given`` holds every field."""
    parts: dict[Group, dict[str, Any]] = {"traffic": {}, "servers": {}, "scaling": {}, "wanted": {}}
    wrong: dict[str, Text] = {}
    for field in FIELDS:
        text = plain(given[field.name])
        if field.options or field.text:
            parts[field.group][field.name] = given[field.name].strip()
        elif not _NUMBER.fullmatch(text) or (field.whole and "." in text):
            wrong[field.name] = plan_texts.NOT_WHOLE if field.whole else plan_texts.NOT_NUMBER
        else:
            parts[field.group][field.name] = int(text) if field.whole else float(text)
    if wrong:
        return Read(None, wrong)
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


def plain(text: str) -> str:
    return unicodedata.normalize("NFKC", text).replace(",", "").strip()


def question(parts: Mapping[Group, Mapping[str, Any]], language: Language) -> dict[str, Any]:
    """For the process that simulates."""
    made: dict[str, Any] = {group: dict(values) for group, values in parts.items()}
    return made | {"most": MOST_TURNS, "language": language}


def changed(given: Mapping[str, str]) -> dict[str, str]:
    """What is not as it is by default: for the address and the command."""
    kept = {f.name: given[f.name].strip() if f.text else plain(given[f.name]) for f in FIELDS}
    return {f.name: kept[f.name] for f in FIELDS if kept[f.name] != f.default}


def command(given: Mapping[str, str]) -> str:
    parts = ["dazi", "plan", "simulate"]
    for name, value in changed(given).items():
        parts += [f"--{name.replace('_', '-')}", value]
    return shlex.join(parts)
