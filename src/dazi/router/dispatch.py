"""The function router: the model proposes, this decides.

A call passes these steps in this order, and no step reads the model's text again: exact name,
offered schema, grounding, normalisation, canonical schema, identity, policy, approval, intent,
execution of those same canonical arguments, outcome. Each step can only refuse.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from dazi.access.policy import Policy
from dazi.audit.ledger import Ledger
from dazi.core.company import Company
from dazi.core.errors import ConnectorError, ModelError, OperatorError
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import Connector, Invocation, Tool
from dazi.core.turn import CallRecord, Outcome
from dazi.router.derive import derive
from dazi.router.grounding import Evidence
from dazi.router.intents import IntentStore, Ticket, TicketStore, digest_of
from dazi.router.records import (
    audit_body,
    earlier_results,
    example_of,
    idempotency_key,
    loosely,
)
from dazi.router.schema import canonicalise, check_canonical, parse_arguments
from dazi.router.wording import mend_text, outcome_text


@dataclass(slots=True)
class TurnContext:
    """What the router knows of a turn. ``done`` are this turn's records, oldest first."""

    turn: str
    thread: str
    principal: Principal
    language: Language
    evidence: Evidence
    offered: frozenset[str] = frozenset()
    done: list[CallRecord] = field(default_factory=list)
    budget_s: float = 60.0


@dataclass(frozen=True, slots=True)
class _Canonical:
    """A call that may be executed as it stands."""

    tool: Tool
    arguments: Mapping[str, Any]
    bound: Mapping[str, str | None]
    taint: Mapping[str, str]
    policy: str


class _Refused(Exception):
    def __init__(
        self, outcome: Outcome, message: str, detail: Mapping[str, Any], hint: str = ""
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        self.detail = detail
        self.hint = hint


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
    ) -> None:
        self._company = company
        self._connectors = connectors
        self._policy = policy
        self._ledger = ledger
        self._intents = intents
        self.tickets = tickets
        self._execute = execute
        self._writing: set[asyncio.Task[CallRecord]] = set()

    async def settle(self) -> None:
        """Wait for writes under way; each has a deadline of its own."""
        await asyncio.gather(*self._writing, return_exceptions=True)

    async def call(self, proposed: CallText, turn: TurnContext) -> CallRecord:
        """One proposed call, decided and, if allowed, done. Never raises for what the model did."""
        began = time.perf_counter()
        try:
            canonical = self._decide(proposed, turn)
        except _Refused as refused:
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
            if canonical.tool.effect == "sensitive":
                record = await self._ask(proposed, canonical, turn)
            else:
                record = await self._act(proposed.id, canonical, turn)
        record = replace(record, ms=(time.perf_counter() - began) * 1000)
        turn.done.append(record)
        return record

    async def confirmed(self, ticket: Ticket, turn: TurnContext) -> CallRecord:
        """Execute what a person confirmed, after checking that it still may be."""
        began = time.perf_counter()
        tool = self._company.tools.get(ticket.tool)
        if tool is None or digest_of(ticket.tool, ticket.arguments) != ticket.digest:
            record = self._refusal(ticket, "forbidden", turn.language)
            await self._audit("decision", turn, record, {"reason": "ticket"})
            return record
        decision = self._policy.decide(turn.principal, tool, ticket.arguments, {})
        if not decision.allowed or ticket.policy != self._policy.version:
            record = self._refusal(ticket, "forbidden", turn.language)
            await self._audit("decision", turn, record, {"policy": decision.policy})
            return record
        try:
            bound = self._bind(tool, turn.principal, turn.language)
        except _Refused as refused:
            record = self._refusal(ticket, refused.outcome, turn.language)
            await self._audit("decision", turn, record, refused.detail)
            return record
        canonical = _Canonical(tool, ticket.arguments, bound, {}, decision.policy)
        record = await self._act(ticket.call, canonical, turn, ticket=ticket.id)
        record = replace(record, ms=(time.perf_counter() - began) * 1000)
        turn.done.append(record)
        return record

    async def rejected(self, ticket: Ticket, turn: TurnContext) -> CallRecord:
        record = replace(
            self._refusal(ticket, "rejected", turn.language),
            message=outcome_text("cancelled", None, turn.language),
        )
        await self._audit("decision", turn, record, {"ticket": ticket.id})
        turn.done.append(record)
        return record

    # --- deciding --------------------------------------------------------------------------

    def _decide(self, proposed: CallText, turn: TurnContext) -> _Canonical:
        tool = self._company.tools.get(proposed.name)
        if tool is None or tool.name not in turn.offered:
            raise self._no("unknown_tool", None, turn, {"proposed": proposed.name[:100]})
        # A role that may never use the tool hears so before its arguments are looked at; the
        # policy step below decides again with the canonical arguments.
        early = self._policy.decide(turn.principal, tool, {}, {})
        if not early.allowed:
            raise self._no("forbidden", tool, turn, {"policy": early.policy})
        try:
            offered = parse_arguments(tool, proposed.arguments)
            taint = self._ground(tool, offered, turn)
            canonical = canonicalise(tool, offered, turn.evidence.today)
            canonical = self._defaults(tool, canonical, turn)
            check_canonical(tool, canonical)
        except ModelError as e:
            outcome: Outcome = "ungrounded" if e.code == "ungrounded" else "invalid"
            said = mend_text(tool, (e.parameter,), turn.language)
            detail = {"reason": e.text.en}
            raise _Refused(outcome, said, detail, e.message(turn.language)) from None
        if tool.operation.get("needs_results") and not any(r.outcome == "ok" for r in turn.done):
            raise self._no("invalid", tool, turn, {"reason": "no earlier results"})
        bound = self._bind(tool, turn.principal, turn.language)
        decision = self._policy.decide(turn.principal, tool, canonical, taint)
        if not decision.allowed:
            raise self._no(
                "forbidden", tool, turn, {"policy": decision.policy, "arguments": canonical}
            )
        return _Canonical(tool, canonical, bound, taint, decision.policy)

    def _no(
        self, outcome: Outcome, tool: Tool | None, turn: TurnContext, detail: Mapping[str, Any]
    ) -> _Refused:
        return _Refused(outcome, outcome_text(outcome, tool, turn.language), detail)

    def _ground(
        self, tool: Tool, arguments: Mapping[str, Any], turn: TurnContext
    ) -> dict[str, str]:
        taint: dict[str, str] = {}
        for p in tool.parameters:
            if not p.grounded or p.name not in arguments:
                continue
            label = turn.evidence.supports(p, arguments[p.name])
            if label is None:
                raise ModelError(
                    "ungrounded",
                    f"{p.name} 的值 “{arguments[p.name]}” 没有出处,请向用户询问",
                    f"{p.name}: “{arguments[p.name]}” occurs nowhere in what the user or a tool "
                    "said; ask the user for it",
                    p.name,
                )
            taint[p.name] = label
        return taint

    def _defaults(self, tool: Tool, arguments: dict[str, Any], turn: TurnContext) -> dict[str, Any]:
        for p in tool.parameters:
            if p.default is not None and p.name not in arguments:
                earlier = [str(i) for i, r in enumerate(turn.done, 1) if r.outcome == "ok"]
                arguments[p.name] = earlier if p.default == "@results" else p.default
        return arguments

    def _bind(self, tool: Tool, principal: Principal, language: Language) -> dict[str, str | None]:
        bound: dict[str, str | None] = {}
        for argument, binding in tool.bind.items():
            owned = not binding.required_for or principal.has_role(*binding.required_for)
            value = principal.attributes.get(binding.attribute) if owned else None
            if owned and not value:
                message = outcome_text("forbidden", tool, language)
                raise _Refused("forbidden", message, {"policy": f"bind:{binding.attribute}"})
            bound[argument] = value
        return bound

    def _refusal(self, ticket: Ticket, outcome: Outcome, language: Language) -> CallRecord:
        tool = self._company.tools.get(ticket.tool)
        return CallRecord(
            ticket.call,
            ticket.tool,
            ticket.arguments,
            outcome,
            message=outcome_text(outcome, tool, language),
            ticket=ticket.id,
        )

    # --- acting ------------------------------------------------------------------------------

    async def _ask(
        self, proposed: CallText, canonical: _Canonical, turn: TurnContext
    ) -> CallRecord:
        """A sensitive call waits for the same user to confirm these very arguments."""
        ticket = await self.tickets.issue(
            user=turn.principal.user,
            tenant=turn.principal.tenant,
            thread=turn.thread,
            turn=turn.turn,
            call=proposed.id,
            tool=canonical.tool.name,
            arguments=canonical.arguments,
            policy=self._policy.version,
        )
        record = CallRecord(
            proposed.id,
            canonical.tool.name,
            canonical.arguments,
            "needs_confirmation",
            message=outcome_text("needs_confirmation", canonical.tool, turn.language),
            ticket=ticket.id,
        )
        detail = {"policy": canonical.policy, "taint": canonical.taint}
        await self._audit("decision", turn, record, detail)
        return record

    async def _act(
        self, call: str, canonical: _Canonical, turn: TurnContext, ticket: str = ""
    ) -> CallRecord:
        """A write goes on to its recorded outcome even if whoever asked for it leaves."""
        work = self._perform(call, canonical, turn, ticket)
        if canonical.tool.effect == "read":
            return await work
        task = asyncio.create_task(work)
        self._writing.add(task)
        task.add_done_callback(self._writing.discard)
        return await asyncio.shield(task)

    async def _perform(
        self, call: str, canonical: _Canonical, turn: TurnContext, ticket: str
    ) -> CallRecord:
        tool, arguments = canonical.tool, dict(canonical.arguments)
        record = CallRecord(call, tool.name, arguments, "ok", ticket=ticket)
        key = idempotency_key(turn.principal.tenant, turn.turn, tool.name, arguments, ticket)
        detail = {"policy": canonical.policy, "taint": canonical.taint, "key": key}
        writes = tool.effect != "read"
        try:
            if writes:
                # An effect that could not be recorded must not happen.
                await self._audit("call", turn, record, detail)
                if self._execute and not await self._intents.begin(
                    key, turn.principal.user, turn.turn, tool.name, arguments
                ):
                    return replace(
                        record,
                        outcome="rejected",
                        message=outcome_text("repeated", tool, turn.language),
                    )
            else:
                self._ledger.put("call", turn.principal.user, turn.turn, audit_body(record, detail))
        except OperatorError as e:
            return replace(record, outcome="unavailable", message=e.message(turn.language))
        outcome, raw, message = await self._execute_once(canonical, turn, key)
        if outcome == "ok":
            result = derive(tool, raw, arguments, turn.language, turn.evidence.today)
            turn.evidence.found(tool.name, result)
            record = replace(record, result=result)
        else:
            record = replace(record, outcome=outcome, message=message)
        if writes and self._execute:
            settled = "unknown" if outcome == "unknown" else "done" if outcome == "ok" else "failed"
            await self._intents.settle(key, settled)
            await self._audit("outcome", turn, record, {"key": key})
        else:
            self._ledger.put("outcome", turn.principal.user, turn.turn, audit_body(record, {}))
        return record

    async def _execute_once(
        self, canonical: _Canonical, turn: TurnContext, key: str
    ) -> tuple[Outcome, Any, str]:
        tool = canonical.tool
        if not self._execute:
            return "ok", example_of(tool, canonical.arguments), ""
        deadline = min(tool.timeout_s, max(turn.budget_s, 0.1))
        invocation = Invocation(
            tool,
            canonical.arguments,
            canonical.bound,
            turn.principal,
            key,
            deadline,
            turn.evidence.today.isoformat(),
            earlier_results(canonical.arguments, turn.done),
        )
        try:
            raw = await asyncio.wait_for(
                self._connectors[tool.connector].execute(invocation), deadline + 0.5
            )
        except TimeoutError:
            unknown = tool.effect != "read"
            outcome: Outcome = "unknown" if unknown else "timeout"
            return outcome, None, outcome_text(outcome, tool, turn.language)
        except ConnectorError as e:
            if e.effect_possible and tool.effect != "read":
                return "unknown", None, outcome_text("unknown", tool, turn.language)
            if e.code == "refused":
                return "rejected", None, e.message(turn.language)
            outcome = "timeout" if e.code == "timeout" else "unavailable"
            return outcome, None, outcome_text(outcome, tool, turn.language)
        if raw is None:
            return "not_found", None, outcome_text("not_found", tool, turn.language)
        return "ok", raw, ""

    async def _audit(
        self, kind: Any, turn: TurnContext, record: CallRecord, detail: Mapping[str, Any]
    ) -> None:
        await self._ledger.append(kind, turn.principal.user, turn.turn, audit_body(record, detail))
