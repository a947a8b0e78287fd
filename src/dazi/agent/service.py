"""The assistant as every channel sees it: ask in a thread, decide a confirmation."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, nullcontext
from dataclasses import replace
from datetime import date

from dazi.access.limits.limiter import Limiter
from dazi.agent.again import needs_results
from dazi.agent.approved import ApprovedAnswers
from dazi.agent.asking import Ask, taken
from dazi.agent.context import TurnRequest, last_said
from dazi.agent.direct import DirectCall, call
from dazi.agent.one_at_a_time import OneAtATime
from dazi.agent.pictures import Pictures
from dazi.agent.remembering import Remembering
from dazi.agent.turn import Agent
from dazi.agent.without_model import WithoutModel
from dazi.core.desk import ThreadHolder
from dazi.core.engine import Usage
from dazi.core.errors import CallerError, DaziError, NotFound
from dazi.core.language import Language, Text, language_of
from dazi.core.learning import Right, TurnedDown
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
from dazi.memory.recall import Recalled
from dazi.memory.threads import Kept, ThreadStore
from dazi.router.approval import Ticket, may_decide
from dazi.router.tickets import TicketStore

log = logging.getLogger("dazi.agent")

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
        self._without_model = WithoutModel(self.remembering.facts)
        self._turn_tokens = turn_tokens
        self.under_way = 0
        """Turns that are being answered, by whatever way they came."""
        self.mean_tokens = 0.0
        """About, of a turn's model requests together."""
        self.recall: Callable[[str], Awaitable[None]] = _nobody
        """Has ``people`` know somebody without an account; wired where sites have visitors."""
        self._alone = OneAtATime()

    @property
    def holder(self) -> ThreadHolder | None:
        """Tells which conversations a person has; wired where there is a service desk."""
        return self._without_model.holder

    @holder.setter
    def holder(self, holder: ThreadHolder | None) -> None:
        self._without_model.holder = holder

    @property
    def approved(self) -> ApprovedAnswers:
        return self._without_model.approved

    @approved.setter
    def approved(self, approved: ApprovedAnswers) -> None:
        self._without_model.approved = approved

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
        used, cost = most, None  # what broke off in the middle counts as it was reserved
        began = False
        self.under_way += 1
        try:
            async with aclosing(self._answered(ask)) as events:
                async for event in events:
                    if isinstance(event, TurnFinished):
                        used, cost = event.usage, event.cost
                        self._noted_tokens(used)
                    began = began or not isinstance(event, TurnStarted)
                    yield event
        except DaziError:
            if not began:  # a model that fails before it says anything has used nothing
                used = Usage()
            raise
        finally:
            self.under_way -= 1
            await admission.settle(used, cost)

    def _noted_tokens(self, used: Usage) -> None:
        tokens = used.prompt + used.completion
        self.mean_tokens += (tokens - self.mean_tokens) * (0.05 if self.mean_tokens else 1.0)

    async def _answered(self, ask: Ask) -> AsyncGenerator[TurnEvent, None]:
        # A caller's own history is nothing that two answers could both write to.
        alone = (
            self._alone.taken(ask.principal, ask.thread) if ask.history is None else nullcontext()
        )
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
            plain = self._without_model
            noted = await plain.held(ask, self.agent.variants) or await plain.noted(ask)
            approved = None if noted or ask.images else plain.suits(ask, ask.today or self._today())
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
        right: Right | None = None,
    ) -> AsyncGenerator[TurnEvent, None]:
        """Confirm or reject, and go on with the turn that waited for it. ``right``: of a rejection, what
        would have been.

        Where another's request is decided, that turn goes on in their thread, and only the call's
        outcome is told here.
        """
        waiting = await self.tickets.get(ticket)
        if right is not None and right.arguments is not None:
            may_decide(waiting, principal, approve)
            self._check_right(waiting.tool, right.arguments)
        if waiting.user != principal.user or waiting.asked.tenant != principal.tenant:
            decided = await self.tickets.decide(ticket, principal, approve, reason)
            self._tell(principal, decided, right)
            async with aclosing(self._for_another(decided, language)) as events:
                async for event in events:
                    yield event
            return
        with self._alone.taken(principal, waiting.thread):
            decided = await self.tickets.decide(ticket, principal, approve, reason)
            self._tell(principal, decided, right)
            async with aclosing(self._resume(principal, decided, language, today)) as events:
                async for event in events:
                    yield event

    def _check_right(self, name: str, arguments: Mapping[str, object]) -> None:
        """Raises ``CallerError`` for arguments that the tool does not have."""
        tool = self.agent.company.tools.get(name)
        if tool is not None and any(tool.parameter(n) is None for n in arguments):
            known = ", ".join(p.name for p in tool.parameters)
            raise CallerError(
                "arguments",
                f"{name} 的参数只有:{known}",
                f"{name} has the parameters {known} only",
            )

    def _tell(self, by: Principal, decided: Ticket, right: Right | None) -> None:
        """Whoever learns from it, of a rejection."""
        learner = self.agent.learner
        if learner is None or decided.state != "rejected":
            return
        learner.turned_down(
            TurnedDown(
                by,
                decided.user,
                decided.thread,
                decided.turn,
                decided.call,
                decided.tool,
                decided.arguments,
                decided.reason,
                right.arguments if right else None,
                right.consent if right else False,
            )
        )

    async def delete_thread(self, principal: Principal, thread: str) -> None:
        """Delete what was said in it; the ledger keeps its own record. Raises ``NotFound`` for
        none of the principal's, and ``CallerError`` while it is being answered in."""
        with self._alone.taken(principal, thread):
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
        async with self._alone.when_free(requester, ticket.thread):
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
            texts, ids = tuple(f.text for f in facts), tuple(f.id for f in facts)
            return Recalled(ask.history, facts=texts, fact_ids=ids)
        return await self.remembering.recalled(ask.thread, ask.principal)

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


async def _nobody(user: str) -> None:
    return None


def _said(kept: Sequence[Kept]) -> list[str]:
    """The person's messages, latest first."""
    return [k.message.content for k in reversed(kept) if k.message.role == "user"]
