"""Turns as a visitor's page draws them: words, and only what concerns the visitor."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from dazi.core.company import Company
from dazi.core.language import Language
from dazi.core.tools import Parameter, Tool
from dazi.core.turn import (
    AnswerDelta,
    Attachment,
    CallFinished,
    CallProposed,
    ConfirmationNeeded,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from dazi.router.approval import Ticket
from dazi.router.view import cell, series_name

_CLAUSE = re.compile(r"\s*[:：,，;；(（。.]\s*")
MOST_ROWS = 50
MOST_POINTS, MOST_SERIES = 40, 6
"""What a small chart can show."""


def teller(company: Company, language: Language) -> Callable[[TurnEvent], Mapping[str, Any] | None]:
    """What goes to the page of each event; nothing of reasoning, results and raw arguments."""
    turn = ""

    def tell(event: TurnEvent) -> Mapping[str, Any] | None:
        nonlocal turn
        match event:
            case TurnStarted():
                turn = event.turn
            case AnswerDelta(text):
                return {"type": "delta", "text": text}
            case CallProposed(id, name, _):
                return {"type": "call", "id": id, "name": name_of(company, name, language)}
            case CallFinished(record):
                done = {"type": "called", "id": record.id, "outcome": record.outcome}
                return done | {"name": name_of(company, record.name, language)}
            case ConfirmationNeeded():
                until = datetime.fromisoformat(event.expires).timestamp()
                return {"type": "confirm"} | _waiting(
                    company, language, event.ticket, event.name, event.arguments, until,
                    event.approver,
                )  # fmt: skip
            case Attachment():
                return attachment(event, language)
            case TurnFinished():
                return {
                    "type": "end",
                    "reason": event.reason,
                    "answer": event.answer,
                    "turn": turn,
                }
        return None

    return tell


def waiting(company: Company, language: Language, ticket: Ticket) -> dict[str, Any]:
    """A call that waits for a word: the visitor's, or that of whoever ``approver`` names."""
    asked = ticket.asked
    return _waiting(
        company, language, ticket.id, asked.tool, asked.arguments, ticket.expires, asked.approver
    )


def _waiting(
    company: Company,
    language: Language,
    ticket: str,
    tool: str,
    arguments: Mapping[str, Any],
    until: float,
    approver: str,
) -> dict[str, Any]:
    role = company.role_names.get(approver)
    return {
        "ticket": ticket,
        "name": name_of(company, tool, language),
        "fields": fields(company.tools.get(tool), arguments, language),
        "until": int(until),
        "approver": role(language) if role is not None else approver,
    }


def attachment(a: Attachment, language: Language) -> dict[str, Any] | None:
    match a.kind:
        case "table":
            return {
                "type": "table",
                "title": _first(a.title),
                "columns": [str(c) for c in a.data["columns"]],
                "rows": [[str(v) for v in row] for row in a.data["rows"][:MOST_ROWS]],
            }
        case "sources":
            passages = a.data.get("passages", ())
            cited = {*a.data.get("cited", ())}
            cited |= {s["passage"] for s in a.data.get("statements", ())}
            named = [
                {"number": p["number"], "title": str(p["title"] or p["source"])}
                for p in passages
                if p["number"] in cited
            ]
            return {"type": "sources", "passages": named} if named else None
        case "chart":
            return _chart(a, language)


def _chart(a: Attachment, language: Language) -> dict[str, Any]:
    """A table, with its numbers for a small chart where they are few enough to be drawn."""
    series = [s for s in a.data.get("series", ()) if isinstance(s, Mapping)]
    categories = list(a.data.get("categories", ()))[:MOST_ROWS]
    data = [[_at(s.get("data", ()), i) for i in range(len(categories))] for s in series]
    table = {
        "type": "table",
        "title": a.title,
        "columns": ["", *(series_name(s, language) for s in series)],
        "rows": [[str(c), *(cell(values[i]) for values in data)] for i, c in enumerate(categories)],
    }
    numbers = [[v if _drawable(v) else None for v in values] for values in data]
    many = len(categories) > MOST_POINTS or len(series) > MOST_SERIES
    if many or not any(v is not None for values in numbers for v in values):
        return table
    kind = "line" if a.data.get("kind") == "line" else "bar"
    chart = {"kind": kind, "unit": str(a.data.get("unit", "")), "values": numbers}
    return table | {"chart": chart}


def _at(values: Sequence[Any], i: int) -> Any:
    return values[i] if i < len(values) else None


def _drawable(value: Any) -> bool:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and math.isfinite(value)


def name_of(company: Company, tool: str, language: Language) -> str:
    """The tool in words."""
    found = company.tools.get(tool)
    return _first(found.description(language)) if found is not None else tool


def fields(
    tool: Tool | None, arguments: Mapping[str, Any], language: Language
) -> list[tuple[str, str]]:
    """Every argument with its label, exactly; in the order of the declaration."""
    known = {p.name: p for p in tool.parameters} if tool is not None else {}
    named = [n for n in known if n in arguments] + [n for n in arguments if n not in known]
    return [
        (
            _first(known[n].description(language)) or n if n in known else n,
            _value(known.get(n), arguments[n], language),
        )
        for n in named
    ]


def _value(parameter: Parameter | None, value: Any, language: Language) -> str:
    if isinstance(value, list):
        return ", ".join(_value(parameter, v, language) for v in value)
    words = parameter.labels.get(str(value)) if parameter is not None else None
    return words(language) if words is not None else str(value)


def _first(text: str) -> str:
    return _CLAUSE.split(text, maxsplit=1)[0] or text
