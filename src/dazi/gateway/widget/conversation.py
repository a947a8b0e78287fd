"""A visitor's conversation as it stands: what was said by whom, what waits, who answers."""

from __future__ import annotations

import hashlib

import msgspec

from dazi.access.visitors import Visitor
from dazi.apps.desk.desk import Desk
from dazi.apps.desk.records import ALIVE, Card, Wanted
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.gateway.widget.bodies import ConversationView, DeskView, SaidView
from dazi.gateway.widget.service import Widget
from dazi.gateway.widget.views import name_of, waiting
from dazi.memory.threads import Numbered

MOST_MESSAGES = 100
_TOLD = ("reply", "ask_customer")


async def conversation(widget: Widget, visitor: Visitor, language: Language) -> ConversationView:
    principal, thread = visitor.principal, await widget.thread(visitor.principal)
    service = widget.service
    # Before anything is read: what is said meanwhile may be missing below, and then changes the mark.
    mark = await mark_of(widget, visitor, thread)
    talk = widget.talks.find(principal, thread) if thread else None
    running = talk is not None and talk.running
    stream, after, said, before = "", 0, "", 0
    if talk is not None:
        stream, before = talk.stream, talk.before
        after = talk.first - 1 if running else talk.last
        said = talk.said if running else ""
    kept: list[Numbered] = []
    if thread:
        kept = await service.threads.latest(thread, principal, MOST_MESSAGES)
    if running:
        kept = [n for n in kept if n.seq <= before]
    desk = widget.desk if visitor.site.hand_over else None
    standing, told = DeskView(), frozenset[str]()
    if desk is not None and thread:
        standing, told = await standing_at(desk, principal, thread)
        if not standing.ticket:
            standing = DeskView(ratable=any(n.kept.message.role == "user" for n in kept))
    asked = await service.tickets.pending(principal, thread) if thread else []
    company = service.agent.company
    return ConversationView(
        stream,
        after,
        running,
        said,
        _said(kept, told, widget, language),
        [waiting(company, language, t) for t in asked],
        standing,
        mark,
        standing.holder == "person" or any(t.approver for t in asked),
    )


async def mark_of(widget: Widget, visitor: Visitor, thread: str) -> str:
    """Changes when somebody says or decides something in the conversation."""
    if not thread:
        return ""
    principal, service = visitor.principal, widget.service
    latest = await service.threads.latest(thread, principal, 1)
    asked = await service.tickets.pending(principal, thread)
    parts = [str(latest[-1].seq if latest else 0), *sorted(t.id for t in asked)]
    if widget.desk is not None and visitor.site.hand_over:
        card = await _card(widget.desk, principal, thread)
        parts += [card.id, card.state, card.holder] if card is not None else []
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


async def standing_at(
    desk: Desk, principal: Principal, thread: str
) -> tuple[DeskView, frozenset[str]]:
    """How the desk has the conversation, and what people said in it."""
    card = await _card(desk, principal, thread)
    if card is None:
        return DeskView(), frozenset()
    view = await desk.service.view(principal, card.id, desk.clock())
    told = frozenset(e.text for e in view.events if e.act in _TOLD)
    ratable = "rate" in view.possible
    return DeskView(card.id, card.state, card.holder, ratable), told


async def _card(desk: Desk, principal: Principal, thread: str) -> Card | None:
    """The ticket that is open in the conversation, else the newest that was."""
    cards = await desk.service.find(principal, Wanted(thread=thread, limit=50))
    open_ones = [c for c in cards if c.state in ALIVE]
    return max(open_ones or cards, key=lambda c: c.updated, default=None)


def _said(
    kept: list[Numbered], told: frozenset[str], widget: Widget, language: Language
) -> list[SaidView]:
    company = widget.service.agent.company
    out: list[SaidView] = []
    for n in kept:
        message, at = n.kept.message, int(n.at)
        match message.role:
            case "user":
                out.append(SaidView("visitor", message.content, at))
            case "tool":
                name = name_of(company, n.kept.tool, language)
                out.append(SaidView("call", name, at, _outcome(message.content, n.kept.result)))
            case "assistant" if message.content.strip():
                words = _of_person(message.content, told)
                who = "assistant" if words is None else "person"
                out.append(SaidView(who, message.content if words is None else words, at))
    return out


def _of_person(text: str, told: frozenset[str]) -> str | None:
    """A person's words without the mark before them; ``None`` where no person said so: the mark alone
    is something that a model could write."""
    _, mark, words = text.partition("】")
    return words if mark and text.startswith("【") and words in told else None


def _outcome(content: str, result: object) -> str:
    if result is not None:
        return "ok"
    try:
        found = msgspec.json.decode(content)
    except msgspec.DecodeError:
        return "failed"
    error = found.get("error") if isinstance(found, dict) else None
    return error if isinstance(error, str) else "ok"
