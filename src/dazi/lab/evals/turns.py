"""What a turn did, put together from its events."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dazi.core.company import Company
from dazi.core.engine import OfferedTool, Usage
from dazi.core.errors import ModelError
from dazi.core.messages import CallText
from dazi.core.turn import (
    CallFinished,
    CallProposed,
    CallRecord,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)
from dazi.router.schema import parse_arguments

UNRUN = "unrun"
"""The outcome of a call that was proposed and never taken up: a budget ended the turn."""
REFUSED = frozenset({"invalid", "ungrounded", "unknown_tool"})
"""Outcomes of calls that the router could make nothing of."""
NOT_ACCEPTED = REFUSED | {"forbidden", UNRUN}
EXECUTED = frozenset({"ok", "not_found", "timeout", "unknown", "failed"})
"""Outcomes of calls that reached a system, whatever it answered."""

_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
    "array": list,
    "object": dict,
}


@dataclass(frozen=True, slots=True)
class MadeCall:
    """A call that was proposed, or (``decided``) one that a person's confirmation settled.

    ``round`` counts the model's decisions of the turn from 1. ``valid``: it fitted a tool's offered
    schema. ``filled`` names arguments that the router filled in.
    """

    name: str
    arguments: Mapping[str, Any]
    outcome: str
    round: int = 1
    valid: bool = True
    filled: frozenset[str] = frozenset()
    decided: bool = False

    @property
    def accepted(self) -> bool:
        """It passed every check of the router, up to execution or a person's confirmation."""
        return self.outcome not in NOT_ACCEPTED

    @property
    def executed(self) -> bool:
        return self.outcome in EXECUTED


@dataclass(frozen=True, slots=True)
class Decision:
    """A confirmation that the runner decided. ``honoured``: approved means executed as it was
    confirmed, rejected means not executed."""

    tool: str
    approve: bool
    honoured: bool


@dataclass(frozen=True, slots=True)
class SeenTurn:
    """``ms`` is the agent's time. ``replaced`` counts sentences that failed the host's check;
    ``usage``: of its model requests together."""

    calls: tuple[MadeCall, ...] = ()
    reply: str = ""
    replaced: int = 0
    ms: float = 0.0
    decisions: tuple[Decision, ...] = ()
    error: str = ""
    usage: Usage = field(default_factory=Usage)


@dataclass(slots=True)
class TurnWatch:
    """Feed it the events of a turn, and of the turns that its confirmations resumed. ``tools`` are
    those that the caller brought."""

    company: Company
    tools: Mapping[str, OfferedTool] = field(default_factory=dict)
    calls: list[MadeCall] = field(default_factory=list)
    replies: list[str] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    replaced: int = 0
    ms: float = 0.0
    error: str = ""
    usage: Usage = field(default_factory=Usage)
    _round: int = 1
    _acted: bool = False
    _waiting: dict[str, tuple[int, CallProposed]] = field(default_factory=dict)

    def see(self, event: TurnEvent) -> None:
        if isinstance(event, TurnStarted):
            self._drop()
        elif isinstance(event, CallProposed):
            if self._acted:
                self._round += 1
                self._acted = False
            self._waiting[event.id] = self._round, event
        elif isinstance(event, CallFinished):
            self._acted = True
            self.calls.append(self._finished(event.record))
        elif isinstance(event, TurnFinished):
            for call in event.client_calls:
                self.calls.append(self._clients(call))
            self._drop()
            self.replies.append(event.answer)
            self.replaced += event.replaced
            self.ms += event.ms
            self.usage += event.usage

    def seen(self) -> SeenTurn:
        self._drop()
        return SeenTurn(
            tuple(self.calls),
            "\n".join(r for r in self.replies if r),
            self.replaced,
            self.ms,
            tuple(self.decisions),
            self.error,
            self.usage,
        )

    def _drop(self) -> None:
        """Proposals that nothing came of."""
        for number, call in self._waiting.values():
            self.calls.append(
                MadeCall(call.name, _arguments(call.arguments), UNRUN, number, self._fits(call))
            )
        self._waiting.clear()

    def _finished(self, record: CallRecord) -> MadeCall:
        number, proposed = self._waiting.pop(record.id, (self._round, None))
        if proposed is None:
            return MadeCall(record.name, record.arguments, record.outcome, number, decided=True)
        given = _arguments(proposed.arguments)
        valid = record.outcome != "unknown_tool" and self._fits(proposed)
        filled = frozenset(record.arguments.keys() - given.keys())
        return MadeCall(record.name, record.arguments, record.outcome, number, valid, filled)

    def _clients(self, call: CallText) -> MadeCall:
        number, _ = self._waiting.pop(call.id, (self._round, None))
        return MadeCall(call.name, _arguments(call.arguments), "client", number, self._fits(call))

    def _fits(self, call: CallProposed | CallText) -> bool:
        if call.name in self.tools:
            return _offered(self.tools[call.name].parameters, call.arguments)
        tool = self.company.tools.get(call.name)
        if tool is None:
            return False
        try:
            parse_arguments(tool, call.arguments)
        except ModelError:
            return False
        return True


def _offered(schema: Mapping[str, Any], text: str) -> bool:
    """A JSON object with the required arguments, known ones only, of the named types."""
    try:
        given = json.loads(text)
    except ValueError:
        return False
    known = schema.get("properties", {})
    return (
        isinstance(given, dict)
        and given.keys() <= known.keys()
        and given.keys() >= set(schema.get("required", ()))
        and all(_typed(known[name].get("type"), value) for name, value in given.items())
    )


def _typed(kind: Any, value: Any) -> bool:
    if kind not in _TYPES or kind == "boolean":
        return kind != "boolean" or isinstance(value, bool)
    return isinstance(value, _TYPES[kind]) and not isinstance(value, bool)


def _arguments(text: str) -> dict[str, Any]:
    """What the model wrote, as an object; a cut-off or odd text stands in one for itself."""
    try:
        data = json.loads(text)
    except ValueError:
        data = None
    return data if isinstance(data, dict) else {"text": text[:1000]}
