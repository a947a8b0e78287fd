"""The assistant as every channel sees it: ask in a thread, decide a confirmation."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext
from dataclasses import replace
from datetime import date

from dazi.access.limits.limiter import Limiter
from dazi.agent.again import needs_results
from dazi.agent.approved import Approved, ApprovedAnswers
from dazi.agent.asking import Ask, taken
from dazi.agent.context import TurnRequest, last_said
from dazi.agent.direct import DirectCall, call
from dazi.agent.pictures import Pictures
from dazi.agent.remembering import Remembering
from dazi.agent.turn import Agent
from dazi.core.desk import ThreadHolder
from dazi.core.engine import Usage
from dazi.core.errors import CallerError, DaziError, NotFound
from dazi.core.language import Language, Text, language_of
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.core.tools import Tool
from dazi.core.turn import (
    CallFinished,
    CallRecord,
    ConfirmationNeeded,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from dazi.memory.facts import asked_to_remember
from dazi.memory.recall import Recalled
from dazi.memory.threads import Kept, ThreadStore
from dazi.router.approval import Ticket
from dazi.router.tickets import TicketStore

log = logging.getLogger("dazi.agent")

NOTED = Text("记住了:{fact}", "Noted: {fact}")
CARRIED_OUT = Text("已批准,并已执行。", "Approved, and done.")

_YES = re.compile(
    r"\s*(确认|确定|同意|是的?,?确认|confirm(ed)?|yes,? confirm)\s*[。.!!]?\s*", re.IGNORECASE
)
_NO = re.compile(r"\s*(取消|不同意|算了|cancel|reject)\s*[。.!!]?\s*", re.IGNORECASE)


class AssistantService:
    """One turn at a time in a thread; many threads at once.

    ``today`` is asked at each turn, so that a process that runs for weeks knows the date.
    ``people`` gives somebody who is not here, by name and channel, with the rights of this moment.
    """

    def __init__(
        self,
        agent: Agent,
        threads: ThreadStore,
        tickets: TicketStore,
        today: Callable[[], date],
        people: Callable[[str, str], Principal],
        max_message_chars: int = 100_000,
        limiter: Limiter | None = None,
        turn_tokens: int = 4_000,
    ) -> None:
        """``turn_tokens``: what a turn is thought to use at the most, until it is known."""
        self.agent = agent
        self.threads = threads
        self.tickets = tickets
        self._today = today
        self._people = people
        self._max_message_chars = max_message_chars
        self.limiter = limiter or Limiter()
        self.remembering = Remembering(agent, threads, self.limiter)
        self.pictures = Pictures(agent.engine, agent.guard)
        self.approved = ApprovedAnswers()
        self._turn_tokens = turn_tokens
        self.under_way = 0
        """Turns that are being answered, by whatever way they came."""
        self.mean_tokens = 0.0
        """About, of a turn's model requests together."""
        self.holder: ThreadHolder | None = None
        """Tells which conversations a person has; wired where there is a service desk."""
        self.recall: Callable[[str], Awaitable[None]] = _nobody
        """Has ``people`` know somebody without an account; wired where sites have visitors."""
        self._busy: dict[tuple[str, str, str], asyncio.Event] = {}

    def today(self) -> date:
        return self._today()

    def tools_for(self, principal: Principal) -> list[Tool]:
        """What the policies let this person use, at least for some arguments."""
        policy = self.agent.router.policy
        return [
            t for t in self.agent.company.tools.values() if policy.possible(principal, t).allowed
        ]

    async def call(
        self,
        principal: Principal,
        name: str,
        arguments: str,
        language: Language,
        *,
        only: frozenset[str] = frozenset(),
        turn: str = "",
    ) -> CallRecord:
        """One call by a program that acts for ``principal``; ``arguments`` is JSON text. ``only``:
        as in ``Ask``; ``turn``: as in ``DirectCall``."""
        tools = tuple(
            t
            for t in self.tools_for(principal)
            if not needs_results(t) and (not only or t.name in only)
        )
        asked = DirectCall(principal, name, arguments, language, tools, turn)
        admission = await self.limiter.admit(principal, "", Usage())
        try:
            return await call(self.agent.router, self.agent.ledger, asked, self._today())
        finally:
            await admission.settle(Usage())

    async def ask(self, ask: Ask) -> AsyncGenerator[TurnEvent, None]:
        """Events of the turn that answers ``ask``. Raises ``CallerError`` for an empty or too long
        message and while another answer is being made in the same thread, and ``OverloadError`` where a limit
        is reached."""
        if not ask.text.strip() and ask.history is None and not ask.tool_results:
            raise CallerError(
                "empty", "消息是空的,请输入内容", "the message is empty; write something"
            )
        if len(ask.text) > self._max_message_chars:
            raise CallerError(
                "message_too_long",
                f"消息有 {len(ask.text)} 个字符,上限是 {self._max_message_chars};请缩短或分段发送",
                f"the message has {len(ask.text)} characters, the limit is "
                f"{self._max_message_chars}; shorten or split it",
            )
        ask = replace(ask, text=taken(self.agent.guard, ask.text, ask.principal))
        most = Usage(self._turn_tokens)
        model = self.agent.engine.profile.name
        admission = await self.limiter.admit(ask.principal, model, most, ask.key)
        used = most  # what broke off in the middle counts as it was reserved
        began = False
        self.under_way += 1
        try:
            async with aclosing(self._answered(ask)) as events:
                async for event in events:
                    if isinstance(event, TurnFinished):
                        used = event.usage
                        self._noted_tokens(used)
                    began = began or not isinstance(event, TurnStarted)
                    yield event
        except DaziError:
            if not began:  # a model that fails before it says anything has used nothing
                used = Usage()
            raise
        finally:
            self.under_way -= 1
            await admission.settle(used)

    def _noted_tokens(self, used: Usage) -> None:
        tokens = used.prompt + used.completion
        self.mean_tokens += (tokens - self.mean_tokens) * (0.05 if self.mean_tokens else 1.0)

    async def _answered(self, ask: Ask) -> AsyncGenerator[TurnEvent, None]:
        # A caller's own history is nothing that two answers could both write to.
        alone = self._turn_in(ask.principal, ask.thread) if ask.history is None else nullcontext()
        with alone:
            waiting = await self._decided_in_words(ask)
            if waiting is not None:
                ticket, approve = waiting
                decided = await self.tickets.decide(ticket.id, ask.principal, approve)
                resumed = self._resume(ask.principal, decided, ask.language, ask.today)
                async with aclosing(resumed) as events:
                    async for event in events:
                        yield event
                return
            recalled = await self._recalled(ask)
            noted = await self._held(ask) or await self._noted(ask)
            approved = None if noted or ask.images else self._approved(ask)
            told = await self.pictures.taken(recalled.history, ask.principal)
            shown = Kept(Message("user", ask.text, images=ask.images))
            spoken, *read = await self.pictures.taken([shown], ask.principal)
            kept = [*told, *ask.tool_results]
            language = ask.language or language_of(ask.text, *_said(kept))
            request = TurnRequest(
                ask.principal,
                ask.thread,
                ask.turn or f"turn_{secrets.token_hex(10)}",
                ask.text,
                language,
                ask.today or self._today(),
                tuple(kept),
                ask.instructions,
                ask.client_tools,
                ask.tool_choice,
                ask.sampling,
                ask.thinking,
                ask.own_tools,
                told=ask.history is not None,
                only=ask.only,
                origin=ask.origin,
                recalled=recalled,
                show_context=ask.show_context,
                reply=noted or (approved.answer(language) if approved else ""),
                approved=approved.name if approved else "",
                images=spoken.message.images,
                read=tuple(read),
            )
            added = list(ask.tool_results)
            waits = False
            try:
                async with aclosing(self.agent.run(request, added)) as events:
                    async for event in events:
                        waits = waits or isinstance(event, ConfirmationNeeded)
                        yield event
            finally:
                if ask.history is None:
                    await self.threads.append(ask.thread, ask.principal, added)
                    self.remembering.after(request)
                elif waits:
                    # Going on after the confirmation takes the conversation that led to it.
                    await self.threads.replace(ask.thread, ask.principal, [*kept, *added])

    async def decide(
        self,
        principal: Principal,
        ticket: str,
        approve: bool,
        language: Language | None = None,
        today: date | None = None,
        *,
        reason: str = "",
    ) -> AsyncGenerator[TurnEvent, None]:
        """Confirm or reject, and go on with the turn that waited for it.

        Where another's request is decided, that turn goes on in their thread, and only the call's
        outcome is told here.
        """
        waiting = await self.tickets.get(ticket)
        if waiting.user != principal.user or waiting.asked.tenant != principal.tenant:
            decided = await self.tickets.decide(ticket, principal, approve, reason)
            async with aclosing(self._for_another(decided, language)) as events:
                async for event in events:
                    yield event
            return
        with self._turn_in(principal, waiting.thread):
            decided = await self.tickets.decide(ticket, principal, approve, reason)
            async with aclosing(self._resume(principal, decided, language, today)) as events:
                async for event in events:
                    yield event

    async def delete_thread(self, principal: Principal, thread: str) -> None:
        """Delete what was said in it; the ledger keeps its own record. Raises ``NotFound`` for
        none of the principal's, and ``CallerError`` while it is being answered in."""
        with self._turn_in(principal, thread):
            await self.threads.delete(thread, principal)

    async def pending(self, principal: Principal, thread: str | None = None) -> list[Ticket]:
        """The principal's own requests that wait for their own word."""
        own = await self.tickets.pending(principal, thread)
        return [t for t in own if not t.approver]

    async def submitted(self, principal: Principal, thread: str | None = None) -> list[Ticket]:
        """The principal's own requests that wait for somebody else."""
        own = await self.tickets.pending(principal, thread)
        return [t for t in own if t.approver]

    async def approvals(self, principal: Principal) -> list[Ticket]:
        """Others' requests that the principal may decide."""
        return await self.tickets.pending(principal, own=False)

    async def ticket_state(self, principal: Principal, ticket: str) -> dict[str, str]:
        """What became of a request of the principal's own: ``state``, and once it was carried out
        ``outcome``. Raises ``NotFound``."""
        found = await self.tickets.get(ticket)
        if found.user != principal.user or found.asked.tenant != principal.tenant:
            raise NotFound("ticket", "没有这个待确认的操作", "no such confirmation")
        out = {"state": found.state, "reason": found.reason}
        if found.state == "approved":
            out["outcome"] = await self.agent.router.outcome_of(found)
        return {k: v for k, v in out.items() if v}

    async def take_up(self) -> int:
        """Carry out what was decided and then broken off, by a stop of the process for instance.

        The number of tickets that were carried to their end.
        """
        done = 0
        for ticket in await self.tickets.take_up():
            try:
                async with aclosing(self._for_another(ticket)) as events:
                    async for _ in events:
                        pass
                done += 1
            except Exception:
                log.exception("the decided request %s could not be carried out", ticket.id)
        return done

    async def keep_taking_up(self, every_s: float = 15.0) -> None:
        """``take_up`` now and then, until cancelled."""
        while True:
            await self.take_up()
            await asyncio.sleep(every_s)

    async def _for_another(
        self, ticket: Ticket, language: Language | None = None
    ) -> AsyncGenerator[TurnEvent, None]:
        """Go on in the requester's thread, as the requester; tell only what became of the call."""
        asked = ticket.asked
        await self.recall(asked.user)
        requester = self._people(asked.user, asked.channel)
        async with self._turn_when_free(requester, ticket.thread):
            yield TurnStarted(ticket.turn, "")
            record: CallRecord | None = None
            usage, ms = Usage(), 0.0
            async with aclosing(self._resume(requester, ticket, None, None)) as events:
                async for event in events:
                    if isinstance(event, CallFinished) and event.record.ticket == ticket.id:
                        record = replace(event.record, result=None)
                        yield CallFinished(record)
                    elif isinstance(event, TurnFinished):
                        usage, ms = event.usage, event.ms
        if record is not None:
            said = record.message or CARRIED_OUT(language or "zh")
            yield TurnFinished(said, (record,), usage, ms)

    async def _resume(
        self,
        principal: Principal,
        ticket: Ticket,
        language: Language | None,
        today: date | None,
    ) -> AsyncGenerator[TurnEvent, None]:
        recalled = await self.remembering.recalled(ticket.thread, principal)
        kept = recalled.history
        request = TurnRequest(
            principal,
            ticket.thread,
            ticket.turn,
            "",
            language or language_of(*(_said(kept) or ("",))),
            today or self._today(),
            kept,
            recalled=recalled,
        )
        added: list[Kept] = []
        acted = False
        try:
            async with aclosing(self.agent.resume(request, ticket, added)) as events:
                async for event in events:
                    acted = acted or isinstance(event, CallFinished)
                    yield event
        finally:
            # What broke off before its outcome was known is taken up again, from the beginning.
            if acted:
                await self.threads.append(ticket.thread, principal, added)
                await self.tickets.finish(ticket.id)
                self.remembering.after(request)

    async def _recalled(self, ask: Ask) -> Recalled:
        """What a caller brings along is word for word as far as it fits."""
        if ask.history is not None:
            facts = await self.remembering.facts.confirmed(ask.principal)
            return Recalled(ask.history, facts=tuple(f.text for f in facts))
        return await self.remembering.recalled(ask.thread, ask.principal)

    async def _held(self, ask: Ask) -> str:
        """What to answer while a person has this conversation; they are given what was said."""
        if self.holder is None or ask.history is not None or not ask.text:
            return ""
        language = ask.language or language_of(ask.text)
        said = await self.holder.held(ask.principal, ask.thread, ask.text, language)
        if said and self.agent.variants is not None:
            self.agent.variants.handed_over(ask.principal, ask.thread)
        return said

    async def _noted(self, ask: Ask) -> str:
        """Keep what the person asks to have remembered; what to answer if that is all they say."""
        wanted = asked_to_remember(ask.text)
        if wanted is None:
            return ""
        language = ask.language or language_of(ask.text)
        try:
            fact = await self.remembering.facts.keep(ask.principal, wanted.text, ask.thread)
        except CallerError as e:
            return e.message(language)
        return NOTED(language).format(fact=fact.text) if wanted.alone else ""

    def _approved(self, ask: Ask) -> Approved | None:
        """An answer that somebody approved before, unless the caller wants something of the model."""
        if ask.tool_choice == "required" or not ask.text:
            return None
        return self.approved.find(ask.text, ask.principal.roles, ask.today or self._today())

    async def _decided_in_words(self, ask: Ask) -> tuple[Ticket, bool] | None:
        """「确认」 typed where exactly one confirmation waits in this thread decides it.

        Where the caller brings the history, it must be the one that the confirmation arose in.
        """
        approve = _YES.fullmatch(ask.text) is not None
        if not approve and _NO.fullmatch(ask.text) is None:
            return None
        waiting = await self.pending(ask.principal, ask.thread)
        if len(waiting) != 1:
            return None
        if ask.history is not None:
            kept = await self.threads.load(ask.thread, ask.principal)
            if last_said(kept) != last_said(ask.history):
                return None
        return waiting[0], approve

    @asynccontextmanager
    async def _turn_when_free(self, principal: Principal, thread: str) -> AsyncGenerator[None]:
        """As ``_turn_in``, after waiting for the answer that is being made there."""
        key = (principal.tenant, principal.user, thread)
        while (busy := self._busy.get(key)) is not None:
            await busy.wait()
        with self._turn_in(principal, thread):
            yield

    @contextmanager
    def _turn_in(self, principal: Principal, thread: str) -> Iterator[None]:
        key = (principal.tenant, principal.user, thread)
        if key in self._busy:
            raise CallerError(
                "thread_busy",
                "这个会话里上一条还没答完,请等它结束再发",
                "the last message of this thread is still being answered; wait for it to finish",
            )
        self._busy[key] = asyncio.Event()
        try:
            yield
        finally:
            self._busy.pop(key).set()


async def _nobody(user: str) -> None:
    return None


def _said(kept: Sequence[Kept]) -> list[str]:
    """The person's messages, latest first."""
    return [k.message.content for k in reversed(kept) if k.message.role == "user"]
