"""Hears what rooms below tell of use, and works on it behind their backs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from dazi.core.learning import Drafted, Ended, HandedOver, Sent, TurnedDown
from dazi.core.principal import Principal
from dazi.ops.feedback.model import Entry
from dazi.ops.feedback.service import FeedbackService
from dazi.ops.gaps.noticing import Seen, noticed
from dazi.ops.gaps.service import GapService

MOST_WAITING = 1_000
"""What is told beyond that is not learned from: answering goes first."""

log = logging.getLogger("dazi.learning")


class Listening:
    """Implements ``core.learning.Learner``. One thing after the other, in the order in which it came."""

    def __init__(self, feedback: FeedbackService, gaps: GapService) -> None:
        self._feedback, self._gaps = feedback, gaps
        self._waiting: list[Coroutine[Any, Any, object]] = []
        self._worker: asyncio.Task[None] | None = None

    def ended(self, turn: Ended) -> None:
        why = noticed(turn)
        if why is not None:
            seen = Seen(why, turn.thread, turn.turn, turn.said, turn.language)
            self._later(self._gaps.note(turn.principal, seen))

    def turned_down(self, call: TurnedDown) -> None:
        self._later(self._feedback.turned_down(call))

    def drafted(self, draft: Drafted) -> None:
        self._later(self._feedback.drafted(draft))

    def sent(self, sent: Sent) -> None:
        self._later(self._feedback.sent(sent))

    def handed_over(self, conversation: HandedOver) -> None:
        self._later(self._gaps.handed_over(conversation))

    def missing(self, by: Principal, entry: Entry) -> None:
        """Somebody says that an answer of theirs is not in the documents."""
        c = entry.content
        self._later(self._gaps.note(by, Seen("missing", c.thread, entry.turn, c.said, c.language)))

    async def settle(self) -> None:
        """Until all that was told is worked on."""
        while self._worker is not None and not self._worker.done():
            await asyncio.shield(self._worker)

    def _later(self, work: Coroutine[Any, Any, object]) -> None:
        if len(self._waiting) >= MOST_WAITING:
            work.close()
            log.warning("too much to learn from at once: something was left out")
            return
        self._waiting.append(work)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.create_task(self._work(), name="learning from use")

    async def _work(self) -> None:
        while self._waiting:
            try:
                await self._waiting.pop(0)
            except Exception:  # the answer that it is about was given all the same
                log.exception("something could not be learned from")
