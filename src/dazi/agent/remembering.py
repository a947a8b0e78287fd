"""What is kept of a thread beyond its last turns: read before a turn, and folded after it.

Folding never delays an answer and never breaks one: what fails is tried again after the next.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
from dataclasses import replace
from typing import Any

from dazi.access.limits.limiter import Limiter
from dazi.agent.context import TurnRequest
from dazi.agent.summary import MOST_CHARS, SUMMARY_TOKENS, held_to, summarised
from dazi.agent.turn import Agent
from dazi.core.engine import Purpose, Usage
from dazi.core.errors import DaziError
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.guard.hiding_engine import hiding
from dazi.memory.digests import Digest, DigestStore
from dazi.memory.events import ABOUT_PERSON, bounded, events_of, merged
from dazi.memory.facts import FactStore, asked_to_remember
from dazi.memory.recall import FOLD_AT, Older, Recall, Recalled
from dazi.memory.threads import ThreadStore

MOST_AT_ONCE = 50
"""Pieces of one thread that are folded one after the other, of ``recall.MOST_UNFOLDED`` messages."""

log = logging.getLogger("dazi.agent")


class Remembering:
    """Of all threads that ``agent`` answers in."""

    def __init__(self, agent: Agent, threads: ThreadStore, limiter: Limiter) -> None:
        self._agent = agent
        self._limiter = limiter
        self._digests = DigestStore(threads.database, threads.private)
        self.facts = FactStore(threads.database, threads.private)
        self._recall = Recall(
            threads, self._digests, agent.company.tools, agent.budget.context.turns
        )
        self._folding: dict[tuple[str, str, str], asyncio.Task[None]] = {}
        self._noticing: set[asyncio.Task[None]] = set()

    async def recalled(self, thread: str, principal: Principal) -> Recalled:
        """Raises ``NotFound`` for a thread that is somebody else's."""
        recalled = await self._recall.of(thread, principal)
        facts = await self.facts.confirmed(principal)
        return replace(
            recalled,
            facts=tuple(f.text for f in facts),
            fact_ids=tuple(f.id for f in facts),
        )

    def after(self, request: TurnRequest) -> None:
        """A turn of a kept thread is over: fold what is older, if there is enough of it."""
        told = [
            e.text
            for e in events_of([Message("user", request.said)], {})
            if e.weight == ABOUT_PERSON
        ]
        if told and asked_to_remember(request.said) is None:
            noticing = asyncio.create_task(self._propose(request, told), name="propose facts")
            self._noticing.add(noticing)
            noticing.add_done_callback(self._noticing.discard)
        key = (request.principal.tenant, request.principal.user, request.thread)
        if request.recalled.unfolded + 1 < FOLD_AT or key in self._folding:
            return
        task = asyncio.create_task(self._fold_all(request), name="fold a thread")
        self._folding[key] = task
        task.add_done_callback(lambda _: self._folding.pop(key, None))

    async def settle(self) -> None:
        """Wait for what is being folded."""
        while tasks := [*self._folding.values(), *self._noticing]:
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _propose(self, request: TurnRequest, told: list[str]) -> None:
        try:
            await self.facts.propose(request.principal, told, request.thread)
        except Exception:
            log.exception("what a person told of themselves was not proposed")

    async def _fold_all(self, request: TurnRequest) -> None:
        try:
            for _ in range(MOST_AT_ONCE):
                older = await self._recall.older(request.thread, request.principal)
                if older is None or not await self._fold(request, older):
                    return
        except Exception:  # the messages are all there: the next turn tries again
            log.exception("older turns of a thread were not folded")

    async def _fold(self, request: TurnRequest, older: Older) -> bool:
        count = self._agent.window.counter.text
        messages = [n.kept.message for n in older.messages]
        tools = self._agent.company.tools
        summary = older.digest.summary
        if not self._agent.engine.profile.concise:
            summary = await self._summary(request, summary, messages) or summary
        room = self._agent.budget.context.digest_tokens - count(summary)
        events = merged([*older.digest.events, *events_of(messages, tools)])
        last = older.messages[-1]
        digest = Digest(last.seq, summary, tuple(bounded(events, room, count)))
        return await self._digests.save(
            request.thread, request.principal, digest, older.digest.through, last
        )

    async def _summary(self, request: TurnRequest, before: str, messages: list[Message]) -> str:
        """Empty where a limit is reached or the model fails: the events tell enough."""
        agent, principal = self._agent, request.principal
        model = agent.engine.profile
        shown = min(sum(len(m.content) for m in messages), MOST_CHARS)
        most = Usage(2 * SUMMARY_TOKENS + shown, SUMMARY_TOKENS)
        try:
            admission = await self._limiter.admit(principal, model.name, most)
        except DaziError:
            return ""
        turn = f"turn_{secrets.token_hex(10)}"
        begun = {
            "said": "",
            "thread": request.thread,
            "roles": sorted(principal.roles),
            "channel": principal.channel,
            "model": model.name,
            "version": model.version,
            "summary": True,
        }
        used = Usage()
        try:
            await agent.ledger.put("turn", principal.user, turn, begun)
            engine = hiding(agent.engine, agent.guard, principal)
            called = frozenset(c.name for m in messages for c in m.calls)
            purpose = Purpose(
                "summary", principal.user, principal.roles, turn, called, condensed=bool(before)
            )
            said, used = await summarised(engine, before, messages, request.language, purpose)
        finally:
            await admission.settle(used)
        summary = held_to(said, before, messages, agent.company.tools, request.today)
        body: dict[str, Any] = {
            "answer": summary,
            "calls": [],
            "tokens": [used.prompt, used.completion],
            "reason": "answer",
            "summary": True,
        }
        cost = self._limiter.cost(model.name, used)
        agent.ledger.put(
            "answer", principal.user, turn, body if cost is None else body | {"cost": cost}
        )
        return summary
