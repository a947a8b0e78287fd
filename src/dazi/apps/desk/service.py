"""The desk: every act on a ticket, with who may. Another's ticket looks like none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dazi.apps.desk.assignment import Agent, choose
from dazi.apps.desk.clocks import Clock, Clocks, clocks_of
from dazi.apps.desk.given import LONGEST_TEXT, Given, actor_of, check_length, one_of
from dazi.apps.desk.intents.kinds import INTENTS, OTHER
from dazi.apps.desk.machine import Refused, apply, possible, replay
from dazi.apps.desk.model import PRIORITIES, Act, Actor, Event, Priority, Ticket
from dazi.apps.desk.ports import Parts, Spoken
from dazi.apps.desk.records import (
    ALIVE,
    Card,
    DeskStore,
    Draft,
    Filed,
    Overtaken,
    Standing,
    Wanted,
    unknown,
)
from dazi.apps.desk.rules import DeskRules
from dazi.apps.desk.summary import Summary, summarise, unfounded
from dazi.core.errors import AccessError, CallerError
from dazi.core.learning import HandedOver, Learner, Sent
from dazi.core.principal import Principal

SYSTEM = "system"
LONGEST_TITLE = 200
_TRIES = 5
INNER: frozenset[Act] = frozenset(("note", "warned", "breached", "prioritise", "categorise"))
"""What customers are not shown."""
_TOLD: frozenset[Act] = frozenset(("reply", "ask_customer"))
"""What is said to the customer in the conversation."""
_NEEDS_TEXT: frozenset[Act] = frozenset(
    ("customer_wrote", "reply", "ask_customer", "note", "hand_back")
)
PRESSING: Mapping[str, Priority] = {"complaint": "high", "damaged": "high", "human": "high"}
"""The priority of a category, where nobody says another; that of others is normal."""


@dataclass(frozen=True, slots=True)
class NewTicket:
    """``user``: whose it is, of somebody who works at the desk; empty: one's own. ``category`` and
    ``priority``: empty, where they are to follow from the words. ``orders``: that the customer names;
    only those that they are found to have are attached. ``verified``: that a result was seen for."""

    title: str
    text: str = ""
    category: str = ""
    priority: str = ""
    user: str = ""
    thread: str = ""
    key: str = ""
    orders: tuple[str, ...] = ()
    verified: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class View:
    """A ticket as somebody may see it. ``possible``: what they may do with it now."""

    card: Card
    ticket: Ticket
    clocks: Clocks | None
    events: tuple[Event, ...]
    possible: tuple[Act, ...]
    conversation: tuple[Spoken, ...] = ()
    summary: Summary | None = None


class DeskService:
    """``now`` is given with every act, in seconds since the epoch."""

    def __init__(self, store: DeskStore, rules: DeskRules, parts: Parts) -> None:
        self.store = store
        self.rules = rules
        self.parts = parts
        self._given = Given(store, rules, parts)
        self.learner: Learner | None = None
        """Is told of replies and of conversations that go to a person, where anybody learns from it."""

    # --- who may what ---------------------------------------------------------------------------

    def actor(self, principal: Principal) -> Actor:
        return actor_of(self.rules, principal)

    def serves(self, principal: Principal) -> bool:
        """Is it somebody whose conversations are the desk's?"""
        served = self.parts.visitors.served(principal.user)
        return principal.has_role(*self.rules.customers) if served is None else served

    def check_supervisor(self, principal: Principal) -> None:
        """Raises ``AccessError``."""
        if self.actor(principal) != "supervisor":
            raise AccessError("forbidden", "只有客服主管可以", "only supervisors of the desk may")

    def check_staff(self, principal: Principal) -> None:
        """Raises ``AccessError``."""
        if self.actor(principal) == "customer":
            raise AccessError("forbidden", "只有客服可以", "only those who work at the desk may")

    async def _filed(self, principal: Principal, id: str) -> Filed:
        filed = await self.store.get(id, principal.tenant)
        if self.actor(principal) == "customer" and filed.card.user != principal.user:
            raise unknown()
        await self.parts.visitors.recall(filed.card.user)
        return filed

    # --- tickets --------------------------------------------------------------------------------

    async def open(self, principal: Principal, new: NewTicket, now: float) -> View:
        """Raises ``CallerError`` for what is missing or too long, and where an agent names a customer
        that there is none of."""
        title = " ".join(new.title.split())
        if not title:
            raise CallerError("empty", "请写明是什么问题", "say what the problem is")
        if len(title) > LONGEST_TITLE or len(new.text) > LONGEST_TEXT:
            zh = f"标题最多 {LONGEST_TITLE} 字,内容最多 {LONGEST_TEXT} 字"
            en = f"a title has up to {LONGEST_TITLE} characters, a text {LONGEST_TEXT}"
            raise CallerError("too_long", zh, en)
        actor = self.actor(principal)
        await self.parts.visitors.recall(new.user)
        customer = self._customer(principal, actor, new.user)
        category = new.category or self.parts.recognise(f"{title}\n{new.text}")
        priority = new.priority or PRESSING.get(category, "normal")
        one_of("category", category, INTENTS)
        one_of("priority", priority, PRIORITIES)
        if priority == "urgent" and actor == "customer":
            zh, en = "紧急由客服判断", "whether it is urgent is for the desk to say"
            raise CallerError("priority", zh, en)
        event = Event(now, principal.user, actor, "create", new.text, _first(category, priority))
        draft = Draft(
            principal.tenant, customer.user, new.thread, principal.channel, title, new.key
        )
        id = await self.store.create(draft, event, self._standing([event], now))
        filed = await self.store.get(id, principal.tenant)
        if len(filed.events) == 1:
            await self._settle(filed, customer, new, now)
        return await self.view(principal, id, now)

    async def act(
        self,
        principal: Principal,
        id: str,
        act: Act,
        now: float,
        text: str = "",
        **data: Any,
    ) -> View:
        """Do ``act``. Raises ``NotFound``, ``Refused`` with what is possible instead, ``AccessError``
        and ``CallerError`` for wrong data."""
        filed = await self._filed(principal, id)
        text = text.strip()
        if act in _NEEDS_TEXT and not text:
            raise CallerError("empty", "请写内容", "write something")
        check_length(text)
        if act == "create":
            raise Refused("工单已经有了", "the ticket is there already", ())
        actor = self.actor(principal)
        given = await self._given.of(principal, filed, act, data)
        if act == "hand_over":
            given = {"summary": (await self._summary(filed)).as_data()}
        filed = await self._add(filed, Event(now, principal.user, actor, act, text, given))
        if principal.user == filed.card.user:
            self._tell(principal, filed.card.thread, act, given)
        if act in _TOLD:
            await self._say(filed, text)
            if self.learner is not None:
                self.learner.sent(Sent(principal, id, text))
        if act == "hand_over" and self.learner is not None:
            await self._tell_handed_over(filed, text)
        if act == "hand_over" and not replay(filed.events, self.rules.reopen_days).assignee:
            await self._assign(filed, now)
        return await self.view(principal, id, now)

    def _tell(self, customer: Principal, thread: str, act: Act, given: Mapping[str, Any]) -> None:
        """Whoever compares how conversations go."""
        if act == "rate":
            self.parts.heard.rated(customer, thread, given["stars"])
        elif act == "hand_over":
            self.parts.heard.handed_over(customer, thread)

    async def view(self, principal: Principal, id: str, now: float) -> View:
        """Raises ``NotFound``."""
        filed = await self._filed(principal, id)
        ticket = replay(filed.events, self.rules.reopen_days)
        actor = self.actor(principal)
        can = tuple(possible(ticket, actor, max(now, ticket.updated), self.rules.reopen_days))
        if actor == "customer":
            shown = tuple(_for_customer(e) for e in filed.events if e.act not in INNER)
            card = replace(filed.card, due=None, warn=None)
            return View(card, ticket, None, shown, can)
        clocks = clocks_of(filed.events, max(now, ticket.updated), self.rules.clocking)
        spoken = await self._spoken(filed)
        summary = self._summarised(spoken)
        return View(filed.card, ticket, clocks, filed.events, can, tuple(spoken), summary)

    async def find(self, principal: Principal, wanted: Wanted) -> list[Card]:
        """What is due first comes first. Customers see their own, without the desk's columns."""
        if self.actor(principal) == "customer":
            own = replace(wanted, user=principal.user, assignee="", unassigned=False)
            cards = await self.store.find(principal.tenant, own)
            return [replace(c, due=None, warn=None) for c in cards]
        return await self.store.find(principal.tenant, wanted)

    # --- conversations --------------------------------------------------------------------------

    async def hand_over(self, principal: Principal, thread: str, text: str, now: float) -> View:
        """Give a conversation of the customer's own to a person: with the ticket that it has, else
        with a new one. Raises as ``act``."""
        check_length(text)  # before anything is filed
        wanted = Wanted(user=principal.user, thread=thread, states=ALIVE, limit=1)
        cards = await self.store.find(principal.tenant, wanted)
        if cards:
            id = cards[0].id
        else:
            new = NewTicket(text[:LONGEST_TITLE], category="human", thread=thread)
            id = (await self.open(principal, new, now)).card.id
        return await self.act(principal, id, "hand_over", now, text)

    async def held(self, principal: Principal, thread: str, text: str, now: float) -> str:
        """The ticket whose person has this conversation, empty where none has; what the customer
        wrote is kept with it."""
        wanted = Wanted(user=principal.user, thread=thread, states=ALIVE)
        for card in await self.store.find(principal.tenant, wanted):
            if card.holder == "person":
                filed = await self.store.get(card.id, principal.tenant)
                event = Event(now, principal.user, "customer", "customer_wrote", text)
                await self._add(filed, event)
                return card.id
        return ""

    async def file_over(self, customer: Principal, thread: str, at: float) -> bool:
        """File a conversation that the assistant had alone, as resolved when it ended; whether there
        was anything said in it."""
        spoken = await self.parts.conversations.read(customer, thread)
        said = [s.message.content for s in spoken if s.message.role == "user"]
        if not said:
            return False
        names = [n for n in map(self.parts.recognise, said) if n not in (OTHER, "greeting")]
        category = names[0] if names else self.parts.recognise(said[0])
        title = " ".join(said[0].split())[:LONGEST_TITLE]
        events = [
            Event(spoken[0].at, customer.user, "customer", "create", "", _first(category, "normal"))
        ]
        orders = self._summarised(spoken).orders
        if orders:
            events.append(
                Event(spoken[0].at, SYSTEM, "system", "attach", "", {"orders": list(orders)})
            )
        events.append(Event(max(at, spoken[0].at), SYSTEM, "assistant", "resolve"))
        key = f"thread:{thread}"[:100]
        draft = Draft(customer.tenant, customer.user, thread, customer.channel, title, key)
        id = await self.store.create(draft, events[0], self._standing(events[:1], events[0].at))
        filed = await self.store.get(id, customer.tenant)
        for event in events[len(filed.events) :]:
            filed = await self._add(filed, event)
        return True

    # --- by the clock ---------------------------------------------------------------------------

    async def mark(self, id: str, tenant: str, now: float) -> int:
        """Note what is near its limit or past it, once for each clock; how much was new."""
        filed = await self.store.get(id, tenant)
        new = 0
        for clock in clocks_of(filed.events, now, self.rules.clocking).both:
            for act in _marks(clock):
                ticket = replay(filed.events, self.rules.reopen_days)
                if f"{clock.kind}:{act}" not in ticket.marks:
                    event = Event(now, SYSTEM, "system", act, "", {"clock": clock.kind})
                    filed = await self._add(filed, event)
                    new += 1
        return new

    async def close(self, id: str, tenant: str, now: float) -> None:
        """Close what is resolved. Raises ``Refused`` where it is not any more."""
        filed = await self.store.get(id, tenant)
        await self._add(filed, Event(now, SYSTEM, "system", "close"))

    # --- inner ----------------------------------------------------------------------------------

    async def _settle(self, filed: Filed, customer: Principal, new: NewTicket, now: float) -> None:
        """What follows at once: orders that are the customer's, and who gets it."""
        orders = [*new.verified]
        named = [o for o in dict.fromkeys(new.orders) if o not in orders]
        orders += [o for o in named if await self._given.has_order(customer, o, new.title)]
        if new.thread and self.rules.orders is not None:
            summary = self._summarised(await self._spoken(filed))
            orders += [o for o in summary.orders if o not in orders]
        if orders:
            event = Event(now, SYSTEM, "system", "attach", "", {"orders": orders})
            filed = await self._add(filed, event)
        await self._assign(filed, now)

    async def _assign(self, filed: Filed, now: float) -> None:
        loads = await self.store.loads(filed.card.tenant)
        ticket = replay(filed.events, self.rules.reopen_days)
        to = choose(self.rules.agents, ticket.category, loads)
        if to:
            event = Event(now, SYSTEM, "system", "assign", "", {"to": to})
            await self._add(filed, event)

    async def _tell_handed_over(self, filed: Filed, text: str) -> None:
        """What was asked before a person was asked for."""
        card = filed.card
        said = [s.message.content for s in await self._spoken(filed) if s.message.role == "user"]
        asked = next((t for t in reversed(said) if t.strip() and t != text), "")
        if self.learner is not None and asked:
            self.learner.handed_over(
                HandedOver(card.user, card.tenant, card.channel, card.thread, asked)
            )

    async def _add(self, filed: Filed, event: Event) -> Filed:
        """The ticket after ``event``. Raises ``Refused``, also where somebody else was faster and it
        is not possible any more."""
        for _ in range(_TRIES):
            last = filed.events[-1].at
            event = replace(event, at=max(event.at, last))  # clocks of machines differ a little
            events = [*filed.events, event]
            apply(replay(filed.events, self.rules.reopen_days), event, self.rules.reopen_days)
            try:
                await self.store.add(filed, event, self._standing(events, event.at))
            except Overtaken:
                filed = await self.store.get(filed.card.id, filed.card.tenant)
                continue
            return replace(filed, events=tuple(events))
        raise CallerError("busy", "工单正被多人修改,请重试", "others are changing it; try again")

    def _standing(self, events: Sequence[Event], now: float) -> Standing:
        ticket = replay(events, self.rules.reopen_days)
        live = [c for c in clocks_of(events, now, self.rules.clocking).both if c.live]
        dues = [c.due for c in live if c.due is not None]
        marks = [
            c.warn_at
            for c in live
            if c.warn_at is not None and f"{c.kind}:warned" not in ticket.marks
        ]
        return Standing(ticket, min(dues, default=None), min(marks, default=None))

    def _customer(self, principal: Principal, actor: Actor, user: str) -> Principal:
        if not user or user == principal.user:
            return principal
        if actor == "customer":
            raise AccessError(
                "forbidden", "只能为自己提交工单", "a ticket can only be opened for oneself"
            )
        return self._given.person(user, principal.channel, principal.tenant)

    async def _spoken(self, filed: Filed) -> Sequence[Spoken]:
        card = filed.card
        if not card.thread:
            return []
        try:
            customer = self.parts.people(card.user, card.channel, card.tenant)
        except AccessError:  # who has left has no conversations that could be shown
            return []
        return await self.parts.conversations.read(customer, card.thread)

    def _summarised(self, spoken: Sequence[Spoken]) -> Summary:
        parameter = self.rules.orders.parameter if self.rules.orders else ""
        return summarise([s.message for s in spoken], self.parts.tools, parameter)

    async def _summary(self, filed: Filed) -> Summary:
        spoken = await self._spoken(filed)
        summary = self._summarised(spoken)
        if self.parts.word is None or not spoken:
            return summary
        wording = await self.parts.word(summary.text, summary.language)
        told = [s.message.content for s in spoken]
        told += [c.arguments for s in spoken for c in s.message.calls]
        return summary if unfounded(wording, told) else replace(summary, wording=wording)

    async def _say(self, filed: Filed, text: str) -> None:
        card = filed.card
        if card.thread:
            customer = self._given.owner(filed)
            await self.parts.conversations.say(customer, card.thread, text)


def team(rules: DeskRules, users: Mapping[str, frozenset[str]]) -> tuple[Agent, ...]:
    """The agents of the settings; where there are none, everybody with an agent's role."""
    if rules.agents:
        return rules.agents
    return tuple(
        Agent(u) for u, roles in sorted(users.items()) if not roles.isdisjoint(rules.roles)
    )


def _first(category: str, priority: str) -> dict[str, Any]:
    return {"category": category or OTHER, "priority": priority}


def _marks(clock: Clock) -> tuple[Act, ...]:
    if clock.standing == "breached":
        return ("warned", "breached")
    return ("warned",) if clock.standing == "warning" else ()


def _for_customer(event: Event) -> Event:
    """Without what is the desk's own affair: the summary, and who was given it."""
    if event.act in ("hand_over", "assign", "unassign", "hand_back"):
        return replace(event, data={}, text="" if event.act == "hand_back" else event.text)
    return event
