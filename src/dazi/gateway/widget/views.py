"""Turns as a visitor's page draws them: words, and only what concerns the visitor."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
)
from dazi.router.approval import Ticket
from dazi.router.view import cell

_CLAUSE = re.compile(r"\s*[:：,，;；(（。.]\s*")
MOST_ROWS = 50


def teller(company: Company, language: Language) -> Callable[[TurnEvent], Mapping[str, Any] | None]:
    """What goes to the page of each event; nothing of reasoning, results and raw arguments."""

    def tell(event: TurnEvent) -> Mapping[str, Any] | None:
        match event:
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
                return {"type": "end", "reason": event.reason, "answer": event.answer}
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
            series = a.data.get("series", ())
            rows = [
                [str(c), *(cell(s["data"][i]) if i < len(s["data"]) else "" for s in series)]
                for i, c in enumerate(a.data.get("categories", ()))
            ]
            columns = ["", *(str(s.get("name", "")) for s in series)]
            return {"type": "table", "title": a.title, "columns": columns, "rows": rows}


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
