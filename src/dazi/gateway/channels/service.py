"""Channels at work: messages are taken in, answered in order, and their answers sent."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dazi.access.people import People
from dazi.access.recording import Record
from dazi.agent.service import AssistantService
from dazi.core.errors import NotFound
from dazi.core.principal import Principal
from dazi.gateway.channels import texts
from dazi.gateway.channels.answering import Answering, Postponed, binds, spoken
from dazi.gateway.channels.bindings import Bindings
from dazi.gateway.channels.config import Section
from dazi.gateway.channels.identities import TENANT, Identities
from dazi.gateway.channels.inbox import Held, Inbox, Lost
from dazi.gateway.channels.pacing import Pacing
from dazi.gateway.channels.protocol import (
    Address,
    Callback,
    Channel,
    Incoming,
    Part,
    Received,
    Reply,
    SignsIn,
    Uncertain,
    Undelivered,
)
from dazi.gateway.channels.rendering import asking, card_of
from dazi.router.approval import Ticket

PLACES = 16
"""People who are answered at once, in this process."""
LEASE_S = 60.0
POLL_S = 1.0
GATHER_S = 0.01
"""What comes within so little time is taken together: one look into the database for all."""
NOTIFY_S = 5.0
PRUNE_S = 3600.0
TRIES = 3
SHORT_S = 2.0
"""So long a sender waits for its turn with the row in hand."""
UNCERTAIN_S = 2.0
GIVE_UP_S = 86_400.0
"""What could not be answered or sent for so long is left."""
LONGEST_S = 300.0
"""Between two tries of what went wrong here."""
SETTLE_S = 5.0
DAY_S = 86_400.0
MOST_NOTED = 10_000

log = logging.getLogger("dazi.channels")


@dataclass(frozen=True, slots=True)
class Line:
    """A channel with what it works with."""

    channel: Channel
    section: Section
    identities: Identities
    answering: Answering
    pacing: Pacing


@dataclass(frozen=True, slots=True)
class Stores:
    """``record``: the ledger, for who binds and unbinds."""

    inbox: Inbox
    bindings: Bindings
    record: Record


class ChannelService:
    """``address``: where people sign in, for the words to those whom nobody knows."""

    def __init__(
        self,
        channels: Iterable[tuple[Channel, Section]],
        service: AssistantService,
        people: People,
        stores: Stores,
        address: str = "",
    ) -> None:
        self.inbox, self.bindings, self._record = stores.inbox, stores.bindings, stores.record
        self._service = service
        self._observer = service.agent.observer
        self._people = people
        self._lines: dict[str, Line] = {}
        for channel, section in channels:
            ids = Identities(channel, section.people, people, self.bindings)
            answering = Answering(channel, service, ids, self.bindings, stores.record, address)
            self._lines[channel.name] = Line(
                channel, section, ids, answering, Pacing(channel.limits)
            )
        self._tasks: dict[asyncio.Task[None], Held] = {}
        self._wake = asyncio.Event()
        self._notified: set[tuple[str, str, str]] = set()

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._lines)

    def line(self, name: str) -> Line:
        """Raises ``NotFound``."""
        found = self._lines.get(name)
        if found is None:
            raise NotFound("channel", "没有配置这个渠道", "no such channel is configured")
        return found

    async def unbind(self, principal: Principal, name: str) -> bool:
        """Undo the principal's own binding; False where there is none. Raises ``NotFound``."""
        channel, who = self.line(name).channel.name, (principal.tenant, principal.user)
        if not any(b.channel == channel for b in await self.bindings.list(*who)):
            return False
        body = {"act": "channel.unbound", "of": principal.user, "channel": channel}
        await self._record("admin", principal.user, body)
        return bool(await self.bindings.unbind(*who, channel))

    # --- what comes in -----------------------------------------------------------------------------

    async def receive(self, name: str, callback: Callback) -> Reply:
        """Verify a callback and take in what it brings; what to answer at once. The work is done
        by ``run``. Raises ``NotFound`` and ``Forged``."""
        line = self.line(name)
        received: Received = line.channel.read(callback)
        reply = received.reply
        for message in received.messages:
            reply = await self._take_in(line, message) or reply
        return reply

    async def _take_in(self, line: Line, message: Incoming) -> Reply | None:
        who = await line.identities.find(message.sender)
        known = who is not None or binds(message.text)
        if not known and not await line.identities.asks_vendor(message.sender):
            how = line.answering.how_to_bind(spoken(message.text))
            answer = line.channel.passive(message, how)
            if answer is not None:
                self._observer.messaged(line.channel.name, "stranger")
                return answer
        user = who.user if who is not None else ""
        wait = line.section.order_wait_ms / 1000
        new = await self.inbox.put(line.channel.name, message, user, wait)
        self._observer.messaged(line.channel.name, "taken" if new else "again")
        if new:
            self._wake_in(wait)
        return None

    # --- the work ----------------------------------------------------------------------------------

    async def run(self) -> None:
        """Answer and send, until cancelled; then what is under way has a moment to end."""
        beside = [
            asyncio.create_task(work) for work in (self._beat(), self._notify(), self._prune())
        ]
        try:
            while True:
                await self._begin()
                await self._idle()
        finally:
            for task in beside:
                task.cancel()
            await asyncio.gather(*beside, return_exceptions=True)
            await self._settled()

    async def _begin(self) -> None:
        """Take what is due into the free places."""
        self._wake.clear()
        free = PLACES - len(self._tasks)
        if free <= 0:
            return
        try:
            found = await self.inbox.claim(self.names, free, LEASE_S)
        except Exception:  # the database may come back
            log.exception("messages could not be looked for")
            return
        for held in found:
            task = asyncio.create_task(self._work(held), name="channel message")
            self._tasks[task] = held
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.pop(task, None)
        self._wake.set()

    def _wake_in(self, seconds: float) -> None:
        """Look again then: what others put off is found by looking now and then."""
        asyncio.get_running_loop().call_later(seconds + 0.001, self._wake.set)

    async def _idle(self) -> None:
        try:
            async with asyncio.timeout(POLL_S):
                await self._wake.wait()
        except TimeoutError:
            return
        await asyncio.sleep(GATHER_S)

    async def _settled(self) -> None:
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=SETTLE_S)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self, held: Held) -> None:
        """What goes wrong gives the row back."""
        try:
            line = self.line(held.channel)
            marked = False
            if time.time() - held.began > GIVE_UP_S:
                log.error("a message of %s could not be answered for a day", held.channel)
                await self.inbox.done(held, held.sent, failed=True)
                return
            if held.parts is None:
                held, marked = await self._answered(line, held)
            await self._sent(line, held, marked=marked)
        except Lost:
            log.info("a message of %s went to somebody else", held.channel)
        except Postponed as e:
            await self._give_back(held, e.seconds, counts=False)
        except Exception:
            log.exception("a message of %s could not be answered", held.channel)
            await self._give_back(held, min(2.0**held.attempts, LONGEST_S), counts=True)

    async def _give_back(self, held: Held, seconds: float, *, counts: bool) -> None:
        try:
            await self.inbox.later(held, seconds, counts=counts)
            self._wake_in(seconds)
        except Lost:
            pass
        except Exception:  # its lease will run out
            log.exception("a message of %s could not be given back", held.channel)

    async def _answered(self, line: Line, held: Held) -> tuple[Held, bool]:
        """With an answer, and whether its first part is marked as going out."""
        if held.attempts > TRIES:
            parts: Sequence[Part] = [Part(texts.FAILED("zh"))]
        else:
            parts = await line.answering.parts(held, time.time())
        now = bool(parts) and (bool(parts[0].settles) or not line.pacing.take(held.person))
        return await self.inbox.ready(held, parts, sending=now), now

    async def _sent(self, line: Line, held: Held, *, marked: bool) -> None:
        """Each part at most once; what the vendor may or may not have is told, not repeated."""
        assert held.parts is not None
        if held.doubtful:
            held = await self._doubted(held, held.sent)
        parts = held.parts or ()
        sent = held.sent
        to = Address(held.message.sender, held.message.reply_to)
        while sent < len(parts):
            part = parts[sent]
            if not marked:
                wait = 0.0 if part.settles else line.pacing.take(held.person)
                if 0 < wait <= SHORT_S:
                    await asyncio.sleep(wait)
                    continue
                if wait:
                    await self._wait(held, sent, wait)
                    return
                await self.inbox.mark(held, sent, sending=True)
            marked = False
            try:
                await line.channel.send(to, part)
            except Undelivered as e:
                lasting = e.retry_after is None
                self._observer.handed(held.channel, "refused" if lasting else "later")
                if part.settles:
                    log.info("a card of %s could not be changed: %s", held.channel, e.code)
                elif e.retry_after is None:
                    log.error("%s does not take an answer: %s", held.channel, e.text.en)
                    await self.inbox.done(held, sent, failed=True)
                    return
                else:
                    line.pacing.rest(e.retry_after)
                    await self._wait(held, sent, e.retry_after)
                    return
            except Uncertain as e:
                self._observer.handed(held.channel, "uncertain")
                log.warning("%s", e.text.en)
                if not part.settles:
                    held = await self._doubted(held, sent + 1)
                    await self.inbox.later(held, UNCERTAIN_S)
                    self._wake_in(UNCERTAIN_S)
                    return
            else:
                self._observer.handed(held.channel, "sent")
            sent += 1
        await self.inbox.done(held, sent)

    async def _doubted(self, held: Held, sent: int) -> Held:
        """Go on after a part whose fate is not known, with a word about it."""
        parts = held.parts or ()
        last = parts[sent - 1]
        note = Part(texts.DOUBTFUL("zh"))
        said = () if last.settles or last == note else (note,)
        return await self.inbox.ready(held, (*said, *parts[sent:]), sending=False)

    async def _wait(self, held: Held, sent: int, seconds: float) -> None:
        await self.inbox.mark(held, sent, sending=False)
        await self.inbox.later(held, seconds)
        self._wake_in(seconds)

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(LEASE_S / 4)
            workers = sorted({held.worker for held in self._tasks.values()})
            if workers:
                try:
                    await self.inbox.beat(workers, LEASE_S)
                except Exception:  # the database may come back
                    log.exception("leases could not be kept")

    async def _prune(self) -> None:
        while True:
            for line in self._lines.values():
                before = time.time() - line.section.keep_days * DAY_S
                try:
                    await self.inbox.prune(before, line.channel.name)
                except Exception:  # the database may come back
                    log.exception("old messages were not deleted")
            await asyncio.sleep(PRUNE_S)

    # --- asking those who approve --------------------------------------------------------------------

    async def _notify(self) -> None:
        while True:
            try:
                await self.notify()
            except Exception:  # the database may come back
                log.exception("those who approve could not be told")
            await asyncio.sleep(NOTIFY_S)

    async def notify(self) -> None:
        """A card to everybody who may decide a request of somebody else's, wherever it was made;
        one each, however many processes look."""
        for ticket in await self._service.tickets.for_others(TENANT):
            for account in self._people.of_tenant(TENANT):
                roles = self._people.expand(account.roles)
                if account.disabled or account.user == ticket.user or ticket.approver not in roles:
                    continue
                for line in self._lines.values():
                    await self._ask(line, ticket, account.user)

    async def _ask(self, line: Line, ticket: Ticket, user: str) -> None:
        key = (ticket.id, line.channel.name, user)
        if key in self._notified:
            return
        name = await line.identities.name_of(TENANT, user)
        principal = self._people.principal(user, line.channel.name, TENANT)
        if not name or not line.identities.allowed(principal):
            return
        asks = self._people.account(ticket.asked.tenant, ticket.user)
        shown = asks.name("zh") if asks is not None else ticket.user
        card = card_of(ticket, self._service.agent.company, "zh", shown)
        told = Incoming(f"approval/{ticket.id}/{name}", name, time.time(), "other")
        parts = tuple(asking(line.channel, card, "zh"))
        await self.inbox.put(line.channel.name, told, user, 0.0, parts)
        if len(self._notified) > MOST_NOTED:
            self._notified.clear()  # the rows still tell
        self._notified.add(key)
        self._wake.set()

    # --- signing in with a vendor's browser ----------------------------------------------------------

    def signs_in(self, name: str) -> SignsIn | None:
        """The channel, if people may sign in with it."""
        line = self._lines.get(name)
        if line is None or not line.section.sign_in or not isinstance(line.channel, SignsIn):
            return None
        return line.channel

    async def person_of(self, name: str, code: str) -> Principal | None:
        """Who came back from the vendor with ``code``; ``None`` for nobody we know. Raises
        ``Undelivered`` and ``Uncertain``."""
        there, line = self.signs_in(name), self.line(name)
        sender = await there.signed_in(code) if there is not None and code else ""
        who = await line.identities.find(sender, ask=True) if sender else None
        return who if who is not None and line.identities.allowed(who) else None

    async def close(self) -> None:
        for line in self._lines.values():
            await line.channel.close()
