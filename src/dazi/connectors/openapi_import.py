"""An OpenAPI document -> a declaration of tools to start from.

What a document cannot say is guessed on the safe side: what changes something is written down as
such, what pays, deletes or sends waits for a person, ids and amounts must have been said by somebody.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

from dazi.connectors.openapi import METHODS, operation_of, resolve

EXTENSION = "openapi.json"
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
MAX_OPERATIONS = 200


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


def parse(text: str) -> dict[str, Any]:
    """JSON or YAML. Raises ``ValueError``."""
    try:
        data = json.loads(text)
    except ValueError:
        try:
            data = yaml.safe_load(text)
        except yaml.YAMLError as e:
            raise ValueError(str(e).splitlines()[0]) from None
    if not isinstance(data, dict) or not isinstance(data.get("paths"), dict):
        raise ValueError("there are no paths in it")
    if not str(data.get("openapi", "")).startswith("3"):
        raise ValueError("it is not OpenAPI 3")
    return data


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Id, method, path and entry of each operation that has an id."""
    for path, item in document["paths"].items():
        for method in METHODS:
            entry = item.get(method) if isinstance(item, Mapping) else None
            if isinstance(entry, Mapping) and "operationId" in entry:
                shared = list(item.get("parameters", []))
                own = list(entry.get("parameters", []))
                yield (
                    str(entry["operationId"]),
                    method,
                    str(path),
                    {
                        **entry,
                        "parameters": [*shared, *own],
                    },
                )


def imported(
    document: Mapping[str, Any], only: Collection[str], roles: Collection[str]
) -> Imported:
    """Tools for the operations named in ``only``, or for all. Raises ``ValueError`` for a name that
    the document lacks."""
    info = document.get("info") or {}
    out = Imported(str(info.get("title") or "API"))
    found = list(operations(document))
    unknown = sorted(set(only) - {number for number, *_ in found})
    if unknown:
        raise ValueError(
            f"no operationId {unknown[0]}; there are: {', '.join(n for n, *_ in found)}"
        )
    for number, method, path, entry in found:
        if only and number not in only:
            continue
        if len(out.tools) >= MAX_OPERATIONS:
            out.skipped[number] = CannotImport(
                f"一次最多导入 {MAX_OPERATIONS} 个,用 --only 选",
                f"at most {MAX_OPERATIONS} at once; choose with --only",
            )
            continue
        try:
            tool = _tool(document, method, number, entry, roles)
            if not operation_of(document, method, path, [], entry).names >= set(tool["parameters"]):
                raise CannotImport("参数对不上", "its parameters do not fit")
        except CannotImport as e:
            out.skipped[number] = e
            continue
        except (KeyError, TypeError, AttributeError, RecursionError) as e:
            out.skipped[number] = CannotImport(f"文档有误:{e}", f"the document is wrong: {e}")
            continue
        out.tools[free_name(tool_name(number), out.tools)] = tool
        out.paths.setdefault(path, {})[method] = entry
    return out


def tool_name(operation: str) -> str:
    """``getOrderById`` -> ``get_order_by_id``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", operation)
    name = re.sub(r"[^a-z0-9]+", "_", spaced.lower()).strip("_")
    name = name if name[:1].isalpha() else f"op_{name}"
    return name[:60] if len(name) > 1 else f"{name}_op"


def free_name(name: str, taken: Collection[str]) -> str:
    """``name``, or with a number where that is taken."""
    number = 2
    out = name
    while out in taken:
        out = f"{name}_{number}"
        number += 1
    return out


def _tool(
    document: Mapping[str, Any],
    method: str,
    number: str,
    entry: Mapping[str, Any],
    roles: Collection[str],
) -> dict[str, Any]:
    said = str(entry.get("summary") or entry.get("description") or number).strip().splitlines()[0]
    parameters: dict[str, Any] = {}
    for raw in entry["parameters"]:
        p = resolve(document, raw)
        where = p["in"]
        if where in ("header", "cookie"):
            if p.get("required") and p["name"].lower() != "idempotency-key":
                raise CannotImport(f"要求请求头 {p['name']}", f"it wants the header {p['name']}")
            continue
        parameters[p["name"]] = parameter_of(
            document, p["name"], p.get("schema", {}), p.get("description", ""),
            required=bool(p.get("required")) or where == "path",
        )  # fmt: skip
    parameters |= _body(document, entry)
    effect = effect_of(f"{number} {said}", reads=method == "get", risky=method == "delete")
    return {
        "description": said[:200],
        "effect": effect,
        "roles": sorted(roles),
        "operation": number,
        "parameters": parameters,
        "result": _result(document, entry),
        "examples": [said[:80]],
    }


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


def _body(document: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    body = resolve(document, entry.get("requestBody", {}))
    content = body.get("content", {})
    if content and "application/json" not in content:
        raise CannotImport("请求体不是 JSON", "its body is not JSON")
    schema = resolve(document, content.get("application/json", {}).get("schema", {}))
    if schema and schema.get("type", "object") != "object":
        raise CannotImport("请求体不是对象", "its body is not an object")
    return object_parameters(document, schema)


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
    said = str(description or schema.get("description") or name).strip().splitlines()[0]
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


def _result(document: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The shape of the first good answer: one record, or rows under a name."""
    answers = entry.get("responses", {})
    good: Any = next((answers[c] for c in sorted(answers) if str(c).startswith("2")), {})
    content = resolve(document, good).get("content", {})
    schema = resolve(document, content.get("application/json", {}).get("schema", {}))
    if schema.get("type") == "array":
        return _rows(document, schema, "rows")
    names = schema.get("properties", {})
    lists = [n for n, p in names.items() if resolve(document, p).get("type") == "array"]
    if len(lists) == 1:
        return _rows(document, resolve(document, names[lists[0]]), lists[0])
    if not names:
        return {"shape": "value"}
    return {"shape": "one", "shown": _shown(document, names)}


def _rows(document: Mapping[str, Any], schema: Mapping[str, Any], name: str) -> dict[str, Any]:
    inner = resolve(document, schema.get("items", {})).get("properties", {})
    out: dict[str, Any] = {"shape": "many", "rows": name, "attach": "table"}
    return out | {"shown": _shown(document, inner)} if inner else out


def _shown(document: Mapping[str, Any], names: Mapping[str, Any]) -> list[str]:
    plain = [n for n, p in names.items() if resolve(document, p).get("type") not in ("object",)]
    return plain[:12]
