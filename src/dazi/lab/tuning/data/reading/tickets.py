"""Samples out of the service desk: what customers asked, what people answered, which category it was."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator

from dazi.apps.desk.model import Act
from dazi.apps.desk.records import DeskStore, Filed
from dazi.lab.tuning.data.recipe import TicketsSource
from dazi.lab.tuning.data.samples import Draft, Kind, Origin, Said, Sample, identified
from dazi.lab.tuning.data.work import Refusing

ASKED: frozenset[Act] = frozenset(("create", "customer_wrote"))
ANSWERED: frozenset[Act] = frozenset(("reply", "ask_customer"))
NO_MODEL: frozenset[Act] = frozenset(("spam", "merge"))
ENDED = frozenset(("resolved", "closed"))
DAY_S = 86_400.0


async def read_tickets(
    source: TicketsSource, store: DeskStore, tenant: str, refuse: Refusing
) -> AsyncIterator[Draft]:
    since = time.time() - source.days * DAY_S if source.days else 0.0
    async for filed in store.each(tenant, since):
        if filed.card.state not in ENDED:
            continue
        for draft in _drafts(source, filed):
            if why := _unwanted(source, filed, draft):
                refuse(draft, why)
            else:
                yield draft


def _unwanted(source: TicketsSource, filed: Filed, draft: Draft) -> str:
    if any(e.act in NO_MODEL for e in filed.events):
        return "no_sample"
    stars = _stars(filed)
    if stars and stars < source.least_stars:
        return "few_stars"
    answered = any(m.role == "assistant" for m in draft.sample.messages)
    return "no_reply" if draft.sample.kind == "chat" and not answered else ""


def _stars(filed: Filed) -> int:
    """Of the last rating; 0 where there is none."""
    given = [e.data.get("stars", 0) for e in filed.events if e.act == "rate"]
    return int(given[-1]) if given else 0


def _drafts(source: TicketsSource, filed: Filed) -> Iterator[Draft]:
    card = filed.card
    first = next((t for e in filed.events if e.act in ASKED and (t := e.text.strip())), "")
    opening = "\n".join(dict.fromkeys(t for t in (card.title.strip(), first) if t))
    if source.answers and opening:
        yield _made(filed, "chat", _talk(filed, opening), "")
    if source.categories and opening and card.category:
        yield _made(filed, "class", [Said("user", opening)], card.category)


def _talk(filed: Filed, opening: str) -> list[Said]:
    """Customer and desk by turns; several messages of one side are one."""
    out = [Said("user", opening)]
    begun = False
    for e in filed.events:
        text = e.text.strip()
        if e.act in ASKED and text:
            if begun:
                _say(out, Said("user", text))
            begun = True
        elif e.act in ANSWERED and text:
            _say(out, Said("assistant", text))
    return out


def _say(out: list[Said], message: Said) -> None:
    if out[-1].role == message.role:
        out[-1].content += f"\n{message.content}"
    else:
        out.append(message)


def _made(filed: Filed, kind: Kind, messages: list[Said], label: str) -> Draft:
    card = filed.card
    ref = f"ticket:{card.id}"
    conversation = f"thread:{card.thread}" if card.thread else ref
    origin = Origin("ticket", ref, user=card.user)
    sample = Sample("", conversation, kind, "", messages, origin, label=label)
    return identified(Draft(sample, at=card.updated))
