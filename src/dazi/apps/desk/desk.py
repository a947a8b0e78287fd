"""The desk as tools, the assistant, pages and commands meet it: the service with a clock, canned
replies and the company's documents."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from dazi.apps.desk.intents.recogniser import recogniser
from dazi.apps.desk.replies import Canned, by_name, filled, values_of
from dazi.apps.desk.service import DeskService, NewTicket, View
from dazi.apps.desk.statistics import Statistics, statistics_of
from dazi.apps.desk.suggesting import Asking, Suggestion, suggest
from dazi.core.desk import FiledTicket, TicketRequest
from dazi.core.ids import find_ids
from dazi.core.knowledge import KnowledgeSource
from dazi.core.language import Language, Text, language_of
from dazi.core.learning import Drafted
from dazi.core.principal import Principal

WITH_PERSON = Text(
    "您的话已转给处理工单 {id} 的同事,会在这里答复您。",
    "Passed on to the colleague who has ticket {id}; they will answer you here.",
)
HANDED_OVER = Text(
    "已转人工,工单号 {id}。同事会在这里答复您,您可以继续补充情况。",
    "Handed over to a colleague as ticket {id}. They will answer you here; add what they should know.",
)
SURE_OF_PERSON = 0.5
"""How sure it must be that somebody wants a person before they are handed over."""
LONGEST_REQUEST = 60
"""Characters of a message that is nothing but the wish for a person."""
_PERSON = re.compile(
    r"\W*(?:请|麻烦|帮我|给我|我要|我想|快){0,3}(?:转|接|找|要|换|叫)?(?:一下|个)?"
    r"(?:人工|真人|活人)(?:客服|服务|坐席)?(?:吧|谢谢)?\W*"
    r"|\W*(?:please,? |can i |i want to |i need to |let me )?"
    r"(?:talk|speak|chat) (?:to|with) (?:a |an )?(?:real |live )?(?:human|person|agent)"
    r"(?:,? please)?\W*",
    re.IGNORECASE,
)


@dataclass(slots=True)
class Desk:
    """``names`` gives what somebody is called. ``clock``: seconds since the epoch."""

    service: DeskService
    clock: Callable[[], float]
    replies: tuple[Canned, ...] = ()
    knowledge: KnowledgeSource | None = None
    names: Callable[[str, Language], str] = lambda user, language: user

    # --- for the tools and the assistant, who know it as Protocols in core ------------------------

    async def file(self, request: TicketRequest) -> FiledTicket:
        """Orders are attached that the turn's results or a look-up by the same person confirm."""
        said = (request.title, *request.heard)
        new = NewTicket(
            request.title,
            priority="" if request.priority == "normal" else request.priority,
            thread=request.thread,
            key=request.key,
            orders=self._orders("\n".join(said)),
            verified=self._confirmed(request),
        )
        view = await self.service.open(request.principal, new, self.clock())
        return FiledTicket(view.card.id, view.card.title, request.priority)

    async def held(self, principal: Principal, thread: str, text: str, language: Language) -> str:
        """Implements ``core.desk.ThreadHolder``; a customer who wants a person gets one."""
        if not self.service.serves(principal):
            return ""
        id = await self.service.held(principal, thread, text, self.clock())
        if id:
            return WITH_PERSON(language).format(id=id)
        if wants_person(text):
            view = await self.service.hand_over(principal, thread, text, self.clock())
            return HANDED_OVER(language).format(id=view.card.id)
        return ""

    # --- for people -----------------------------------------------------------------------------

    async def canned(self, principal: Principal, id: str, name: str) -> str:
        """A canned reply's text for this ticket, in the customer's language. Raises ``NotFound`` and
        ``CallerError``, and ``AccessError`` for customers."""
        self.service.check_staff(principal)
        view = await self.service.view(principal, id, self.clock())
        language = language_of(_last_said(view), view.card.title)
        return filled(
            by_name(self.replies, name), self._values(principal, view, language), language
        )

    def local(self, at: float) -> datetime:
        """The time on the desk's clocks."""
        return datetime.fromtimestamp(at, ZoneInfo(self.service.rules.clocking.calendar.zone))

    def offered(self, view: View) -> list[Canned]:
        """Canned replies that suit the ticket's category."""
        return [c for c in self.replies if c.suits(view.ticket.category)]

    async def suggest(self, principal: Principal, id: str) -> Suggestion:
        """Raises ``NotFound``, and ``AccessError`` for customers. Nothing is sent."""
        self.service.check_staff(principal)
        view = await self.service.view(principal, id, self.clock())
        said = _said(view)
        language = language_of(_last_said(view), view.card.title)
        asking = Asking(
            principal,
            self.service.parts.people(view.card.user, view.card.channel, view.card.tenant),
            view.ticket,
            said[0] if said else view.card.title,
            tuple(said[1:]),
            language,
            self._values(principal, view, language),
        )
        parts, check = self.service.parts, self.service.rules.orders
        found = await suggest(asking, check, parts.look, self.knowledge, self.replies)
        if self.service.learner is not None:
            card = view.card
            self.service.learner.drafted(
                Drafted(principal, card.id, card.user, card.thread, asking.question, found.text)
            )
        return found

    async def statistics(self, principal: Principal, since: float) -> Statistics:
        """Raises ``AccessError`` for all but supervisors."""
        self.service.check_supervisor(principal)
        now = self.clock()
        filed = await self.service.store.all(principal.tenant, 0.0)
        return statistics_of(filed, since, now, self.service.rules.clocking)

    def _values(self, principal: Principal, view: View, language: Language) -> Mapping[str, str]:
        names = {
            "customer": self.names(view.card.user, language),
            "agent": self.names(principal.user, language),
        }
        return values_of(view.card, view.ticket, names, language)

    def _orders(self, said: str) -> tuple[str, ...]:
        check = self.service.rules.orders
        tool = self.service.parts.tools.get(check.tool) if check else None
        parameter = tool.parameter(check.parameter) if tool and check else None
        if parameter is None or parameter.pattern is None:
            return ()
        return tuple(find_ids(parameter.pattern, said, ("订单", "order")))

    def _confirmed(self, request: TicketRequest) -> tuple[str, ...]:
        check = self.service.rules.orders
        if check is None:
            return ()
        found = [
            str(e["arguments"][check.parameter])
            for e in request.evidence
            if e.get("name") == check.tool and check.parameter in e.get("arguments", {})
        ]
        return tuple(dict.fromkeys(found))


def wants_person(text: str) -> bool:
    """Is it nothing but the wish for a person? What says so in plain words needs no model."""
    if len(text) > LONGEST_REQUEST:
        return False
    if _PERSON.fullmatch(text) is not None:
        return True
    intent = recogniser().recognise(text)
    return intent.name == "human" and intent.sure >= SURE_OF_PERSON


def _said(view: View) -> list[str]:
    """What the customer said, latest first."""
    spoken = [s.message.content for s in view.conversation if s.message.role == "user"]
    written = [e.text for e in view.events if e.act in ("create", "customer_wrote") and e.text]
    return [*reversed(spoken)] or [*reversed(written)]


def _last_said(view: View) -> str:
    said = _said(view)
    return said[0] if said else ""
