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


def rare_first(tools: Iterable[Tool]) -> list[Tool]:
    """What few others may use first."""
    return sorted(tools, key=lambda t: len(t.roles))


def abilities(tools: Iterable[Tool], language: Language) -> list[str]:
    """``tools``: those that the person may use."""
    return [short(t.description, language) for t in rare_first(tools)]


def suggestions(tools: Iterable[Tool], language: Language, limit: int = 6) -> list[Suggestion]:
    """An example question for each of the person's ``tools``."""
    out: list[Suggestion] = []
    for tool in rare_first(tools):
        if tool.operation.get("needs_results"):
            continue
        said = next((e for e in tool.examples if language_of(e) == language), None)
        if said is not None:
            needs = any(p.required and (p.grounded or p.pattern) for p in tool.parameters)
            out.append(Suggestion(said[:1].upper() + said[1:], not needs))
    return out[:limit]
