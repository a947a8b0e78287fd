"""What a message is answered with: a turn of the assistant, a decision, or a plain word."""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncGenerator, Awaitable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from dazi.access.recording import Record
from dazi.agent.asking import Ask
from dazi.core.errors import CallerError, DaziError, OperatorError, OverloadError
from dazi.core.language import Language, Text, language_of
from dazi.core.messages import Image
from dazi.core.principal import Principal
from dazi.core.turn import ConfirmationNeeded, TurnEvent, TurnFinished
from dazi.gateway.channels import texts
from dazi.gateway.channels.inbox import Held
from dazi.gateway.channels.protocol import Channel, Click, Incoming, Part, Uncertain, Undelivered
from dazi.gateway.channels.rendering import asking, attached, card_of, words
from dazi.gateway.errors import BadField

if TYPE_CHECKING:
    from dazi.agent.service import AssistantService
    from dazi.gateway.channels.bindings import Bindings
    from dazi.gateway.channels.identities import Identities

T = TypeVar("T")
BUSY_S = 1.0
TRIES, TRIED_S = 5, 3600.0
LASTS = 3
"""An outage that is there at so many tries is told."""
_BIND = re.compile(r"\s*(?:绑定|bind)\s*[::]?\s*([A-Za-z0-9]{4,20})\s*", re.IGNORECASE)
_NEW = re.compile(r"\s*(?:/new|新会话|新对话|new conversation)\s*[。.!!]?\s*", re.IGNORECASE)
_DECIDES = re.compile(
    r"\s*(确认|批准|取消|驳回|Confirm|Approve|Cancel|Reject) ([A-Za-z0-9_-]{24})\s*"
)
_YES = frozenset({"确认", "批准", "Confirm", "Approve"})
_LATER = frozenset({"thread_busy"})

log = logging.getLogger("dazi.channels")


class Postponed(Exception):
    """Not now, but in so many seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


def spoken(text: str) -> Language:
    """The language to answer in; a command such as /new has none."""
    return language_of(text) if text.strip() and not text.startswith("/") else "zh"


def binds(text: str) -> bool:
    return _BIND.fullmatch(text) is not None


@dataclass(slots=True)
class Answering:
    """For one channel. ``record``: what puts bindings into the ledger; ``address``: where people sign in,
    empty where that is not known."""

    channel: Channel
    service: AssistantService
    identities: Identities
    bindings: Bindings
    record: Record
    address: str = ""
    _tried: dict[str, list[float]] = field(default_factory=dict)

    async def parts(self, held: Held, now: float) -> list[Part]:
        """Raises ``Postponed``, ``DaziError`` for what no words are for, and whatever goes wrong."""
        message = held.message
        language = spoken(message.text)
        if message.group:
            return self._say(texts.PRIVATELY(language))
        if (code := _BIND.fullmatch(message.text)) is not None:
            return self._say(await self._bind(held, code[1], language, now))
        who = await self._of_vendor(self.identities.find(message.sender, ask=True))
        if who is None:
            return self._say(self.how_to_bind(language))
        if not self.identities.allowed(who):
            return self._say(texts.NOT_FOR_YOU(language))
        if message.kind == "other":
            return self._say(texts.OTHER(language))
        if _NEW.fullmatch(message.text):
            await self.bindings.new_thread(who)
            return self._say(texts.NEW_THREAD(language))
        click = message.click or _clicked(message.text)
        if click is not None:
            return await self._decided(held, who, click)
        return await self._asked(held, who, language)

    def how_to_bind(self, language: Language) -> str:
        """What somebody hears whom nobody knows, and nothing else."""
        if not self.identities.section.binding:
            how = texts.BIND_BY_ADMIN(language)
        else:
            where = texts.AT(language).format(url=self.address) if self.address else ""
            how = texts.BIND_BY_CODE(language).format(where=where)
        return texts.BIND(language).format(how=how)

    def _say(self, text: str) -> list[Part]:
        return list(words(self.channel, text))

    async def _of_vendor(self, asked: Awaitable[T]) -> T:
        """Raises ``Postponed``."""
        try:
            return await asked
        except Undelivered as e:
            why, wait = e.code, e.retry_after or 30.0
        except Uncertain as e:
            why, wait = e.code, 5.0
        log.warning("%s cannot be asked who somebody is: %s", self.channel.name, why)
        raise Postponed(wait)

    async def _bind(self, held: Held, code: str, language: Language, now: float) -> str:
        if not self.identities.section.binding:
            return self.how_to_bind(language)
        sender = held.message.sender
        if known := await self._of_vendor(self.identities.declared(sender, ask=True)):
            return texts.KNOWN(language).format(user=known)
        tried = [at for at in self._tried.get(held.person, ()) if at > now - TRIED_S]
        if len(tried) >= TRIES:
            return texts.TRIED_TOO_OFTEN(language)
        user = await self._redeemed(sender, code)
        if not user:
            if held.attempts > 1:  # an earlier try may have come as far
                who = await self.identities.find(sender)
                if who is not None:
                    return texts.BOUND(language).format(user=who.user)
            self._tried[held.person] = [*tried, now]
            return texts.BAD_CODE(language)
        self._tried.pop(held.person, None)
        return texts.BOUND(language).format(user=user)

    async def _redeemed(self, sender: str, code: str) -> str:
        """Whom the sender is from now on, which is on record before it is so."""
        user = await self.bindings.owner(code)
        if not user:
            return ""
        body = {"act": "channel.bound", "of": user, "channel": self.channel.name}
        await self.record("admin", user, body)
        return await self.bindings.redeem(self.channel.name, sender, code)

    # --- a turn ------------------------------------------------------------------------------------

    async def _asked(self, held: Held, who: Principal, language: Language) -> list[Part]:
        message = held.message
        thread = await self.bindings.thread(who)
        if held.attempts > 1:
            made = await self._made_before(held, who, thread, language)
            if made:
                return made
        images: tuple[Image, ...] = ()
        if message.pictures:
            if not self.service.pictures.able:
                return self._say(texts.NO_EYES(language))
            found = await self._pictures(message)
            if found is None:
                return self._say(texts.NO_PICTURE(language))
            images = found
        text = message.text if message.text.strip() or not images else texts.PICTURE(language)
        if not text.strip():
            return self._say(texts.OTHER(language))
        origin = {"channel": self.channel.name, "message": held.id}
        ask = Ask(who, thread, text, images=images, turn=held.turn, origin=origin)
        try:
            return await self._told(self.service.ask(ask), language)
        except OperatorError as e:
            if held.attempts < LASTS:
                raise
            return self._say(e.message(language))

    async def _pictures(self, message: Incoming) -> tuple[Image, ...] | None:
        try:
            return tuple([await self.channel.picture(name) for name in message.pictures])
        except Undelivered as e:
            if e.retry_after is not None:
                raise Postponed(e.retry_after) from None
            log.warning("a picture could not be taken: %s", e.code)
        except Uncertain:
            raise Postponed(5.0) from None
        except BadField as e:
            log.warning("a picture could not be taken: %s", e.code)
        return None

    async def _told(
        self, events: AsyncGenerator[TurnEvent, None], language: Language
    ) -> list[Part]:
        """The answer, and a card for each thing that this person must confirm. Raises ``Postponed``, and
        ``OperatorError`` for what may be over soon."""
        waiting: list[str] = []
        finished: TurnFinished | None = None
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, ConfirmationNeeded) and not event.approver:
                        waiting.append(event.ticket)
                    elif isinstance(event, TurnFinished):
                        finished = event
        except OverloadError as e:
            raise Postponed(max(e.retry_after, BUSY_S)) from None
        except CallerError as e:
            if e.code in _LATER:
                raise Postponed(BUSY_S) from None
            return self._say(e.message(language))
        except OperatorError:
            raise
        except DaziError as e:
            return self._say(e.message(language))
        if finished is None:
            return self._say(texts.FAILED(language))
        return [*self._answer(finished, language), *await self._cards(waiting, language)]

    def _answer(self, finished: TurnFinished, language: Language) -> list[Part]:
        said = [finished.answer.strip(), attached(finished.attachments, language)]
        return self._generated("\n\n".join(s for s in said if s), language)

    def _generated(self, text: str, language: Language) -> list[Part]:
        """What a model made is told to be that."""
        return self._say(f"{text}\n{texts.GENERATED(language)}" if text else "")

    async def _cards(self, tickets: Iterable[str], language: Language) -> list[Part]:
        out: list[Part] = []
        for number in tickets:
            ticket = await self.service.tickets.get(number)
            card = card_of(ticket, self.service.agent.company, language)
            out += asking(self.channel, card, language)
        return out

    async def _made_before(
        self, held: Held, who: Principal, thread: str, language: Language
    ) -> list[Part]:
        """The answer of an earlier try that came as far as the thread, and what waits since then."""
        own = await self.service.pending(who, thread)
        waiting = [t.id for t in own if t.turn == held.turn]
        kept = await self.service.threads.latest(thread, who, 24)
        said = ""
        for one in kept:
            if one.at >= held.began and one.kept.message.role == "assistant":
                said = one.kept.message.content or said
        if not said and not waiting:
            return []
        return [*self._generated(said, language), *await self._cards(waiting, language)]

    # --- a decision --------------------------------------------------------------------------------

    async def _decided(self, held: Held, who: Principal, click: Click) -> list[Part]:
        """Decide as on the web page; a refusal is told in words."""
        language: Language = "zh"
        task = held.message.reply_to.get("task", "")
        events = self.service.decide(who, click.ticket, click.approve)
        waiting: list[str] = []
        finished: TurnFinished | None = None
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    if isinstance(event, ConfirmationNeeded) and not event.approver:
                        waiting.append(event.ticket)
                    elif isinstance(event, TurnFinished):
                        finished = event
        except OverloadError as e:
            raise Postponed(max(e.retry_after, BUSY_S)) from None
        except DaziError as e:
            if e.code in _LATER:
                raise Postponed(BUSY_S) from None
            mine = await self._mine(who, click) if e.code == "already_decided" else None
            settled, said = mine or (texts.OVER, e.message(language))
            return [*_settles(task, settled(language)), *self._say(said)]
        word = texts.DONE_YES if click.approve else texts.DONE_NO
        ticket = await self.service.tickets.get(click.ticket)
        if finished is None or not finished.answer.strip():
            told = self._say((texts.DONE_YES if click.approve else texts.TURNED_DOWN)(language))
        elif click.approve and ticket.user == who.user:
            told = self._answer(finished, language)
        else:  # these words are the host's own
            told = self._say(finished.answer)
        cards = await self._cards(waiting, language)
        return [*_settles(task, word(language)), *told, *cards]

    async def _mine(self, who: Principal, click: Click) -> tuple[Text, str] | None:
        """How it was decided, and what became of it, where it was this person who did: by this very
        click at an earlier try, or pressed twice."""
        ticket = await self.service.tickets.get(click.ticket)
        if ticket.decided_by != who.user:
            return None
        settled, state = texts.DONE_NO, "rejected"
        if ticket.state == "approved":
            settled, state = texts.DONE_YES, await self.service.agent.router.outcome_of(ticket)
        said = _STATES.get(state, texts.FAILED)("zh")
        return settled, texts.DECIDED_EARLIER("zh").format(state=said)


_STATES: Mapping[str, Text] = {
    "rejected": texts.TURNED_DOWN,
    "under_way": Text("正在执行", "under way"),
    "begun": Text("正在执行", "under way"),
    "done": Text("已执行", "done"),
    "failed": Text("没有成功", "it did not succeed"),
    "unknown": Text("结果不明,请先核实", "not known; please check"),
}


def _settles(task: str, text: str) -> list[Part]:
    return [Part(text, settles=task)] if task else []


def _clicked(text: str) -> Click | None:
    """A button that makes its person send words: 「批准 TICKET」."""
    found = _DECIDES.fullmatch(text)
    return Click(found[2], found[1] in _YES) if found is not None else None
