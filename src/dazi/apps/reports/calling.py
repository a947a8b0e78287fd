"""A report's tool calls: through the function router, as the person who runs it.

All calls of one run are one turn of that person: policies, approvals, limits and the ledger see them as
they see the calls of a conversation. What the report's file says counts as the file's words and what the
parameters say as the person's, so a recipient or a system that only data named stays tainted.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Mapping
from datetime import date
from typing import Any, Protocol

from dazi.access.limits.limiter import Limiter
from dazi.apps.reports.definition import Report, Step
from dazi.apps.reports.result import Call
from dazi.audit.ledger import Ledger
from dazi.core.company import Company
from dazi.core.engine import Usage
from dazi.core.errors import AccessError, CallerError, ConnectorError
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.turn import CallRecord
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.grounding import Evidence

SECONDS = 60.0
"""What one call may take, where its tool's own limit is not less."""
MAIL = "send_email"
NOTHING = frozenset({"not_found"})


class Caller(Protocol):
    """Who makes the calls of one run."""

    async def call(self, step: str, tool: str, arguments: Mapping[str, Any]) -> tuple[Any, Call]:
        """The result, ``None`` where there was nothing. Raises ``AccessError`` for what the person
        may not do, ``CallerError`` for wrong arguments, ``ConnectorError`` for a system that does not
        answer."""
        ...


class GovernedCaller:
    """Calls as ``principal``, in one turn."""

    def __init__(
        self,
        company: Company,
        router: FunctionRouter,
        ledger: Ledger,
        principal: Principal,
        limiter: Limiter | None = None,
    ) -> None:
        self._company, self._router, self._ledger = company, router, ledger
        self.principal = principal
        self._limiter = limiter or Limiter()
        self.turn = f"turn_{secrets.token_hex(10)}"
        self._context: TurnContext | None = None
        self._calls = 0

    def begin(
        self, report: Report, given: Mapping[str, Any], today: date, language: Language
    ) -> None:
        """``given``: what the person said the report is to be run with."""
        evidence = Evidence(today)
        for value in given.values():
            evidence.said(_words(value))
        evidence.found(f"report:{report.name}", [_declared(s) for s in report.steps])
        defaults = {p.name: p.default for p in report.parameters if p.name not in given}
        evidence.found(f"report:{report.name}", defaults)
        who = self.principal
        self._context = TurnContext(
            self.turn,
            f"report_{self.turn[5:]}",
            who,
            language,
            evidence,
            report.tools | {MAIL},
            budget_s=SECONDS,
        )
        body = {"channel": who.channel, "roles": sorted(who.roles), "report": report.name}
        self._ledger.put("turn", who.user, self.turn, body)

    async def call(self, step: str, tool: str, arguments: Mapping[str, Any]) -> tuple[Any, Call]:
        record, at = await self._made(tool, arguments)
        declared = self._company.tools[tool]
        result = record.result if record.outcome == "ok" else None
        rows = result.get(declared.result.rows) if isinstance(result, Mapping) else None
        many = len(rows) if isinstance(rows, list) else int(result is not None)
        assert self._context is not None
        system = declared.system(self._context.language)
        told = Call(
            step, tool, system, dict(record.arguments), record.outcome, many, at, round(record.ms, 1),
            self.turn,
        )  # fmt: skip
        if record.outcome != "ok" and record.outcome not in NOTHING:
            raise _refusal(record)
        return result, told

    async def mail(self, to: str, subject: str, body: str) -> CallRecord:
        """Through the company's mail tool, whatever comes of it: a person's confirmation, for one."""
        record, _ = await self._made(MAIL, {"to": to, "subject": subject, "body": body})
        return record

    async def _made(self, tool: str, arguments: Mapping[str, Any]) -> tuple[CallRecord, str]:
        if self._context is None:
            raise AssertionError("begin() comes first")
        self._calls += 1
        text = json.dumps(arguments, ensure_ascii=False, default=str)
        proposed = CallText(f"call_{self.turn[-8:]}_{self._calls - 1}", tool, text)
        admission = await self._limiter.admit(self.principal, "", Usage())
        at = time.strftime("%Y-%m-%dT%H:%M:%S%z")
        try:
            return await self._router.call(proposed, self._context), at
        finally:
            await admission.settle(Usage())


def _refusal(record: CallRecord) -> Exception:
    zh = f"{record.name}: {record.message or record.outcome}"
    match record.outcome:
        case "forbidden" | "unknown_tool" | "rejected" | "needs_confirmation":
            return AccessError("forbidden", zh, zh)
        case "invalid" | "ungrounded":
            return CallerError("arguments", zh, zh)
        case "timeout":
            return ConnectorError("timeout", zh, zh)
        case _:
            return ConnectorError("unavailable", zh, zh)


def _declared(step: Step) -> dict[str, Any]:
    """What the report's file itself says to the tool."""
    return {k: v for k, v in step.arguments.items() if isinstance(v, str | int | float | tuple)}


def _words(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
