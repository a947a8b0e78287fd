"""A company of one tool and an engine that follows a script: an agent turn without a model."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from bench.upstream import ANSWER, CALL, ORDER
from dazi.core.company import Company
from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    TextDelta,
    Usage,
)
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Invocation, Parameter, Tool, ToolResultRules
from dazi.main.runtime import Runtime, assemble
from dazi.main.settings import Settings

TODAY = date(2025, 4, 3)
CUSTOMER = Principal(
    "customer",
    frozenset({"customer"}),
    MappingProxyType({"customer_id": "C10001"}),
    channel="bench",
)
_ORDER = re.compile(r"ORD\d{5}")


def question(number: int) -> str:
    """Each turn asks about another order, so that nothing is answered from what was kept."""
    return f"我三天前下的订单 ORD{10_000 + number % 90_000} 还没发货,怎么回事?"


class ScriptedEngine:
    """Proposes one call, then words the answer; costs next to nothing itself."""

    profile = ModelProfile("scripted", 32_768, thinks=False)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        said = next(m.content for m in reversed(request.messages) if m.role == "user")
        asked = _ORDER.findall(said)[-1]
        if request.messages[-1].role == "tool":
            yield TextDelta(ANSWER.replace(ORDER, asked))
            yield Done("stop", Usage(200, 12))
            return
        arguments = CALL["arguments"].replace(ORDER, asked)
        yield CallStarted(0, CALL["name"])
        yield CallArgumentsDelta(0, arguments)
        yield CallDone(0, CALL["name"], arguments)
        yield Done("tool_calls", Usage(150, 20))

    def count_tokens(self, request: GenerateRequest) -> int:
        return sum(len(m.content) for m in request.messages)

    async def warm(self, request: GenerateRequest) -> None:
        return None

    async def close(self) -> None:
        return None


class TrivialConnector:
    """A system that answers at once."""

    async def execute(self, invocation: Invocation) -> Any:
        order = invocation.arguments["order_id"]
        return {"order_id": order, "status": "packed", "status_text": "已打包"}

    async def close(self) -> None:
        return None


def company(folder: Path) -> Company:
    order = Parameter(
        "order_id",
        "string",
        Text("订单号", "order number"),
        required=True,
        pattern="^ORD[0-9]{5}$",
        grounded=True,
    )
    tool = Tool(
        name=CALL["name"],
        system=Text("客户关系系统", "CRM"),
        description=Text("查订单的状态", "Look up an order's status"),
        parameters=(order,),
        roles=frozenset({"customer"}),
        effect="read",
        connector="crm",
        operation={},
        result=ToolResultRules(shape="one", shown=("order_id", "status_text")),
    )
    return Company(
        folder,
        Text("演示", "Demo"),
        {tool.name: tool},
        {},
        {"customer": frozenset({"customer"})},
        {"customer": Text("顾客", "customer")},
        {},
    )


async def open_scripted(data: Path, audit: str, engine: Engine | None = None) -> Runtime:
    """A runtime whose policy, evidence, checks and ledger are the real ones."""
    settings = Settings(data=data, audit=audit, today=TODAY)
    connectors = {"crm": TrivialConnector()}
    return await assemble(
        settings, company(data), dict(connectors), engine or ScriptedEngine(), data
    )
