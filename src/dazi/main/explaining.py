"""``dazi tool explain``: may this person make this call, who would have to agree, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date
from typing import Any

from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.core.messages import CallText
from dazi.main.company import load_company
from dazi.main.settings import Settings
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


def explain(
    settings: Settings,
    user: str,
    call: CallText,
    sources: Mapping[str, str],
    language: Language,
) -> Explanation:
    """``sources`` names, for a parameter, another source than the person: ``mail:read_inbox``.

    Raises ``CallerError`` for a parameter that the call does not hold.
    """
    company = load_company(settings.company_folder())
    policy = CedarPolicy(company)
    principal = Directory(company, settings.host).principal(user, "api")
    evidence = Evidence(settings.today or date.today())
    arguments = _object(call.arguments)
    for name in sources:
        if name not in arguments:
            raise CallerError(
                "no_such_argument",
                f"调用里没有参数 “{name}”",
                f"the call has no argument “{name}”",
            )
    for name, value in arguments.items():
        if name in sources:
            evidence.found(sources[name], value)
        else:
            evidence.said(value if isinstance(value, str) else json.dumps(value))
    turn = TurnContext(
        "explain", "explain", principal, language, evidence, frozenset(company.tools)
    )
    decider = Decider(company, policy)
    try:
        decided = decider.proposal(call, turn)
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
        user,
        call.name,
        found,
        allowed,
        needs,
        name,
        f"{statement.path}:{statement.line}" if statement else "",
        statement.text if statement else "",
        message,
        company.role_names.get(needs),
    )


def as_json(e: Explanation) -> str:
    return json.dumps(
        {k: v for k, v in asdict(e).items() if k != "needs_name"}, ensure_ascii=False, indent=1
    )


def as_text(e: Explanation, language: Language) -> str:
    said = {"": ALLOWED, "confirmation": CONFIRM}.get(e.needs, APPROVE) if e.allowed else REFUSED
    lines = [
        f"{e.user} {e.tool}({json.dumps(dict(e.arguments), ensure_ascii=False)}): "
        + said(language).format(role=e.needs_name(language) if e.needs_name else e.needs)
    ]
    if e.message:
        lines.append(e.message)
    if e.policy:
        place = f" ({e.where})" if e.where else ""
        lines.append(WHY(language).format(policy=e.policy) + place)
    if e.text and not e.policy.startswith("roles:"):
        lines += [f"    {line}" for line in e.text.splitlines()]
    return "\n".join(lines)


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
