"""A round's proposals on their way through the router, in order."""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass

from dazi.agent.again import needs_results, of_all, to_read_again
from dazi.agent.context import Budget
from dazi.agent.offering import Offering
from dazi.agent.speaking import Round
from dazi.agent.turn_state import MENDABLE, Turn
from dazi.core.messages import CallText
from dazi.core.turn import CallFinished, CallProposed, CallRecord, ConfirmationNeeded, TurnEvent
from dazi.router.dispatch import FunctionRouter


@dataclass(frozen=True, slots=True)
class Acting:
    """With one company's tools, within ``budget``."""

    router: FunctionRouter
    offering: Offering
    budget: Budget

    async def act(self, turn: Turn, done: Round) -> AsyncGenerator[TurnEvent, None]:
        """``done``: the round whose calls they are; the turn has a reason where it ends with them."""
        tools = self.offering.company.tools
        client = {t.name for t in turn.request.client_tools}
        ours = (c for c in done.calls if c.name in turn.context.offered)
        if any(needs_results(tools.get(c.name)) for c in ours):
            async with aclosing(self._read_again(turn, done)) as reading:
                async for event in reading:
                    yield event
        turn.talk.proposed(done.text, done.calls)
        records: list[CallRecord] = []
        for call in done.calls:
            if call.name in client:
                turn.client_calls.append(call)
                continue
            if len(turn.records) >= self.budget.calls:
                break
            turn.context.budget_s = turn.left(self.budget)
            record = await self.router.call(
                self.offering.mended(call, turn.context.evidence), turn.context
            )
            turn.records.append(record)
            records.append(record)
            yield CallFinished(record)
            if record.outcome == "needs_confirmation":
                yield await self._confirmation(record)
        turn.talk.answered(records)
        if turn.client_calls:
            turn.reason = "client_tools"
            return
        waiting = [r for r in records if r.outcome == "needs_confirmation"]
        if waiting:
            turn.reason = "confirmation"
            yield turn.say(waiting[0].message)
            return
        refusal = final_refusal(turn, records, concise=self.offering.profile.concise)
        if refusal is not None:
            turn.reason = "answer"
            yield turn.say(refusal)

    async def _read_again(self, turn: Turn, done: Round) -> AsyncGenerator[TurnEvent, None]:
        """Results of earlier messages that a chart is to be drawn of."""
        request, company = turn.request, self.offering.company
        earlier = to_read_again(company, request.history, turn.records, request.said, request.today)
        if not earlier:
            return
        room = max(self.budget.calls - len(turn.records) - len(done.calls), 0)
        calls = [CallText(next(turn.ids), c.name, c.arguments) for c in earlier[:room]]
        turn.context.offered |= {c.name for c in calls}
        turn.talk.proposed("", calls)
        records = []
        for call in calls:
            turn.context.budget_s = turn.left(self.budget)
            yield CallProposed(call.id, call.name, call.arguments)
            record = await self.router.call(call, turn.context)
            turn.records.append(record)
            records.append(record)
            yield CallFinished(record)
        turn.talk.answered(records)
        done.calls[:] = [of_all(company, c) for c in done.calls]

    async def _confirmation(self, record: CallRecord) -> ConfirmationNeeded:
        ticket = await self.router.tickets.get(record.ticket)
        expires = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ticket.expires))
        return ConfirmationNeeded(
            ticket.id,
            record.id,
            record.name,
            record.arguments,
            expires,
            ticket.approver,
            ticket.asked.untrusted,
        )


def final_refusal(turn: Turn, records: Sequence[CallRecord], *, concise: bool) -> str | None:
    """Where nothing is left to decide, the host says so itself; ``None`` where something is.

    A model that can only copy adds nothing to a refusal; and it may not mend its call twice.
    """
    if not records or any(r.outcome == "ok" for r in records):
        return None
    tried = sum(r.outcome in MENDABLE for r in turn.records)
    mendable = any(r.outcome in MENDABLE for r in records)
    if mendable and tried < 3 and not concise:
        return None
    if not mendable and not concise:
        return None
    return "\n".join(dict.fromkeys(r.message for r in records))
