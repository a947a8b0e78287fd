"""``dazi tool explain``: may this person make this call, who would have to agree, and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from datetime import date

from dazi.access.cedar import CedarPolicy
from dazi.access.users import Directory
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.main.company import load_company
from dazi.main.settings import Settings
from dazi.router.explaining import WHY, Asked, Explanation, explained


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
    principal = Directory(company, settings.host).principal(user, "api")
    asked = Asked(principal, call, settings.today or date.today(), language, sources)
    return explained(company, CedarPolicy(company), asked)


def as_json(e: Explanation) -> str:
    return json.dumps(
        {k: v for k, v in asdict(e).items() if k != "needs_name"}, ensure_ascii=False, indent=1
    )


def as_text(e: Explanation, language: Language) -> str:
    lines = [
        f"{e.user} {e.tool}({json.dumps(dict(e.arguments), ensure_ascii=False)}): "
        + e.told(language)
    ]
    if e.message:
        lines.append(e.message)
    if e.policy:
        place = f" ({e.where})" if e.where else ""
        lines.append(WHY(language).format(policy=e.policy) + place)
    if e.text and not e.policy.startswith("roles:"):
        lines += [f"    {line}" for line in e.text.splitlines()]
    return "\n".join(lines)
