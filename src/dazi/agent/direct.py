"""A call that another program's model makes: governed like any other, without a conversation.

Nobody here has heard a person speak. What the program passes counts as its own words, not as those
of the person it acts for: enough to be grounded, not enough to say where money or mail goes.
"""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass
from datetime import date
from typing import Any

from dazi.audit.ledger import Ledger
from dazi.core.language import Language
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import Tool
from dazi.core.turn import CallRecord
from dazi.router.dispatch import FunctionRouter, TurnContext
from dazi.router.grounding import Evidence

SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class DirectCall:
    """``arguments`` is JSON text, as the program sent it; ``tools`` are what the person may use.
    ``turn``: what it is to be known by on record; made up where that is empty."""

    principal: Principal
    name: str
    arguments: str
    language: Language
    tools: tuple[Tool, ...]
    turn: str = ""


async def call(
    router: FunctionRouter, ledger: Ledger, asked: DirectCall, today: date
) -> CallRecord:
    """Raises ``OperatorError`` where a write cannot be recorded."""
    who = asked.principal
    turn = asked.turn or new_turn()
    evidence = Evidence(today)
    evidence.found(f"client:{who.channel}", _decoded(asked.arguments))
    context = TurnContext(
        turn,
        f"{who.channel}_{secrets.token_hex(10)}",
        who,
        asked.language,
        evidence,
        frozenset(t.name for t in asked.tools),
        budget_s=SECONDS,
    )
    body = {"channel": who.channel, "roles": sorted(who.roles), "tool": asked.name[:100]}
    ledger.put("turn", who.user, turn, body)
    proposed = CallText(f"call_{turn[-8:]}_0", asked.name, asked.arguments)
    return await router.call(proposed, context)


def new_turn() -> str:
    return f"turn_{secrets.token_hex(10)}"


def _decoded(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text[:1000]
