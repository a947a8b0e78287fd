"""The assistant as every channel sees it: ask in a thread, decide a confirmation."""

from __future__ import annotations

import re
import secrets
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import date

from dazi.agent.context import TurnRequest, last_said
from dazi.agent.turn import Agent
from dazi.core.engine import OfferedTool, Sampling, ToolChoice
from dazi.core.errors import CallerError
from dazi.core.language import Language, language_of
from dazi.core.principal import Principal
from dazi.core.turn import ConfirmationNeeded, TurnEvent
from dazi.memory.threads import Kept, ThreadStore
from dazi.router.intents import Ticket, TicketStore

_YES = re.compile(
    r"\s*(确认|确定|同意|是的?,?确认|confirm(ed)?|yes,? confirm)\s*[。.!!]?\s*", re.IGNORECASE
)
_NO = re.compile(r"\s*(取消|不同意|算了|cancel|reject)\s*[。.!!]?\s*", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Ask:
    """What somebody asks. ``history`` replaces the kept thread when a caller brings its own;
    ``tool_results`` are what the caller's own tools gave, in a kept thread; ``today`` is the day it
    is asked on, without one the service's."""

    principal: Principal
    thread: str
    text: str
    language: Language | None = None
    history: tuple[Kept, ...] | None = None
    instructions: str = ""
    client_tools: tuple[OfferedTool, ...] = ()
    tool_choice: ToolChoice = "auto"
    sampling: Sampling | None = None
    thinking: bool = False
    today: date | None = None
    own_tools: bool = True
    tool_results: tuple[Kept, ...] = ()


class AssistantService:
    """One turn at a time in a thread; many threads at once.

    ``today`` is asked at each turn, so that a process that runs for weeks knows the date.
    """

    def __init__(
        self,
        agent: Agent,
        threads: ThreadStore,
        tickets: TicketStore,
        today: Callable[[], date],
        max_message_chars: int = 100_000,
    ) -> None:
        self.agent = agent
        self.threads = threads
        self.tickets = tickets
        self._today = today
        self._max_message_chars = max_message_chars
        self._busy: set[tuple[str, str, str]] = set()

    async def ask(self, ask: Ask) -> AsyncGenerator[TurnEvent, None]:
        """Events of the turn that answers ``ask``. Raises ``CallerError`` for an empty or too long
        message and while another answer is being made in the same thread."""
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
        # A caller's own history is nothing that two answers could both write to.
        alone = self._turn_in(ask.principal, ask.thread) if ask.history is None else nullcontext()
        with alone:
            waiting = await self._decided_in_words(ask)
            if waiting is not None:
                ticket, approve = waiting
                decided = await self._decide(ask.principal, ticket.id, approve)
                resumed = self._resume(ask.principal, decided, ask.language, ask.today)
                async with aclosing(resumed) as events:
                    async for event in events:
                        yield event
                return
            kept = [*await self._history(ask), *ask.tool_results]
            request = TurnRequest(
                ask.principal,
                ask.thread,
                f"turn_{secrets.token_hex(10)}",
                ask.text,
                ask.language or language_of(ask.text, *_said(kept)),
                ask.today or self._today(),
                tuple(kept),
                ask.instructions,
                ask.client_tools,
                ask.tool_choice,
                ask.sampling,
                ask.thinking,
                ask.own_tools,
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
    ) -> AsyncGenerator[TurnEvent, None]:
        """Confirm or reject, and go on with the turn that waited for it."""
        waiting = await self.pending(principal)
        thread = next((t.thread for t in waiting if t.id == ticket), ticket)
        with self._turn_in(principal, thread):
            decided = await self._decide(principal, ticket, approve)
            async with aclosing(self._resume(principal, decided, language, today)) as events:
                async for event in events:
                    yield event

    async def pending(self, principal: Principal, thread: str | None = None) -> list[Ticket]:
        return await self.tickets.pending(principal.user, principal.tenant, thread)

    async def _decide(self, principal: Principal, ticket: str, approve: bool) -> Ticket:
        return await self.tickets.decide(ticket, principal.user, principal.tenant, approve)

    async def _resume(
        self,
        principal: Principal,
        ticket: Ticket,
        language: Language | None,
        today: date | None,
    ) -> AsyncGenerator[TurnEvent, None]:
        kept = await self.threads.load(ticket.thread, principal)
        request = TurnRequest(
            principal,
            ticket.thread,
            ticket.turn,
            "",
            language or language_of(*(_said(kept) or ("",))),
            today or self._today(),
            tuple(kept),
        )
        added: list[Kept] = []
        try:
            async with aclosing(self.agent.resume(request, ticket, added)) as events:
                async for event in events:
                    yield event
        finally:
            await self.threads.append(ticket.thread, principal, added)

    async def _history(self, ask: Ask) -> list[Kept]:
        if ask.history is not None:
            return list(ask.history)
        return await self.threads.load(ask.thread, ask.principal)

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

    @contextmanager
    def _turn_in(self, principal: Principal, thread: str) -> Iterator[None]:
        key = (principal.tenant, principal.user, thread)
        if key in self._busy:
            raise CallerError(
                "thread_busy",
                "这个会话里上一条还没答完,请等它结束再发",
                "the last message of this thread is still being answered; wait for it to finish",
            )
        self._busy.add(key)
        try:
            yield
        finally:
            self._busy.discard(key)


def _said(kept: Sequence[Kept]) -> list[str]:
    """The person's messages, latest first."""
    return [k.message.content for k in reversed(kept) if k.message.role == "user"]
