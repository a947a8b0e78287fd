"""Answers being made: they go on whether or not a page looks on, and whoever opens the thread
meanwhile sees them from their beginning."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import cast

from dazi.core.messages import Image
from dazi.core.principal import Principal
from dazi.core.turn import CallFinished, TurnEvent

Begin = Callable[[Principal], AsyncIterator[TurnEvent]]
Key = tuple[str, str, str]

logger = logging.getLogger("dazi.console")


class Stopped(Exception):
    """Somebody ended the answer, or their session did."""


@dataclass(eq=False, slots=True)
class Answer:
    """``ticket`` is what the turn decides, empty where it answers what was said. ``acting``: it does
    what was agreed to, and is not broken off."""

    said: str
    images: Sequence[Image] = ()
    ticket: str = ""
    acting: bool = False
    events: list[TurnEvent] = field(default_factory=list)
    over: bool = False
    failed: Exception | None = None
    _task: asyncio.Task[None] | None = None
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    def stop(self) -> None:
        """End it; but what was confirmed is done first, so that its outcome is known."""
        if self._task is not None and not self.acting:
            self._task.cancel()

    async def heard(self) -> AsyncGenerator[TurnEvent, None]:
        """All its events, those to come as they come. Raises what it failed with, or ``Stopped``."""
        at = 0
        while True:
            while at < len(self.events):
                yield self.events[at]
                at += 1
            if self.over:
                break
            await self._more.wait()
        if self.failed is not None:
            raise self.failed

    def _tell(self) -> None:
        more, self._more = self._more, asyncio.Event()
        more.set()

    async def _run(self, principal: Principal, begin: Begin) -> None:
        events = cast("AsyncGenerator[TurnEvent]", begin(principal))
        try:
            async with aclosing(events) as stream:
                async for event in stream:
                    self.acting = self.acting and not isinstance(event, CallFinished)
                    self.events.append(event)
                    self._tell()
        except asyncio.CancelledError:
            self.failed = Stopped()
        except Exception as e:
            self.failed = e
        finally:
            self.over = True
            self._tell()


class Answers:
    """Of this process, by person and thread."""

    def __init__(self) -> None:
        self._answers: dict[Key, Answer] = {}

    def find(self, principal: Principal, thread: str) -> Answer | None:
        """The one being made there for them."""
        return self._answers.get((principal.tenant, principal.user, thread))

    def begin(
        self,
        principal: Principal,
        thread: str,
        answer: Answer,
        begin: Begin,
        on_end: Callable[[], None],
    ) -> Answer:
        """Make it beside; ``on_end`` is called when it is over, however it ended."""
        key = (principal.tenant, principal.user, thread)
        answer.acting = bool(answer.ticket)
        task = asyncio.create_task(answer._run(principal, begin), name="console turn")
        answer._task = task
        # One that cannot begin because another is being made must not hide that one.
        self._answers.setdefault(key, answer)

        def ended(_: object) -> None:
            if self._answers.get(key) is answer:
                del self._answers[key]
            on_end()

        task.add_done_callback(ended)
        return answer

    async def close(self) -> None:
        """The process stops: what is being answered ends, what acts is done."""
        tasks = [a._task for a in self._answers.values() if a._task is not None]
        for answer in list(self._answers.values()):
            answer.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
