"""What a role may do, and what it might ask, from the tools' declarations."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dazi.core.language import Language, Text, language_of
from dazi.core.tools import Tool

_CLAUSE = re.compile(r"\s*[:：,，;；(（。.]\s*")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """``complete`` is false where a detail must be added (an order number) before it can be sent."""

    text: str
    complete: bool


def first_clause(text: str) -> str:
    return _CLAUSE.split(text, maxsplit=1)[0] or text


def short(text: Text, language: Language) -> str:
    """The first clause of a description: a name for the thing in words."""
    return first_clause(text(language))


def remark(text: Text, language: Language) -> str:
    """What a description says after its first clause."""
    return "".join(_CLAUSE.split(text(language), maxsplit=1)[1:]).rstrip(")） ")


def tools_of(tools: Iterable[Tool], roles: frozenset[str]) -> list[Tool]:
    """What these roles may use, what few others may use first."""
    allowed = [t for t in tools if not t.roles.isdisjoint(roles)]
    return sorted(allowed, key=lambda t: len(t.roles))


def abilities(tools: Iterable[Tool], roles: frozenset[str], language: Language) -> list[str]:
    return [short(t.description, language) for t in tools_of(tools, roles)]


def suggestions(
    tools: Iterable[Tool], roles: frozenset[str], language: Language, limit: int = 6
) -> list[Suggestion]:
    """An example question for each of the role's tools."""
    out: list[Suggestion] = []
    for tool in tools_of(tools, roles):
        if tool.operation.get("needs_results"):
            continue
        said = next((e for e in tool.examples if language_of(e) == language), None)
        if said is not None:
            needs = any(p.required and (p.grounded or p.pattern) for p in tool.parameters)
            out.append(Suggestion(said[:1].upper() + said[1:], not needs))
    return out[:limit]
