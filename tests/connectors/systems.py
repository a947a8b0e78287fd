"""Invocations as the router makes them, and the demo company's connectors."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

from dazi.connectors.context import ConnectorContext
from dazi.connectors.registry import CheckedConnector, make_connector
from dazi.core.principal import Principal
from dazi.core.tools import Invocation, Tool
from dazi.router.declare import load_tools

FOLDER = Path(__file__).parents[2] / "examples" / "yunshan"
TODAY = date(2025, 4, 3)
TOOLS, SPECS = load_tools(FOLDER)

CUSTOMER = Principal("customer", frozenset({"customer"}), {"customer_id": "C10001"})
RISK = Principal("risk", frozenset({"risk", "employee"}), {"employee_id": "E1006"})
STAFF = Principal("staff", frozenset({"staff", "employee"}), {"employee_id": "E1003"})

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"yunshan_{path.stem}", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def invocation(
    tool: Tool,
    arguments: Mapping[str, Any],
    principal: Principal = STAFF,
    **changes: Any,
) -> Invocation:
    """What the router would hand over for these canonical arguments."""
    bound = {n: principal.attributes.get(b.attribute) for n, b in tool.bind.items()}
    made = Invocation(tool, arguments, bound, principal, "key-00000001", 30.0, TODAY.isoformat())
    return replace(made, **changes)


@dataclass
class Company:
    """The demo company's connectors over a database of the test's own."""

    context: ConnectorContext
    database: Path
    connectors: dict[str, CheckedConnector] = field(default_factory=dict)

    async def call(self, name: str, principal: Principal = STAFF, /, **arguments: Any) -> Any:
        return await self.run(invocation(TOOLS[name], arguments, principal))

    async def run(self, made: Invocation) -> Any:
        return await self.connector(made.tool).execute(made)

    def connector(self, tool: Tool) -> CheckedConnector:
        if tool.connector not in self.connectors:
            spec = SPECS[tool.connector]
            tools = [t for t in TOOLS.values() if t.connector == tool.connector]
            self.connectors[tool.connector] = make_connector(
                spec.kind, spec.config, self.context, tools
            )
        return self.connectors[tool.connector]
