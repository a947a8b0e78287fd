"""Small companies made of roles, tools and policies, without folders."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dazi.access.cedar import CedarPolicy
from dazi.core.company import Company, PolicySource
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.core.tools import Binding, Parameter, Tool

ROLES = {
    "staff": frozenset({"staff"}),
    "manager": frozenset({"manager", "staff"}),
    "finance": frozenset({"finance"}),
}


def tool(name: str, *parameters: Parameter, **more: Any) -> Tool:
    given: dict[str, Any] = {"roles": frozenset({"staff"}), "effect": "read", "connector": "erp"}
    given |= more
    return Tool(
        name,
        Text("系统", "system"),
        Text(name, name),
        tuple(parameters),
        operation={},
        source="tools/erp.yaml:7",
        **given,
    )


PAY = tool(
    "pay",
    Parameter("amount", "number", Text("金额", "amount"), format="money"),
    Parameter("share", "number", Text("比例", "share")),
    Parameter("to", "string", Text("收款人", "payee"), required=True),
    Parameter("parts", "array", Text("部分", "parts"), items=("a", "b")),
    roles=frozenset({"finance"}),
    effect="write",
    bind={"employee_id": Binding("employee_id"), "department": Binding("department")},
)
LOOK = tool("look", Parameter("id", "string", Text("编号", "id")))


def company(
    *policies: str, tools: tuple[Tool, ...] = (PAY, LOOK), roles: Mapping[str, Any] = ROLES
) -> Company:
    return Company(
        Path("house"),
        Text("云杉", "Yunshan"),
        {t.name: t for t in tools},
        {},
        dict(roles),
        {r: Text(r, r) for r in roles},
        {},
        policies=tuple(
            PolicySource(f"policies/p{i}.cedar", text) for i, text in enumerate(policies)
        ),
    )


def policy(*policies: str, **more: Any) -> CedarPolicy:
    return CedarPolicy(company(*policies, **more))


def person(*roles: str, user: str = "li", **attributes: str) -> Principal:
    held = frozenset().union(*(ROLES.get(r, frozenset({r})) for r in roles))
    return Principal(user, held, attributes)
