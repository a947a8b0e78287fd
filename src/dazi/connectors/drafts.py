"""Drafts of tool declarations, from what systems say of themselves: what every import shares.

What nobody says is guessed on the safe side: what changes something is written down as such, what
pays, deletes or sends waits for a person, ids and amounts must have been said by somebody.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from dazi.connectors.openapi import resolve

_SENSITIVE = re.compile(
    r"pay|refund|transfer|charge|withdraw|delete|remove|cancel|terminate|send|mail|approve|publish"
    r"|password|permission|role|退款|支付|付款|转账|删除|取消|发送|审批",
    re.IGNORECASE,
)
_ID = re.compile(r"(?:^|_)(?:id|no|number|code|sku|account|iban|email|phone)$", re.IGNORECASE)
_MONEY = re.compile(r"amount|price|fee|sum|total|金额", re.IGNORECASE)
_FORMATS = {"date": "date", "email": "email", "uri": "url", "url": "url"}
_PERIODS = {r"^\d{4}-Q[1-4]$": "quarter", r"^\d{4}-\d{2}$": "month"}
_TYPES = ("string", "integer", "number", "boolean")


class CannotImport(Exception):
    """``why`` an operation cannot become a tool, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh, self.en = zh, en


@dataclass(slots=True)
class Imported:
    """``tools`` as they go into the YAML file, by name; ``paths``: what of the document they need;
    ``skipped``: operations with the reason."""

    title: str
    tools: dict[str, dict[str, Any]] = field(default_factory=dict)
    skipped: dict[str, CannotImport] = field(default_factory=dict)
    paths: dict[str, dict[str, Any]] = field(default_factory=dict)


def tool_name(operation: str) -> str:
    """``getOrderById`` -> ``get_order_by_id``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation)
    name = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    name = name if name[:1].isalpha() else f"op_{name}"
    return name[:60] if len(name) > 1 else f"{name}_op"


def first_line(said: Any, otherwise: str) -> str:
    """Of what somebody said, or ``otherwise`` where that is nothing."""
    return (str(said or "").strip().splitlines() or [otherwise])[0]


def free_name(name: str, taken: Collection[str]) -> str:
    """``name``, or with a number where that is taken."""
    number = 2
    out = name
    while out in taken:
        out = f"{name}_{number}"
        number += 1
    return out


def effect_of(said: str, *, reads: bool, risky: bool = False) -> str:
    """By what an operation says of itself: rather too strict than too lax."""
    if reads:
        return "read"
    return "sensitive" if risky or _SENSITIVE.search(said) else "write"


def object_parameters(document: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    """Parameters for the properties of an object; optional ones that cannot be are left out.

    Raises ``CannotImport`` where a required one cannot be.
    """
    needed = set(schema.get("required", []))
    out: dict[str, Any] = {}
    for name, part in schema.get("properties", {}).items():
        try:
            out[name] = parameter_of(document, name, part, "", required=name in needed)
        except CannotImport:
            if name in needed:
                raise
    return out


def parameter_of(
    document: Mapping[str, Any], name: str, schema: Any, description: str, *, required: bool
) -> dict[str, Any]:
    """One parameter's declaration; ``document`` resolves references. Raises ``CannotImport``."""
    schema = resolve(document, schema)
    kinds = schema.get("type", "string")
    kind = next((k for k in kinds if k != "null"), "") if isinstance(kinds, list) else kinds
    out: dict[str, Any] = {"type": kind}
    if kind == "array":
        options = resolve(document, schema.get("items", {})).get("enum")
        if not options:
            raise CannotImport(f"参数 {name} 是任意列表", f"the argument {name} is a free list")
        out["items"] = [str(o) for o in options]
    elif kind not in _TYPES:
        raise CannotImport(f"参数 {name} 是 {kind}", f"the argument {name} is of type {kind}")
    said = first_line(description or schema.get("description"), name)
    out["description"] = said[:120]
    if required:
        out["required"] = True
    if schema.get("enum") and kind == "string":
        out["enum"] = [str(v) for v in schema["enum"]]
    format_ = _FORMATS.get(str(schema.get("format", "")))
    if kind == "string" and format_ and "enum" not in out:
        out["format"] = format_
    if kind == "number" and _MONEY.search(name):
        out["format"] = "money"
    pattern = str(schema.get("pattern") or "")
    if pattern and kind == "string" and "format" not in out:
        period = _PERIODS.get(pattern.replace("[0-9]", r"\d"))
        out |= {"format": period} if period else {"pattern": pattern}
    for key in ("minimum", "maximum"):
        if isinstance(schema.get(key), int | float):
            out[key] = schema[key]
    if kind == "string" and isinstance(schema.get("maxLength"), int):
        out["max_length"] = min(schema["maxLength"], 100_000)
    told = "enum" in out or out.get("format") in ("date", "month", "quarter")
    if kind in ("string", "integer") and not told and (_ID.search(snake(name)) or "pattern" in out):
        out["grounded"] = True
    return out


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
