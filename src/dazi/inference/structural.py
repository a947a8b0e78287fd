"""Calls held to their schemas by a server, while they are written.

A structural tag leaves text free until ``<tool_call>`` begins; from there on only the name of an
offered tool and arguments of its schema can follow, grounded parameters being one of their
candidates. The prompt stays as it is, and so does the server's cache of it. Format: xgrammar's
``structural_tag`` with ``triggered_tags``, which vLLM (0.12 and later) and SGLang take.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dazi.core.engine import GenerateRequest, OfferedTool
from dazi.core.messages import dumps
from dazi.inference.template import CALL_CLOSE, CALL_OPEN

_LEFT_OUT = frozenset(
    {"description", "title", "examples", "default", "format", "minLength", "maxLength", "$schema"}
)
"""Words for readers, formats, which grammars understand differently, and lengths, which make them large
and slow. The router checks both anyway."""


def structural_tag(request: GenerateRequest) -> dict[str, Any] | None:
    """``None`` where there is nothing to hold to anything."""
    tools = [t for t in request.tools if not t.closed]
    if not tools or not request.constrained or request.tool_choice == "none":
        return None
    tags = [
        {
            "begin": f'{CALL_OPEN}\n{{"name": {dumps(tool.name)}, "arguments": ',
            "content": {"type": "json_schema", "json_schema": narrowed(tool)},
            "end": f"}}\n{CALL_CLOSE}",
        }
        for tool in tools
    ]
    return {
        "type": "structural_tag",
        "format": {
            "type": "triggered_tags",
            "triggers": [CALL_OPEN],
            "tags": tags,
            "at_least_one": request.tool_choice == "required",
        },
    }


def narrowed(tool: OfferedTool) -> dict[str, Any]:
    """The tool's schema with what can be filled in: a grounded parameter takes one of its candidates,
    and is left out where it has none; nothing is required of a tool that lacks what it requires."""
    schema: dict[str, Any] = _plain(tool.parameters)
    properties = dict(schema.get("properties", {}))
    for name, values in tool.candidates.items():
        if name not in properties:
            continue
        if values:
            properties[name] = _one_of(values, properties[name])
        else:
            del properties[name]
    schema["properties"] = {} if tool.lacking else properties
    required = [n for n in schema.get("required", ()) if n in schema["properties"]]
    schema.pop("required", None)
    if required:
        schema["required"] = required
    schema["additionalProperties"] = False
    return schema


def _one_of(values: Sequence[str], schema: Mapping[str, Any]) -> dict[str, Any]:
    """One of them, or a list of them where a list is wanted."""
    if schema.get("type") != "array":
        return {"enum": [_typed(v, schema) for v in values]}
    items = schema.get("items")
    inner = items if isinstance(items, Mapping) else {}
    return {**schema, "items": {"enum": [_typed(v, inner) for v in values]}}


def _typed(value: str, schema: Mapping[str, Any]) -> str | int | float:
    kind = schema.get("type")
    try:
        if kind == "integer":
            return int(value)
        if kind == "number":
            return float(value)
    except ValueError:
        pass
    return value


def _plain(schema: Any) -> Any:
    """Without what says nothing of a value's form."""
    if isinstance(schema, Mapping):
        # Beneath ``properties`` stand names, which may be any word.
        return {
            k: {n: _plain(s) for n, s in v.items()} if k == "properties" else _plain(v)
            for k, v in schema.items()
            if k not in _LEFT_OUT
        }
    if isinstance(schema, list | tuple):
        return [_plain(s) for s in schema]
    return schema
