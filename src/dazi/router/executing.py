"""Execution of a canonical call in its connector, once, and what is made of the system's answer."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dazi.core.errors import ConnectorError
from dazi.core.tools import Connector, Invocation
from dazi.core.turn import CallRecord, Outcome
from dazi.guard.data import guarded_data
from dazi.guard.engine import Guard
from dazi.guard.rules import Scope
from dazi.router.care import Care
from dazi.router.deciding import Canonical, TurnContext
from dazi.router.derive import derive
from dazi.router.records import earlier_results, example_of
from dazi.router.wording import outcome_text

log = logging.getLogger("dazi.router")


class Executor:
    """``execute=False`` answers with each tool's declared example instead of acting."""

    def __init__(
        self,
        connectors: Mapping[str, Connector],
        care: Care,
        guard: Guard,
        *,
        execute: bool = True,
    ) -> None:
        self._connectors = connectors
        self._care = care
        self._guard = guard
        self._execute = execute

    def resting(self, connector: str) -> bool:
        """Is it left alone just now, so that it is known that a call would fail?"""
        return self._execute and self._care.resting(connector)

    async def run(
        self, record: CallRecord, canonical: Canonical, turn: TurnContext, key: str
    ) -> tuple[CallRecord, Any]:
        """The call's record with its outcome, and what the system answered. Never raises for what a
        connector did."""
        outcome, raw, message = await self._once(canonical, turn, key)
        if outcome != "ok":
            return replace(record, outcome=outcome, message=message), None
        try:
            return self.with_result(record, canonical, turn, raw), raw
        except Exception:  # a system may answer anything at all
            log.exception("the answer of %s cannot be read", canonical.tool.name)
            return _unclear(record, canonical, turn), None

    def with_result(
        self, record: CallRecord, canonical: Canonical, turn: TurnContext, raw: Any
    ) -> CallRecord:
        tool = canonical.tool
        result = derive(tool, raw, canonical.arguments, turn.language, turn.evidence.today)
        # Before the model, the person or anything else sees it.
        scope: Scope = "documents" if tool.origin == "document" else "results"
        result = guarded_data(self._guard, result, scope, turn.principal, turn.language)
        source = turn.evidence.found(tool.label, result)
        return replace(
            record, result=result, signals=tuple(sorted(source.signals)), score=source.score
        )

    async def _once(
        self, canonical: Canonical, turn: TurnContext, key: str
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
            tuple(turn.evidence.words()),
            turn.thread,
            turn.within,
        )
        connector = self._connectors[tool.connector]

        async def work() -> Any:
            return await connector.execute(invocation)

        try:
            async with asyncio.timeout(deadline + 0.5):
                if tool.effect == "read":
                    raw = await self._care.read(tool.connector, deadline, work)
                else:
                    raw = await self._care.once(tool.connector, work)
        except TimeoutError:
            unknown = tool.effect != "read"
            outcome: Outcome = "unknown" if unknown else "timeout"
            return outcome, None, outcome_text(outcome, tool, turn.language)
        except ConnectorError as e:
            if e.effect_possible and tool.effect != "read":
                return "unknown", None, outcome_text("unknown", tool, turn.language)
            if e.code == "invalid":
                return "invalid", None, e.message(turn.language)
            if e.code == "not_found":
                return "not_found", None, e.message(turn.language)
            if e.code == "refused":
                return "rejected", None, e.message(turn.language)
            outcome = "timeout" if e.code == "timeout" else "unavailable"
            return outcome, None, outcome_text(outcome, tool, turn.language)
        except Exception:  # connectors are anybody's code
            log.exception("the connector of %s failed", tool.name)
            outcome = "unavailable" if tool.effect == "read" else "unknown"
            return outcome, None, outcome_text(outcome, tool, turn.language)
        if raw is None:
            return "not_found", None, outcome_text("not_found", tool, turn.language)
        return "ok", raw, ""


def _unclear(record: CallRecord, canonical: Canonical, turn: TurnContext) -> CallRecord:
    """Something went wrong that no connector foresaw: of a write nobody knows what came."""
    outcome: Outcome = "unavailable" if canonical.tool.effect == "read" else "unknown"
    said = outcome_text(outcome, canonical.tool, turn.language)
    return replace(record, outcome=outcome, message=said)
