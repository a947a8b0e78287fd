"""Read one tool call of the form that Qwen3-Coder writes.

``<function=NAME>`` with a ``<parameter=NAME>`` for each value, inside ``<tool_call>``. Values are
bare text; their types are those of the offered tool's schema.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from dazi.core.engine import CallArgumentsDelta, CallDone, CallStarted, EngineEvent
from dazi.core.messages import dumps
from dazi.inference.holdback import held
from dazi.inference.template import CALL_CLOSE, CALL_OPEN

FUNCTION = "<function="
_CLOSE = "</function>"
_HEAD = re.compile(r"\s*<function=([^<>\n]+)>")
_PARAMETER = re.compile(
    r"\s*<parameter=([^<>\n]+)>\n?(.*?)\n?</parameter>(?=\s*(?:<parameter=|\Z))", re.DOTALL
)
_KINDS: Mapping[str, tuple[type, ...]] = {
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
    "null": (type(None),),
}


class XmlCallReader:
    """As ``CallReader``; the arguments come in one piece, when the call has ended.

    What is not whole is handed on as it stands, and is no JSON: a value that was cut off must not
    pass for one that was meant.
    """

    def __init__(self, index: int, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        self.index = index
        self.done = False
        self.empty = False
        self.rest = ""
        self._schemas = schemas
        self._text = ""
        self._name: str | None = None
        self._from = 0

    def feed(self, text: str) -> list[EngineEvent]:
        self._text += text
        events = self._head()
        found = [at for tag in (CALL_CLOSE, CALL_OPEN) if (at := self._text.find(tag)) >= 0]
        return [*events, *self._close(min(found), closed=True)] if found else events

    def finish(self) -> list[EngineEvent]:
        return self._close(len(self._text) - held(self._text, (CALL_CLOSE,)), closed=False)

    def _head(self) -> list[EngineEvent]:
        if self._name is not None or not (m := _HEAD.match(self._text)):
            return []
        self._name, self._from = m[1].strip(), m.end()
        return [CallStarted(self.index, self._name)]

    def _close(self, end: int, *, closed: bool) -> list[EngineEvent]:
        self.done = True
        self.rest = self._text[end:]
        events: list[EngineEvent] = []
        if self._name is None:
            self._name = ""
            events.append(CallStarted(self.index, ""))
        body = self._text[self._from : end].strip()
        arguments = self._arguments(body) if closed or body.endswith(_CLOSE) else body
        if arguments:
            events.append(CallArgumentsDelta(self.index, arguments))
        return [*events, CallDone(self.index, self._name, arguments)]

    def _arguments(self, body: str) -> str:
        inner = body.removesuffix(_CLOSE)
        properties = self._schemas.get(self._name or "", {}).get("properties", {})
        values: dict[str, Any] = {}
        at = 0
        while m := _PARAMETER.match(inner, at):
            name = m[1].strip()
            values[name] = typed(m[2], properties.get(name, {}))
            at = m.end()
        return body if inner[at:].strip() else dumps(values)


def typed(text: str, schema: Mapping[str, Any]) -> Any:
    """``text`` as the first type of ``schema`` that it can be read as; otherwise a string."""
    kinds = _types(schema)
    if not kinds or (kinds == {"string"}):
        return text
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = {"true": True, "false": False}.get(text.strip().lower(), text)
    if "string" in kinds and value is not None:
        return text
    boolean = isinstance(value, bool)
    fits = any(
        isinstance(value, _KINDS[kind]) and (not boolean or kind == "boolean")
        for kind in kinds
        if kind in _KINDS
    )
    return value if fits else text


def _types(schema: Mapping[str, Any]) -> set[str]:
    kind = schema.get("type")
    kinds = {kind} if isinstance(kind, str) else set(kind or ())
    for one in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
        kinds |= _types(one)
    return kinds
