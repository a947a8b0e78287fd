"""The Cedar schema of a company: what its policies may speak of, made from its tools.

Each tool is an action, in the group of its effect; its system is the resource. Money is in whole
cents, so that no policy compares rounded amounts; other numbers are Cedar decimals.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, get_args

from dazi.access.policy import Facts
from dazi.core.company import Company
from dazi.core.errors import ConfigError
from dazi.core.principal import Principal
from dazi.core.tools import Effect, Parameter, Tool

EFFECTS: tuple[str, ...] = get_args(Effect)
FIELDS = ("args", "sources", "untrusted", "signals", "confirmed", "approved_by", "channel", "now")
"""What ``context`` may hold."""
_NOW = ("year", "month", "day", "weekday", "hour", "minute")
_TYPES = {"string": "String", "integer": "Long", "boolean": "Bool", "array": "Set<String>"}


def schema_of(company: Company) -> str:
    """Cedar schema text. Raises ``ConfigError`` for a tool with the name of a group."""
    attributes = "".join(f", {json.dumps(name)}?: String" for name in attributes_of(company))
    lines = [
        "entity Role in [Role];",
        "entity System;",
        f"entity User in [Role] = {{ tenant: String{attributes} }};",
        f"action {', '.join(json.dumps(e) for e in EFFECTS)};",
    ]
    for tool in company.tools.values():
        if tool.name in EFFECTS:
            raise ConfigError(
                tool.source,
                None,
                f"工具不能叫 “{tool.name}”:策略里它是一组工具的名字",
                f"a tool cannot be called “{tool.name}”: policies know it as a group of tools",
            )
        lines.append(_action(tool))
    return "\n".join(lines)


def attributes_of(company: Company) -> list[str]:
    """Identity facts that policies may ask for: those that tools bind or that users have."""
    names = {b.attribute for t in company.tools.values() for b in t.bind.values()}
    names |= {name for user in company.users for name in user.attributes}
    return sorted(names - {"tenant"})


def _action(tool: Tool) -> str:
    args = ", ".join(
        f"{json.dumps(p.name)}{'' if p.required else '?'}: {_type(p)}" for p in tool.parameters
    )
    sources = ", ".join(f"{json.dumps(p.name)}?: Set<String>" for p in tool.parameters)
    now = ", ".join(f"{name}: Long" for name in _NOW)
    return (
        f"action {json.dumps(tool.name)} in [Action::{json.dumps(tool.effect)}] appliesTo {{ "
        f"principal: User, resource: System, context: {{ args: {{ {args} }}, "
        f"sources: {{ {sources} }}, untrusted: Set<String>, signals: Set<String>, confirmed: Bool, "
        f"approved_by: Set<String>, channel: String, now: {{ {now} }} }} }};"
    )


def _type(p: Parameter) -> str:
    if p.type == "number":
        return "Long" if p.format == "money" else "decimal"
    return _TYPES[p.type]


def shared_entities(company: Company) -> list[dict[str, Any]]:
    """Roles with what they include, and tools with their groups: the same whoever asks."""
    roles = [
        _entity("Role", role, [("Role", r) for r in sorted(included - {role})])
        for role, included in company.roles.items()
    ]
    tools = [_entity("Action", t.name, [("Action", t.effect)]) for t in company.tools.values()]
    return [*roles, *tools, *(_entity("Action", effect, []) for effect in EFFECTS)]


def user_entity(principal: Principal, attributes: list[str]) -> dict[str, Any]:
    """The principal, with the ``attributes`` that they have."""
    facts = {n: principal.attributes[n] for n in attributes if n in principal.attributes}
    user = _entity("User", principal.user, [("Role", r) for r in sorted(principal.roles)])
    return user | {"attrs": {"tenant": principal.tenant, **facts}}


def _entity(kind: str, name: str, parents: list[tuple[str, str]]) -> dict[str, Any]:
    return {
        "uid": {"type": kind, "id": name},
        "attrs": {},
        "parents": [{"type": k, "id": n} for k, n in parents],
    }


@dataclass(frozen=True, slots=True)
class Wanted:
    """The part of the context that statements look at. ``None`` of ``args`` or ``sources`` is all
    of them; building the rest would be most of a decision's cost."""

    fields: frozenset[str]
    args: frozenset[str] | None
    sources: frozenset[str] | None

    @classmethod
    def of(cls, mentions: Iterable[tuple[str, ...]]) -> Wanted:
        paths = set(mentions)
        if () in paths:
            return EVERYTHING
        return cls(
            frozenset(p[0] for p in paths),
            _parts(paths, "args"),
            _parts(paths, "sources"),
        )


EVERYTHING = Wanted(frozenset(FIELDS), None, None)


def _parts(paths: Iterable[tuple[str, ...]], field: str) -> frozenset[str] | None:
    found = {p[1:] for p in paths if p[0] == field}
    return None if () in found else frozenset(p[0] for p in found)


def context_of(tool: Tool, facts: Facts, channel: str, wanted: Wanted) -> dict[str, Any]:
    """The context record, of what is ``wanted``."""
    fields = wanted.fields
    out: dict[str, Any] = {}
    if "args" in fields:
        out["args"] = {
            p.name: _value(p, facts.arguments[p.name])
            for p in tool.parameters
            if (wanted.args is None or p.name in wanted.args)
            and facts.arguments.get(p.name) is not None
        }
    if "sources" in fields:
        out["sources"] = {
            name: list(labels)
            for name, labels in facts.sources.items()
            if wanted.sources is None or name in wanted.sources
        }
    if "untrusted" in fields:
        out["untrusted"] = facts.untrusted
    if "signals" in fields:
        out["signals"] = sorted(facts.signals)
    if "confirmed" in fields:
        out["confirmed"] = facts.confirmed
    if "approved_by" in fields:
        out["approved_by"] = sorted(facts.approved_by)
    if "channel" in fields:
        out["channel"] = channel
    if "now" in fields and facts.at is not None:
        at = facts.at
        parts = (at.year, at.month, at.day, at.isoweekday(), at.hour, at.minute)
        out["now"] = dict(zip(_NOW, parts, strict=True))
    return out


def _value(p: Parameter, value: Any) -> Any:
    if p.type != "number":
        return value
    number = Decimal(str(value))
    if p.format == "money":
        # An amount that is no whole number of cents makes evaluation fail, which is a deny.
        cents = number * 100
        return int(cents) if cents == cents.to_integral_value() else str(number)
    return {"__extn": {"fn": "decimal", "arg": _decimal_text(number)}}


def _decimal_text(number: Decimal) -> str:
    text = f"{number:f}"
    return text if "." in text else f"{text}.0"
