"""Tools as a model is offered them while pseudonyms stand for values: what it may write is the
pseudonym.

A pattern or a length that a value has its pseudonym has not, so both are admitted. What is declared
a number can hold no pseudonym, and no hidden value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from dazi.core.engine import OfferedTool
from dazi.guard.pseudonyms import Pseudonyms

Hide = Callable[[str], str]

_NOT_PROSE = frozenset({"$id", "$ref", "$schema", "format", "pattern", "required", "type"})
_BOUNDS = frozenset({"format", "maxLength", "minLength", "pattern"})
_TIMES = frozenset({"date", "date-time", "duration", "time", "uuid"})
"""Formats that nothing which is hidden has."""
_BESIDE = frozenset({"default", "description", "title"})
_ALTERNATIVES = ("anyOf", "oneOf")
_DEPTH = 6
_MOST = 100
"""Pseudonyms that are listed; of more it is said how they look."""
_ANY = r"^\[[\u4e00-\u9fff]{2,4}[0-9]{1,6}\]$"


def told(tool: OfferedTool, hide: Hide) -> OfferedTool:
    """With its description and the texts of its schema hidden; itself where there is nothing."""
    description, parameters = hide(tool.description), _texts(tool.parameters, hide)
    if description == tool.description and parameters == tool.parameters:
        return tool
    return replace(tool, description=description, parameters=parameters)


def admitting(tool: OfferedTool, pseudonyms: Pseudonyms, hide: Hide) -> OfferedTool:
    """With pseudonyms among what its parameters may hold. ``hide``: as it was hidden in messages,
    however it is spelt here."""
    properties = tool.parameters.get("properties")
    schemas = properties if isinstance(properties, Mapping) else {}
    candidates = {
        name: tuple(dict.fromkeys(_candidates(values, schemas.get(name), pseudonyms, hide)))
        for name, values in tool.candidates.items()
    }
    spans = {name: tuple(map(hide, texts)) for name, texts in tool.spans.items()}
    parameters = _widened(tool.parameters, list(pseudonyms))
    return replace(tool, parameters=parameters, candidates=candidates, spans=spans)


def _texts(schema: Any, hide: Hide) -> Any:
    if isinstance(schema, str):
        return hide(schema)
    if isinstance(schema, Mapping):
        return {
            k: v if k in _NOT_PROSE and not isinstance(v, Mapping) else _texts(v, hide)
            for k, v in schema.items()
        }
    if isinstance(schema, list | tuple):
        return [_texts(v, hide) for v in schema]
    return schema


def _candidates(
    values: tuple[str, ...], schema: Any, pseudonyms: Pseudonyms, hide: Hide
) -> Iterator[str]:
    number = _kind(schema) in ("integer", "number")
    for value in values:
        known = pseudonyms.like(value)
        if number and known is None:
            yield value
        elif not number:
            yield known or hide(value)


def _kind(schema: Any) -> Any:
    """The type of a value, or of those in an array."""
    if not isinstance(schema, Mapping):
        return None
    return _kind(schema.get("items")) if schema.get("type") == "array" else schema.get("type")


def _widened(schema: Any, pseudonyms: list[tuple[str, str]], depth: int = 0) -> Any:
    if not isinstance(schema, Mapping) or depth > _DEPTH:
        return schema
    out = dict(schema)
    if isinstance(properties := schema.get("properties"), Mapping):
        out["properties"] = {k: _widened(v, pseudonyms, depth + 1) for k, v in properties.items()}
    if "items" in schema:
        out["items"] = _widened(schema["items"], pseudonyms, depth + 1)
    for key in _ALTERNATIVES:
        if isinstance(schema.get(key), list | tuple):
            out[key] = [_widened(s, pseudonyms, depth + 1) for s in schema[key]]
    if not _is_bound(schema):
        return out
    fitting = [pseudonym for pseudonym, text in pseudonyms if _fits(schema, text)]
    if not fitting:
        return out
    also = {"enum": fitting} if len(fitting) <= _MOST else {"pattern": _ANY}
    beside = {k: v for k, v in out.items() if k in _BESIDE}
    own = {k: v for k, v in out.items() if k not in _BESIDE}
    return {**beside, "anyOf": [own, {"type": "string", **also}]}


def _is_bound(schema: Mapping[str, Any]) -> bool:
    """A string that is told how it has to look, and not which it is."""
    kinds = schema.get("type")
    kinds = kinds if isinstance(kinds, list | tuple) else [kinds]
    bound = not _BOUNDS.isdisjoint(schema)
    return bound and "string" in kinds and "enum" not in schema and "const" not in schema


def _fits(schema: Mapping[str, Any], text: str) -> bool:
    """Patterns are not tried: they are the caller's, and may take for ever."""
    if schema.get("format") in _TIMES:
        return False
    least, most = schema.get("minLength"), schema.get("maxLength")
    shortest = sum(map(str.isalnum, text))
    return not (isinstance(least, int) and len(text) < least) and not (
        isinstance(most, int) and shortest > most
    )
