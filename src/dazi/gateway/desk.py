"""``/v1/dazi/tickets``: the service desk. Customers see their own tickets; another's looks like none."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field, to_builtins

from dazi.apps.desk.clocks import Clock
from dazi.apps.desk.desk import Desk
from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.intents.recogniser import recogniser
from dazi.apps.desk.machine import TRANSITIONS
from dazi.apps.desk.model import STATES, Act
from dazi.apps.desk.records import ALIVE, Card, Wanted
from dazi.apps.desk.service import NewTicket, View
from dazi.apps.desk.statistics import Statistics
from dazi.core.errors import AccessError, NotFound
from dazi.gateway.errors import BadField
from dazi.gateway.exchange import GENERATED, Exchange
from dazi.gateway.reply import encode
from dazi.gateway.wire import Reader

__all__ = ["INTENTS", "MOST", "STATES"]

MOST = 200
LONGEST = 5_000
DAY_S = 86_400


class CardView(Struct, frozen=True):
    """Times in seconds since the epoch; ``due``: of the clock that ends first, for the desk."""

    id: str
    title: str
    user: str
    state: str
    category: str
    priority: str
    assignee: str
    holder: str
    channel: str
    thread: str
    created: int
    updated: int
    due: int | None


class Tickets(Struct, frozen=True):
    data: list[CardView]
    object: str = "list"


class ClockView(Struct, frozen=True):
    """Seconds of working time; ``due``: in seconds since the epoch, null while it stands."""

    standing: str
    limit: int
    used: int
    due: int | None


class EventView(Struct, frozen=True):
    at: int
    by: str
    act: str
    text: str
    data: dict[str, Any]


class RatingView(Struct, frozen=True):
    at: int
    stars: int
    comment: str


class TicketView(Struct, frozen=True):
    """``possible``: acts that the caller may do now. ``response``, ``resolution`` and ``summary`` are
    for those who work at the desk."""

    ticket: CardView
    orders: list[str]
    ended: str
    merged_into: str
    reopened: int
    ratings: list[RatingView]
    events: list[EventView]
    possible: list[str]
    response: ClockView | None = None
    resolution: ClockView | None = None
    summary: dict[str, Any] | None = None


class NewTicketBody(Struct, forbid_unknown_fields=True):
    """``user``: whose it is, of those who work at the desk. Without ``category`` it follows from the
    words, without ``priority`` from the category."""

    title: str
    text: str = ""
    category: str = ""
    priority: str = ""
    user: str = ""
    thread: str = ""
    orders: list[str] = field(default_factory=list)
    key: str = ""


class ActBody(Struct, forbid_unknown_fields=True):
    """``act``: one of a ticket's ``possible``. ``text``: what is said or why; ``canned``: the name of
    a reply in its place. ``to``: of assign; ``priority``, ``category``, ``orders``, ``stars`` (1 to
    5), ``into``: of the acts that need them."""

    act: str
    text: str = ""
    canned: str = ""
    to: str = ""
    priority: str = ""
    category: str = ""
    orders: list[str] = field(default_factory=list)
    stars: int = 0
    into: str = ""


class SentenceView(Struct, frozen=True):
    """``kind``: order, document or canned; ``source``: where it is from."""

    text: str
    kind: str
    source: str


class CannedView(Struct, frozen=True):
    name: str
    title: str


class SuggestionView(Struct, frozen=True):
    text: str
    sentences: list[SentenceView]
    canned: list[CannedView]


class StatisticsView(Struct, frozen=True):
    """Minutes of working time, shares from 0 to 1; docs/*/desk.md says what each figure counts."""

    total: dict[str, Any]
    weeks: dict[str, Any]
    agents: dict[str, Any]


class IntentBody(Struct, forbid_unknown_fields=True):
    text: str


class IntentView(Struct, frozen=True):
    """``best``: [intent, probability], best first."""

    intent: str
    sure: float
    best: list[tuple[str, float]]


NEW_TICKET, ACT, INTENT = Reader(NewTicketBody), Reader(ActBody), Reader(IntentBody)


async def tickets(x: Exchange) -> None:
    desk = _desk(x)
    state = x.text("state") or "alive"
    if state not in ("alive", "all", *STATES):
        known = ", ".join(("alive", "all", *STATES))
        raise BadField("state", f"应为 {known} 之一", f"must be one of {known}")
    category = x.text("category")
    if category and category not in INTENTS:
        raise BadField("category", "没有这个类别", "no such category")
    wanted = Wanted(
        states=ALIVE if state == "alive" else tuple(s for s in STATES if s == state),
        assignee=x.principal.user if x.flag("mine") else "",
        category=category,
        thread=x.text("thread")[:64],
        unassigned=x.flag("unassigned"),
        limit=x.number("limit", 50, least=1, most=MOST),
    )
    cards = await desk.service.find(x.principal, wanted)
    await x.reply(encode(Tickets([card_view(c) for c in cards])))


async def open_ticket(x: Exchange) -> None:
    desk, given = _desk(x), NEW_TICKET.read(x.body)
    if len(given.key) > 80 or len(given.thread) > 64 or len(given.orders) > 20:
        raise BadField("key", "太长", "too long")
    if given.thread and not given.user:  # only a conversation of the caller's own
        await x.state.service.threads.get(given.thread, x.principal)
    new = NewTicket(
        given.title, given.text, given.category, given.priority, given.user, given.thread,
        f"api:{given.key}" if given.key else "", tuple(given.orders),
    )  # fmt: skip
    view = await desk.service.open(x.principal, new, desk.clock())
    await x.reply(encode(_view(view)))


async def ticket(x: Exchange) -> None:
    desk = _desk(x)
    view = await desk.service.view(x.principal, x.path["number"], desk.clock())
    await x.reply(encode(_view(view)))


async def act(x: Exchange) -> None:
    desk, given, id = _desk(x), ACT.read(x.body), x.path["number"]
    wanted: Act | None = next((a for a in TRANSITIONS if a == given.act), None)
    if wanted is None:
        known = ", ".join(TRANSITIONS)
        raise BadField("act", f"应为 {known} 之一", f"must be one of {known}")
    text = await desk.canned(x.principal, id, given.canned) if given.canned else given.text
    data = {
        "to": given.to, "priority": given.priority, "category": given.category,
        "orders": given.orders[:20], "stars": given.stars, "into": given.into,
    }  # fmt: skip
    view = await desk.service.act(x.principal, id, wanted, desk.clock(), text, **data)
    await x.reply(encode(_view(view)))


async def suggestion(x: Exchange) -> None:
    desk, id = _desk(x), x.path["number"]
    found = await desk.suggest(x.principal, id)
    view = await desk.service.view(x.principal, id, desk.clock())
    canned = [CannedView(c.name, c.title(x.spoken)) for c in desk.offered(view)]
    shown = [SentenceView(s.text, s.kind, s.source) for s in found.sentences]
    await x.reply(encode(SuggestionView(found.text, shown, canned)), GENERATED)


async def statistics(x: Exchange) -> None:
    desk = _desk(x)
    days = x.number("days", 28, least=1, most=3_660)
    found = await desk.statistics(x.principal, desk.clock() - days * DAY_S)
    await x.reply(encode(statistics_view(found)))


async def intent(x: Exchange) -> None:
    _desk(x)
    given = INTENT.read(x.body)
    if len(given.text) > LONGEST:
        raise BadField("text", f"最多 {LONGEST} 个字符", f"at most {LONGEST} characters")
    found = recogniser().recognise(given.text)
    best = [(n, round(p, 4)) for n, p in found.best]
    await x.reply(encode(IntentView(found.name, round(found.sure, 4), best)))


def _desk(x: Exchange) -> Desk:
    """Raises ``NotFound`` where there is none, and ``AccessError`` with a key for some tools."""
    if x.state.desk is None:
        raise NotFound("desk", "这里没有服务台", "there is no service desk here")
    if x.only:
        zh = "这个密钥只限某些工具,不能用在这里"
        en = "this key is for some tools only and cannot be used here"
        raise AccessError("key_scope", zh, en)
    return x.state.desk


def card_view(c: Card) -> CardView:
    return CardView(
        c.id, c.title, c.user, c.state, c.category, c.priority, c.assignee, c.holder, c.channel,
        c.thread, int(c.created), int(c.updated), None if c.due is None else int(c.due),
    )  # fmt: skip


def _view(v: View) -> TicketView:
    t, clocks = v.ticket, v.clocks
    return TicketView(
        card_view(v.card),
        list(t.orders),
        t.ended or "",
        t.merged_into,
        t.reopened,
        [RatingView(int(r.at), r.stars, r.comment) for r in t.ratings],
        [EventView(int(e.at), e.by, e.act, e.text, dict(e.data)) for e in v.events],
        list(v.possible),
        _clock(clocks.response) if clocks else None,
        _clock(clocks.resolution) if clocks else None,
        v.summary.as_data() if v.summary is not None else None,
    )


def _clock(c: Clock) -> ClockView:
    due = None if c.due is None else int(c.due)
    return ClockView(c.standing, int(c.limit), int(c.used), due)


def statistics_view(s: Statistics) -> StatisticsView:
    return StatisticsView(to_builtins(s.total), to_builtins(s.weeks), to_builtins(s.agents))
