"""An answer and what goes with it, as plain messages and cards."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from secrets import token_hex
from typing import Any

import msgspec

from dazi.core.company import Company
from dazi.core.language import Language
from dazi.core.tools import Tool
from dazi.core.turn import Attachment, ConfirmationNeeded
from dazi.core.visible import reveal
from dazi.gateway.channels import texts
from dazi.gateway.channels.protocol import Card, Channel, Part
from dazi.gateway.channels.splitting import split
from dazi.router.approval import Ticket

_CLAUSE = re.compile(r"\s*[::,,;;((。]\s*")
LABEL_CHARS = 20


def words(channel: Channel, text: str) -> Iterator[Part]:
    """``text`` in messages that the vendor takes whole."""
    return (Part(piece) for piece in split(text, channel.limits.text_bytes))


def attached(attachments: Sequence[Attachment], language: Language) -> str:
    """Tables row by row, and where an answer comes from."""
    lines: list[str] = []
    for one in attachments:
        match one.kind:
            case "table":
                columns = [str(c) for c in one.data["columns"]]
                lines.append(f"{one.title}")
                for row in one.data["rows"]:
                    pairs = zip(columns, row, strict=False)
                    colon = texts.COLON(language)
                    said = [f"{c}{colon}{v}" for c, v in pairs if v not in (None, "")]
                    lines.append("- " + ";".join(said))
            case "sources":
                cited = set(one.data.get("cited", ()))
                shown = [p for p in one.data["passages"] if not cited or p.get("number") in cited]
                names = [str(p.get("title") or p.get("document") or "") for p in shown[:5]]
                if any(names):
                    lines.append(texts.SOURCES(language) + ";".join(n for n in names if n))
    return "\n".join(lines)


def card_of(ticket: Ticket, company: Company, language: Language, asks: str = "") -> Card:
    """``asks``: who wants it, where that is somebody else. Its fields are the canonical arguments,
    each of them whole, with what cannot be seen made visible."""
    asked = ticket.asked
    tool = company.tools.get(asked.tool)
    what = _short(tool.description(language)) if tool else asked.tool
    title = texts.APPROVAL if asks else texts.CONFIRM
    until = time.strftime("%m-%d %H:%M", time.localtime(ticket.expires))
    note = texts.CONFIRM_NOTE(language).format(until=until)
    if asked.untrusted:
        labels = {name: label for name, label, _ in _fields(tool, asked.arguments, language)}
        names = "、".join(labels.get(name, name) for name in asked.untrusted)
        note = f"{texts.UNTRUSTED(language).format(names=names)} {note}"
    return Card(
        f"{ticket.id}@{token_hex(4)}",
        ticket.id,
        reveal(title(language).format(what=what, user=asks)),
        tuple((label, value) for _, label, value in _fields(tool, asked.arguments, language)),
        note,
        (texts.APPROVE if asks else texts.YES)(language),
        (texts.REJECT if asks else texts.NO)(language),
    )


def asking(channel: Channel, card: Card, language: Language) -> Iterator[Part]:
    """A card, and before it all that it is about, where the vendor's has no room for that."""
    if not channel.shows_all(card):
        full = "\n".join([texts.EXACT(language), *(f"{n}:{v}" for n, v in card.fields)])
        yield from words(channel, full)
    yield Part(card=card)


def expiry(event: ConfirmationNeeded) -> float:
    return datetime.fromisoformat(event.expires).timestamp()


def _fields(
    tool: Tool | None, arguments: Mapping[str, Any], language: Language
) -> list[tuple[str, str, str]]:
    """Name, label and exact value of each argument, in the order of the declaration."""
    known = {p.name: p for p in tool.parameters} if tool else {}
    ordered = [*(n for n in known if n in arguments), *(n for n in arguments if n not in known)]
    out = []
    for name in ordered:
        parameter = known.get(name)
        label = _short(parameter.description(language)) if parameter else ""
        value = arguments[name]
        said = (
            value if isinstance(value, str) else msgspec.json.encode(value, enc_hook=str).decode()
        )
        word = parameter.labels.get(str(value)) if parameter else None
        if word is not None:
            said = f"{word(language)}({said})"
        out.append((name, reveal(label[:LABEL_CHARS] or name), reveal(said)))
    return out


def _short(text: str) -> str:
    return _CLAUSE.split(text, maxsplit=1)[0] or text
