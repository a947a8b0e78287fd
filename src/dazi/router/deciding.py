"""May a proposed call happen, and with which arguments? Every step here can only refuse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from dazi.access.policy import Facts, Policy
from dazi.core.company import Company
from dazi.core.errors import ModelError
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import SINKS, Tool
from dazi.core.turn import CallRecord, Outcome
from dazi.guard.engine import Guard
from dazi.router.approval import Ticket
from dazi.router.grounding import Evidence
from dazi.router.schema import canonicalise, check_canonical, parse_arguments
from dazi.router.wording import mend_text, outcome_text

Sources = Mapping[str, tuple[str, ...]]


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
    trace: str = ""
    """W3C ``traceparent`` of the turn."""
    within: str = ""
    """That of the call under way."""


@dataclass(frozen=True, slots=True)
class Canonical:
    """A call that may be executed as it stands, once those have agreed who must.

    ``person``: somebody has to agree; ``approver`` is then the role of that somebody, empty for
    the requester. ``sources`` say where each argument came from, ``signals`` what in texts from
    outside spoke to the model until then.
    """

    tool: Tool
    arguments: Mapping[str, Any]
    bound: Mapping[str, str | None]
    sources: Sources
    policy: str
    person: bool = False
    approver: str = ""
    signals: tuple[str, ...] = ()

    @property
    def detail(self) -> dict[str, Any]:
        """What the audit keeps of the decision."""
        mixed = {n: labels for n, labels in self.sources.items() if labels != ("person",)}
        return {
            "policy": self.policy,
            "sources": mixed,
            "approver": self.approver,
            "signals": self.signals,
        }


class Refused(Exception):
    """``message`` is for the person, ``hint`` for the model, ``detail`` for the audit."""

    def __init__(
        self, outcome: Outcome, message: str, detail: Mapping[str, Any], hint: str = ""
    ) -> None:
        super().__init__(message)
        self.outcome = outcome
        self.message = message
        self.detail = detail
        self.hint = hint


class Decider:
    """Takes a proposal to its canonical form and decides on that form."""

    def __init__(self, company: Company, policy: Policy, guard: Guard | None = None) -> None:
        self.company = company
        self.policy = policy
        self.guard = guard or Guard()

    def proposal(self, proposed: CallText, turn: TurnContext) -> Canonical:
        """Raises ``Refused``."""
        tool = self.company.tools.get(proposed.name)
        if tool is None or tool.name not in turn.offered:
            raise _no("unknown_tool", None, turn, {"proposed": proposed.name[:100]})
        # Who may never use the tool hears so before its arguments are looked at; the policy
        # decides again below, with the canonical arguments.
        early = self.policy.possible(turn.principal, tool)
        if not early.allowed:
            raise _no("forbidden", tool, turn, {"policy": early.policy})
        try:
            offered = parse_arguments(tool, proposed.arguments)
            _ground(tool, offered, turn)
            canonical = canonicalise(tool, offered, turn.evidence.today)
            canonical = _defaults(tool, canonical, turn)
            check_canonical(tool, canonical)
        except ModelError as e:
            outcome: Outcome = "ungrounded" if e.code == "ungrounded" else "invalid"
            said = mend_text(tool, (e.parameter,), turn.language)
            raise Refused(outcome, said, {"reason": e.text.en}, e.message(turn.language)) from None
        if tool.operation.get("needs_results") and not any(r.outcome == "ok" for r in turn.done):
            raise _no("invalid", tool, turn, {"reason": "no earlier results"})
        bound = bind(tool, turn.principal, turn.language)
        sources = _sources(tool, offered, turn.evidence)
        facts = Facts(canonical, sources, _now(turn), signals=turn.evidence.signals)
        seen = tuple(sorted(facts.signals))
        decision = self.policy.decide(turn.principal, tool, facts)
        if not decision.allowed:
            told = {"policy": decision.policy, "arguments": canonical, "signals": seen}
            raise _no("forbidden", tool, turn, told)
        person = tool.effect == "sensitive" or decision.confirm or bool(tool.approver)
        person = self._guarded(tool, canonical, turn) or person
        person = person or _goes_where_no_person_said(tool, sources)
        approver = decision.approver or tool.approver
        return Canonical(tool, canonical, bound, sources, decision.policy, person, approver, seen)

    def _guarded(self, tool: Tool, arguments: Mapping[str, Any], turn: TurnContext) -> bool:
        """Must a person look at what is in the arguments? Raises ``Refused`` for what is blocked."""
        who = turn.principal
        if not self.guard.rules.of("arguments", who):
            return False
        texts = [v for v in arguments.values() if isinstance(v, str)]
        actions = {self.guard.verdict(text, "arguments", who).action for text in texts}
        if "block" in actions:
            raise _no("forbidden", tool, turn, {"policy": "guard", "arguments": dict(arguments)})
        return "ask" in actions

    def approved(self, ticket: Ticket, turn: TurnContext) -> Canonical:
        """The call that a ticket stands for, if it still may happen. Raises ``Refused``."""
        tool = self.company.tools.get(ticket.tool)
        if tool is None or not ticket.genuine or ticket.state != "approved":
            raise _no("forbidden", tool, turn, {"reason": "ticket"})
        if ticket.user != turn.principal.user or ticket.asked.tenant != turn.principal.tenant:
            raise _no("forbidden", tool, turn, {"reason": "ticket"})
        seen = turn.evidence.signals
        facts = Facts(
            ticket.arguments, ticket.asked.sources, _now(turn), True, ticket.approved_by, seen
        )
        decision = self.policy.decide(turn.principal, tool, facts)
        if not decision.allowed or ticket.asked.policy != self.policy.version:
            told = {"policy": decision.policy, "signals": sorted(seen)}
            raise _no("forbidden", tool, turn, told)
        if decision.confirm or not _agreed(ticket):
            raise _no("forbidden", tool, turn, {"reason": "approver"})
        bound = bind(tool, turn.principal, turn.language)
        return Canonical(
            tool,
            ticket.arguments,
            bound,
            ticket.asked.sources,
            decision.policy,
            signals=tuple(sorted(seen)),
        )


def _agreed(ticket: Ticket) -> bool:
    """Did whoever had to agree do so?"""
    agreed = not ticket.approver or ticket.approver in ticket.approved_by
    return agreed and bool(ticket.decided_by)


def _goes_where_no_person_said(tool: Tool, sources: Sources) -> bool:
    """A recipient, amount, address or account that only a system or a document named."""
    return any(
        p.format in SINKS and p.name in sources and sources[p.name] != ("person",)
        for p in tool.parameters
    )


def _ground(tool: Tool, arguments: Mapping[str, Any], turn: TurnContext) -> None:
    for p in tool.parameters:
        if not p.grounded or p.name not in arguments:
            continue
        if turn.evidence.supports(p, arguments[p.name]) is None:
            raise ModelError(
                "ungrounded",
                f"{p.name} 的值 “{arguments[p.name]}” 没有出处,请向用户询问",
                f"{p.name}: “{arguments[p.name]}” occurs nowhere in what the user or a tool "
                "said; ask the user for it",
                p.name,
            )


def _sources(tool: Tool, arguments: Mapping[str, Any], evidence: Evidence) -> Sources:
    """``arguments`` as offered: what was said, and not yet what it means."""
    return {
        p.name: evidence.origins(p, arguments[p.name])
        for p in tool.parameters
        if p.name in arguments
    }


def _defaults(tool: Tool, arguments: dict[str, Any], turn: TurnContext) -> dict[str, Any]:
    for p in tool.parameters:
        if p.default is not None and p.name not in arguments:
            earlier = [str(i) for i, r in enumerate(turn.done, 1) if r.outcome == "ok"]
            arguments[p.name] = earlier if p.default == "@results" else p.default
    return arguments


def bind(tool: Tool, principal: Principal, language: Language) -> dict[str, str | None]:
    """Hidden arguments from the caller's identity. Raises ``Refused`` where one is missing."""
    bound: dict[str, str | None] = {}
    for argument, binding in tool.bind.items():
        owned = not binding.required_for or principal.has_role(*binding.required_for)
        value = principal.attributes.get(binding.attribute) if owned else None
        if owned and not value:
            message = outcome_text("forbidden", tool, language)
            raise Refused("forbidden", message, {"policy": f"bind:{binding.attribute}"})
        bound[argument] = value
    return bound


def _now(turn: TurnContext) -> datetime:
    return datetime.combine(turn.evidence.today, datetime.now().time())


def _no(
    outcome: Outcome, tool: Tool | None, turn: TurnContext, detail: Mapping[str, Any]
) -> Refused:
    return Refused(outcome, outcome_text(outcome, tool, turn.language), detail)
