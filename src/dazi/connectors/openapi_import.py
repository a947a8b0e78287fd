"""An OpenAPI document -> drafts of tool declarations."""

from __future__ import annotations

import json
import math
from collections.abc import Collection, Iterator, Mapping
from typing import Any

import yaml

from dazi.connectors.drafts import (
    CannotImport,
    Imported,
    effect_of,
    first_line,
    free_name,
    object_parameters,
    parameter_of,
    tool_name,
)
from dazi.connectors.openapi import METHODS, operation_of, resolve

EXTENSION = "openapi.json"
MAX_OPERATIONS = 200
MAX_NODES = 1_000_000


def parse(text: str) -> dict[str, Any]:
    """JSON or YAML. Raises ``ValueError``."""
    try:
        data = _read(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    if not isinstance(data, dict) or not isinstance(data.get("paths"), dict):
        raise ValueError("there are no paths in it")
    if not str(data.get("openapi", "")).startswith("3"):
        raise ValueError("it is not OpenAPI 3")
    return data


def _read(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    try:
        data = yaml.safe_load(text)
    except (yaml.YAMLError, LookupError, AttributeError) as e:
        raise ValueError((str(e).splitlines() or ["not YAML"])[0]) from None
    if _written_out(data, {}) > MAX_NODES:
        raise ValueError("its aliases come to too much, or to no end")
    return data


def _written_out(data: Any, known: dict[int, float]) -> float:
    """How many values there would be without aliases; infinite where one holds itself."""
    if not isinstance(data, dict | list):
        return 1
    if id(data) not in known:
        known[id(data)] = math.inf
        inner = data.values() if isinstance(data, dict) else data
        known[id(data)] = 1 + sum(_written_out(value, known) for value in inner)
    return known[id(data)]


def operations(document: Mapping[str, Any]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Id, method, path and entry of each operation that has an id."""
    for path, item in document["paths"].items():
        for method in METHODS:
            entry = item.get(method) if isinstance(item, Mapping) else None
            if isinstance(entry, Mapping) and "operationId" in entry:
                parameters = [*_list(item, "parameters"), *_list(entry, "parameters")]
                number = str(entry["operationId"])
                yield number, method, str(path), {**entry, "parameters": parameters}


def _list(entry: Mapping[str, Any], name: str) -> list[Any]:
    found = entry.get(name)
    return found if isinstance(found, list) else []


def imported(
    document: Mapping[str, Any], only: Collection[str], roles: Collection[str]
) -> Imported:
    """Tools for the operations named in ``only``, or for all. Raises ``ValueError`` for a name that
    the document lacks."""
    info = document.get("info")
    title = info.get("title") if isinstance(info, Mapping) else None
    out = Imported(str(title or "API"))
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
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as e:
            out.skipped[number] = CannotImport(f"文档有误:{e}", f"the document is wrong: {e}")
            continue
        out.tools[free_name(tool_name(number), out.tools)] = tool
        out.paths.setdefault(path, {})[method] = entry
    return out


def _tool(
    document: Mapping[str, Any],
    method: str,
    number: str,
    entry: Mapping[str, Any],
    roles: Collection[str],
) -> dict[str, Any]:
    said = first_line(entry.get("summary") or entry.get("description"), number)
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


def _body(document: Mapping[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    body = resolve(document, entry.get("requestBody", {}))
    content = body.get("content", {})
    if content and "application/json" not in content:
        raise CannotImport("请求体不是 JSON", "its body is not JSON")
    schema = resolve(document, content.get("application/json", {}).get("schema", {}))
    if schema and schema.get("type", "object") != "object":
        raise CannotImport("请求体不是对象", "its body is not an object")
    return object_parameters(document, schema)


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
