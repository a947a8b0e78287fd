"""May this person make this call, who would have to agree, and which policy says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from dazi.access.cedar import CedarPolicy
from dazi.core.company import Company
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.router.deciding import Decider, Refused, TurnContext
from dazi.router.grounding import Evidence

ALLOWED = Text("允许", "allowed")
CONFIRM = Text("允许,要由本人确认", "allowed, once the requester confirms")
APPROVE = Text("允许,要由{role}批准", "allowed, once someone who is {role} approves")
REFUSED = Text("不允许", "not allowed")
WHY = Text("由 {policy} 决定", "decided by {policy}")


@dataclass(frozen=True, slots=True)
class Explanation:
    """``arguments`` are canonical where the call got that far. ``policy`` is what decided;
    ``where`` its file and line, ``text`` its words. ``needs``: ``""``, ``confirmation``, or the
    role of whoever must approve. ``message`` is what the person would be told."""

    user: str
    tool: str
    arguments: Mapping[str, Any]
    allowed: bool
    needs: str
    policy: str
    where: str
    text: str
    message: str
    needs_name: Text | None = None

    def told(self, language: Language) -> str:
        """The answer in a word or two."""
        said = {"": ALLOWED, "confirmation": CONFIRM}.get(self.needs, APPROVE)
        if not self.allowed:
            said = REFUSED
        role = self.needs_name(language) if self.needs_name else self.needs
        return said(language).format(role=role)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about. ``sources`` names, for a parameter, another source than the person:
    ``mail:read_inbox``."""

    principal: Principal
    call: CallText
    today: date
    language: Language
    sources: Mapping[str, str] = field(default_factory=dict)


def explained(company: Company, policy: CedarPolicy, asked: Asked) -> Explanation:
    """Raises ``CallerError`` for a parameter that the call does not hold, and for arguments that are
    no JSON object."""
    evidence = Evidence(asked.today)
    arguments = _object(asked.call.arguments)
    for name in asked.sources:
        if name not in arguments:
            raise CallerError(
                "no_such_argument",
                f"调用里没有参数 “{name}”",
                f"the call has no argument “{name}”",
            )
    for name, value in arguments.items():
        if name in asked.sources:
            evidence.found(asked.sources[name], value)
        else:
            evidence.said(value if isinstance(value, str) else json.dumps(value))
    turn = TurnContext(
        "explain", "explain", asked.principal, asked.language, evidence, frozenset(company.tools)
    )
    try:
        decided = Decider(company, policy).proposal(asked.call, turn)
    except Refused as refused:
        name = str(refused.detail.get("policy", ""))
        found = refused.detail.get("arguments") or arguments
        needs, allowed = "", False
        message = refused.hint or refused.message
    else:
        name, found, allowed, message = decided.policy, decided.arguments, True, ""
        needs = (decided.approver or "confirmation") if decided.person else ""
    statement = policy.where(name)
    return Explanation(
        asked.principal.user,
        asked.call.name,
        found,
        allowed,
        needs,
        name,
        f"{statement.path}:{statement.line}" if statement else "",
        statement.text if statement else "",
        message,
        company.role_names.get(needs),
    )


def _object(text: str) -> dict[str, Any]:
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    if not isinstance(data, dict):
        raise CallerError(
            "arguments",
            '参数要写成 JSON 对象,例如 \'{"order_id": "ORD12345"}\'',
            'arguments are a JSON object, such as \'{"order_id": "ORD12345"}\'',
        )
    return data
