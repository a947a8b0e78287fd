"""The function router: the model proposes, this decides.

A call passes these steps in this order, and no step reads the model's text again: exact name,
offered schema, grounding, normalisation, canonical schema, identity, policy, approval, intent,
execution of those same canonical arguments, outcome. Each step can only refuse.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dazi.access.policy import Policy
from dazi.audit.ledger import Kind, Ledger
from dazi.core.company import Company
from dazi.core.errors import NotFound, OperatorError
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import Connector
from dazi.core.turn import CallRecord, Outcome
from dazi.guard.engine import Guard
from dazi.observe import genai
from dazi.observe.observer import UNKNOWN, Observer
from dazi.observe.tracing import Span
from dazi.router.approval import Asked, Ticket
from dazi.router.care import Care
from dazi.router.deciding import Canonical, Decider, Refused, TurnContext
from dazi.router.executing import Executor
from dazi.router.intents import Intent, IntentStore
from dazi.router.records import audit_body, loosely, writable
from dazi.router.tickets import TicketStore
from dazi.router.wording import approval_text, outcome_text, reject_text

log = logging.getLogger("dazi.router")

WELL = ("ok", "not_found", "needs_confirmation", "rejected", "client")
"""Outcomes of calls that went as they should."""

__all__ = ["FunctionRouter", "TurnContext"]


class FunctionRouter:
    """Takes proposed calls through every step. ``execute=False`` answers with each tool's declared
    example instead of acting: for evaluations."""

    def __init__(
        self,
        company: Company,
        connectors: Mapping[str, Connector],
        policy: Policy,
        ledger: Ledger,
        intents: IntentStore,
        tickets: TicketStore,
        *,
        execute: bool = True,
        care: Care | None = None,
        guard: Guard | None = None,
        observer: Observer | None = None,
    ) -> None:
        self._company = company
        self.guard = guard or Guard()
        self._decider = Decider(company, policy, self.guard)
        self._ledger = ledger
        self._intents = intents
        self.tickets = tickets
        self._execute = execute
        self._executor = Executor(connectors, care or Care(), self.guard, execute=execute)
        self.observer = observer or Observer()
        self._writing: set[asyncio.Task[CallRecord]] = set()

    @property
    def policy(self) -> Policy:
        return self._decider.policy

    async def settle(self) -> None:
        """Wait for writes under way; each has a deadline of its own."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def call(self, proposed: CallText, turn: TurnContext) -> CallRecord:
        """One proposed call, decided and, if allowed, done. Never raises for what the model did."""
        began = time.perf_counter()
        proposed = writable(proposed)
        span = self._within(proposed.name, proposed.id, turn)
        try:
            canonical = self._decider.proposal(proposed, turn)
        except Refused as refused:
            record = CallRecord(
                proposed.id,
                proposed.name,
                refused.detail.get("arguments") or loosely(proposed.arguments),
                refused.outcome,
                message=refused.message,
                hint=refused.hint,
            )
            await self._audit("decision", turn, record, refused.detail)
        else:
            if canonical.person:
                record = await self._ask(proposed, canonical, turn)
            else:
                record = await self._act(proposed.id, canonical, turn)
        return self._finished(record, began, turn, span)

    async def confirmed(self, ticket: Ticket, turn: TurnContext) -> CallRecord:
        """Execute what a person agreed to, after checking that it still may be."""
        began = time.perf_counter()
        span = self._within(ticket.tool, ticket.call, turn)
        self.observer.decided(ticket.tool, "approved")
        try:
            canonical = self._decider.approved(ticket, turn)
        except Refused as refused:
            record = self._of_ticket(ticket, refused.outcome, turn.language)
            await self._audit("decision", turn, record, refused.detail)
            self._told(record, span)
            return record
        record = await self._act(ticket.call, canonical, turn, ticket)
        return self._finished(record, began, turn, span)

    def _within(self, name: str, call: str, turn: TurnContext) -> Span:
        """Around one call; what the connector asks of others belongs to it."""
        known = name if name in self._company.tools else UNKNOWN
        span = self.observer.tracer.begin(f"execute_tool {known}", turn.trace)
        if span:
            span.attributes |= {
                genai.OPERATION: "execute_tool",
                genai.TOOL_NAME: known,
                genai.TOOL_CALL: call,
            }
        turn.within = span.context
        return span

    def _finished(
        self, record: CallRecord, began: float, turn: TurnContext, span: Span
    ) -> CallRecord:
        record = replace(record, ms=(time.perf_counter() - began) * 1000)
        turn.done.append(record)
        self._told(record, span)
        return record

    def _told(self, record: CallRecord, span: Span) -> None:
        self.observer.call(record, record.name in self._company.tools)
        span.set("dazi.outcome", record.outcome)
        span.end("" if record.outcome in WELL else record.outcome)

    async def rejected(self, ticket: Ticket, turn: TurnContext) -> CallRecord:
        record = replace(
            self._of_ticket(ticket, "rejected", turn.language),
            message=reject_text(ticket.decided_by != ticket.user, ticket.reason, turn.language),
            hint=ticket.reason,
        )
        self.observer.decided(ticket.tool, "rejected")
        detail = {"by": ticket.decided_by, "reason": ticket.reason}
        await self._audit("decision", turn, record, detail)
        turn.done.append(record)
        return record

    async def outcome_of(self, ticket: Ticket) -> str:
        """What is known of the effect of an approved ticket: ``under_way`` until it has begun."""
        asked = ticket.asked
        who = Principal(asked.user, frozenset(), tenant=asked.tenant)
        key = self._intents.key(who, asked.turn, asked.tool, asked.arguments, ticket.id)
        try:
            return (await self._intents.get(key)).state
        except NotFound:
            return "under_way"

    def _of_ticket(self, ticket: Ticket, outcome: Outcome, language: Language) -> CallRecord:
        tool = self._company.tools.get(ticket.tool)
        return CallRecord(
            ticket.call,
            ticket.tool,
            ticket.arguments,
            outcome,
            message=outcome_text(outcome, tool, language),
            ticket=ticket.id,
        )

    async def _ask(self, proposed: CallText, canonical: Canonical, turn: TurnContext) -> CallRecord:
        """The call waits for a person to agree to these very arguments."""
        tool = canonical.tool
        record = CallRecord(proposed.id, tool.name, canonical.arguments, "needs_confirmation")
        who = turn.principal
        try:
            ticket = await self.tickets.issue(
                Asked(
                    who.user,
                    who.tenant,
                    who.channel,
                    turn.thread,
                    turn.turn,
                    proposed.id,
                    tool.name,
                    canonical.arguments,
                    canonical.sources,
                    self.policy.version,
                    canonical.approver,
                )
            )
            role = self._company.role_names.get(canonical.approver)
            said = approval_text(role, turn.language)
            record = replace(record, ticket=ticket.id, message=said)
            await self._audit("decision", turn, record, canonical.detail)
        except OperatorError as e:
            return replace(record, outcome="unavailable", message=e.message(turn.language))
        return record

    async def _act(
        self, call: str, canonical: Canonical, turn: TurnContext, ticket: Ticket | None = None
    ) -> CallRecord:
        """A write goes on to its recorded outcome even if whoever asked for it leaves."""
        try:
            record, key = self._begun(call, canonical, turn, ticket)
        except OperatorError as e:  # without the person's key nothing can be told from a repeat
            tool, arguments = canonical.tool, dict(canonical.arguments)
            said = e.message(turn.language)
            return CallRecord(call, tool.name, arguments, "unavailable", message=said)
        if canonical.tool.effect == "read":
            return await self._read(record, key, canonical, turn)
        task = asyncio.create_task(self._write(record, key, canonical, turn, ticket))
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def _read(
        self, record: CallRecord, key: str, canonical: Canonical, turn: TurnContext
    ) -> CallRecord:
        self._put("call", turn, record, canonical.detail)
        record, _ = await self._executor.run(record, canonical, turn, key)
        self._put("outcome", turn, record, {})
        return record

    async def _write(
        self,
        record: CallRecord,
        key: str,
        canonical: Canonical,
        turn: TurnContext,
        ticket: Ticket | None,
    ) -> CallRecord:
        if self._executor.resting(canonical.tool.connector):
            # Nothing is begun of which it is known that it would fail.
            said = outcome_text("unavailable", canonical.tool, turn.language)
            record = replace(record, outcome="unavailable", message=said)
            await self._audit("decision", turn, record, {"reason": "the system rests"})
            return record
        by = ticket.decided_by if ticket else ""
        recorded = self._put("call", turn, record, {**canonical.detail, "key": key, "by": by})
        try:
            # An effect that could not be recorded must not happen.
            earlier = await self._intend(key, canonical, turn) if self._execute else None
            await self._recorded(recorded, key, turn, earlier)
        except OperatorError as e:
            return replace(record, outcome="unavailable", message=e.message(turn.language))
        if earlier is not None:
            return self._again(record, canonical, turn, earlier, ticket)
        record, raw = await self._executor.run(record, canonical, turn, key)
        recorded = self._put("outcome", turn, record, {"key": key})
        try:
            if self._execute:
                settled = {"unknown": "unknown", "ok": "done"}.get(record.outcome, "failed")
                await self._intents.settle(key, turn.principal.user, settled, raw)  # type: ignore[arg-type]
            await asyncio.shield(recorded)
        except OperatorError as e:
            # It has happened, and the person must hear so; the intent stays for somebody to settle.
            log.error("the outcome of %s cannot be recorded: %s", key, e)
        return record

    async def _intend(self, key: str, canonical: Canonical, turn: TurnContext) -> Intent | None:
        return await self._intents.begin(
            key, turn.principal.user, turn.turn, canonical.tool.name, canonical.arguments
        )

    async def _recorded(
        self, recorded: asyncio.Future[None], key: str, turn: TurnContext, earlier: Intent | None
    ) -> None:
        try:
            await asyncio.shield(recorded)
        except OperatorError:
            if self._execute and earlier is None:
                await self._intents.settle(key, turn.principal.user, "failed")
            raise

    def _again(
        self,
        record: CallRecord,
        canonical: Canonical,
        turn: TurnContext,
        earlier: Intent,
        ticket: Ticket | None,
    ) -> CallRecord:
        """This has begun before. A ticket taken up after a stop hears what came of it; a model
        that proposes the same thing twice hears that it did."""
        tool = canonical.tool
        if ticket is None:
            said = outcome_text("repeated", tool, turn.language)
            return replace(record, outcome="rejected", message=said)
        if earlier.state == "done":
            return self._executor.with_result(record, canonical, turn, earlier.result)
        outcome: Outcome = "failed" if earlier.state == "failed" else "unknown"
        return replace(record, outcome=outcome, message=outcome_text(outcome, tool, turn.language))

    def _begun(
        self, call: str, canonical: Canonical, turn: TurnContext, ticket: Ticket | None
    ) -> tuple[CallRecord, str]:
        tool, arguments = canonical.tool, dict(canonical.arguments)
        number = ticket.id if ticket else ""
        record = CallRecord(call, tool.name, arguments, "ok", ticket=number)
        key = self._intents.key(turn.principal, turn.turn, tool.name, arguments, number)
        return record, key

    async def _audit(
        self, kind: Kind, turn: TurnContext, record: CallRecord, detail: Mapping[str, Any]
    ) -> None:
        await asyncio.shield(self._put(kind, turn, record, detail))

    def _put(
        self, kind: Kind, turn: TurnContext, record: CallRecord, detail: Mapping[str, Any]
    ) -> asyncio.Future[None]:
        return self._ledger.put(kind, turn.principal.user, turn.turn, audit_body(record, detail))
