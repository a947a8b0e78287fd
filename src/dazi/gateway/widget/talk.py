"""One visitor's conversation in this process: the answer being made, kept for whoever comes to hear.

An answer goes on whether or not somebody listens. Its events are numbered, so that a page that was
reloaded hears all of them, and one whose connection broke hears those that it missed.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, aclosing, nullcontext, suppress
from dataclasses import dataclass, field
from heapq import nsmallest
from typing import Any

from dazi.core.errors import CallerError, DaziError, OverloadError
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.core.turn import CallFinished, TurnEvent
from dazi.gateway.errors import unexpected

FIRST_S = 10.0
"""So long a request waits to hear whether its turn begins; what fails later is one of its events."""
MOST_LISTENERS = 6
MOST_EVENTS = 5_000
"""Of a turn. Words beyond that are told together, before what comes after them."""
Tell = Callable[[TurnEvent], Mapping[str, Any] | None]

log = logging.getLogger("dazi.gateway")


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn to be run. ``key``: the same again is the same turn. ``acts``: it carries something out
    that was agreed to, and is not broken off."""

    events: AsyncGenerator[TurnEvent, None]
    tell: Tell
    said: str
    language: Language
    key: str = ""
    acts: bool = False
    place: AbstractAsyncContextManager[None] = field(default_factory=nullcontext)


class Talk:
    """``stream`` tells these numbers from those of another process, or of an earlier talk."""

    def __init__(self, thread: str) -> None:
        self.thread = thread
        self.stream = secrets.token_hex(6)
        self.said = ""
        self.first = 1
        """The number of the running turn's first event."""
        self.last = 0
        self.before = 0
        """The newest message that was kept before the running turn."""
        self.used = time.monotonic()
        self.listeners = 0
        self._events: list[tuple[int, Mapping[str, Any]]] = []
        self._rest = ""
        self._key = ""
        self._task: asyncio.Task[None] | None = None
        self._acts = False
        self._more = asyncio.Event()

    @property
    def running(self) -> bool:
        return self._task is not None

    def has(self, key: str) -> bool:
        """Was the message with that key taken already?"""
        return bool(key) and key == self._key

    async def begin(self, turn: Begun, before: int) -> None:
        """Run it beside, after the kept message ``before``. Raises what keeps it from beginning, and
        ``CallerError`` while another one runs."""
        if self._task is not None:
            raise CallerError(
                "thread_busy",
                "上一条还没答完,请等它结束再发",
                "the last message is still being answered; wait for it to finish",
            )
        begins: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.said, self._acts, self.used = turn.said, turn.acts, time.monotonic()
        self._events, self.first, self.before = [], self.last + 1, before
        self._rest, self._key = "", turn.key
        self._task = asyncio.create_task(self._run(turn, begins), name="widget turn")
        self._task.add_done_callback(lambda _: self._ended())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(FIRST_S):
                    await asyncio.shield(begins)
        except DaziError:
            self._key = ""  # the same may be tried again
            raise
        finally:
            if not begins.done():  # nobody waits for it: what fails from now on is an event
                begins.cancel()

    async def stop(self) -> None:
        """End the answer, unless it does what was agreed to."""
        task = self._task
        if task is not None and not self._acts:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.wait({task})

    async def end(self) -> None:
        """The process stops."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def tell(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "delta" and len(self._events) >= MOST_EVENTS:
            self._rest += event["text"]
            return
        if self._rest:
            rest, self._rest = self._rest, ""
            self._note({"type": "delta", "text": rest})
        self._note(event)

    def _note(self, event: Mapping[str, Any]) -> None:
        self.last += 1
        self._events.append((self.last, event))
        self._more.set()
        self._more = asyncio.Event()

    def since(self, after: int) -> list[tuple[int, Mapping[str, Any]]]:
        """Events of the last turn numbered above ``after``."""
        return [e for e in self._events if e[0] > after]

    async def more(self, after: int, seconds: float) -> None:
        """Wait for an event numbered above ``after``, at most so long."""
        if self.last > after:
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._more.wait()

    def listen(self) -> None:
        """Raises ``OverloadError`` where enough listen already."""
        if self.listeners >= MOST_LISTENERS:
            zh, en = "打开的页面太多,请关掉几个", "too many pages are open; close some"
            raise OverloadError("rate_concurrent", zh, en, 5.0)
        self.listeners += 1

    async def _run(self, turn: Begun, begins: asyncio.Future[None]) -> None:
        begun = False
        try:
            async with turn.place, aclosing(turn.events) as events:
                async for event in events:
                    if not begun:
                        begun = True
                        self.tell({"type": "said", "text": turn.said})
                    if not begins.done():
                        begins.set_result(None)
                    if isinstance(event, CallFinished):
                        self._acts = False
                    if (told := turn.tell(event)) is not None:
                        self.tell(told)
        except asyncio.CancelledError:
            self.tell({"type": "end", "reason": "stopped"})
            if not begins.done():
                begins.set_result(None)
        except DaziError as e:
            self._fail(e, turn.language, begins)
        except Exception:
            log.exception("a visitor's turn failed")
            self._fail(unexpected(), turn.language, begins)
        finally:
            if not begins.done():
                begins.set_result(None)

    def _fail(self, error: DaziError, language: Language, begins: asyncio.Future[None]) -> None:
        if not begins.done():
            begins.set_exception(error)
            return
        self.tell({"type": "error", "code": error.code, "message": error.message(language)})

    def _ended(self) -> None:
        self._task = None
        self.used = time.monotonic()
        self._more.set()
        self._more = asyncio.Event()


class Talks:
    """By visitor. What nobody has used for a while goes, and where there are too many whatever nobody
    is using now; the thread is kept elsewhere."""

    def __init__(self, idle_s: float = 900.0, most: int = 5_000) -> None:
        self._talks: dict[str, Talk] = {}
        self._idle_s = idle_s
        self._most = most

    def find(self, principal: Principal, thread: str) -> Talk | None:
        talk = self._talks.get(principal.user)
        return talk if talk is not None and (not thread or talk.thread == thread) else None

    def open(self, principal: Principal, thread: str) -> Talk:
        """The talk in that thread. Raises ``OverloadError`` where there are too many at once."""
        talk = self._talks.get(principal.user)
        if talk is None or (talk.thread != thread and not talk.running):
            self._tidy()
            if talk is None and len(self._talks) >= self._most:
                zh, en = (
                    "同时的对话太多,请稍后再试",
                    "too many conversations at once; try again soon",
                )
                raise OverloadError("busy", zh, en, 5.0)
            talk = self._talks[principal.user] = Talk(thread)
        return talk

    def all(self) -> list[Talk]:
        return list(self._talks.values())

    def forget(self, principal: Principal) -> None:
        self._talks.pop(principal.user, None)

    async def close(self) -> None:
        await asyncio.gather(*(t.end() for t in self._talks.values()))

    def _tidy(self) -> None:
        idle = {u: t for u, t in self._talks.items() if not t.running and not t.listeners}
        before, many = time.monotonic() - self._idle_s, len(self._talks) - self._most + 1
        gone = {user for user, talk in idle.items() if talk.used < before}
        if len(gone) < many:
            gone.update(nsmallest(many, idle, key=lambda user: idle[user].used))
        for user in gone:
            del self._talks[user]
