"""Calls as servers stream them: which call a piece belongs to, and what its arguments are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from msgspec import Struct

from dazi.core.engine import CallArgumentsDelta, CallDone, CallStarted, EngineEvent
from dazi.core.messages import dumps
from dazi.inference.calltext import decoded


class Function(Struct):
    name: str | None = None
    arguments: Any = None


class CallPiece(Struct):
    id: str | int | None = None
    index: int | None = None
    function: Function | None = None


_NOTHING = Function()


@dataclass(slots=True)
class _Call:
    number: int
    id: str
    name: str = ""
    again: str = ""
    """A name that came when the arguments were complete: repeated, or the next call's."""
    text: str = ""
    told: bool = False
    whole: bool = False
    """The arguments are told only when they are complete: they have to be decoded once more."""


class ServerCalls:
    """The calls of one answer, from the pieces in which its server sends them.

    That a call's first piece has its name is all that servers agree on. The index may be missing,
    0 for every call (ollama#15457, litellm#21331), or at first the tool's (sglang#6310); the id
    may be missing, empty, one for all calls, or another in every piece. A name may come in parts
    or again with each piece, so a call is told of when its arguments begin. Arguments may be an
    object, null, or JSON that was encoded twice.
    """

    def __init__(self, numbers: Iterator[int]) -> None:
        self._numbers = numbers
        self._calls: list[_Call] = []
        self._at: dict[int, _Call] = {}
        self._ids: dict[str, _Call] = {}

    def read(self, piece: CallPiece, place: int) -> list[EngineEvent]:
        """``place`` is where it stands in the chunk, which tells calls apart without an index."""
        function = piece.function or _NOTHING
        given = function.arguments or ""
        text = given if isinstance(given, str) else dumps(given)
        known = len(self._calls)
        call = self._whose(piece, function.name or "", text, place)
        events: list[EngineEvent] = []
        if len(self._calls) > known > 0:
            events += self._tell(self._calls[-2])
        if function.name:
            self._named(call, function.name)
        if text:
            events += self._argued(call, text)
        return events

    def finish(self) -> list[EngineEvent]:
        events = [e for call in self._calls for e in self._tell(call)]
        for call in self._calls:
            if call.whole:
                call.text = decoded(call.text)
                events.append(CallArgumentsDelta(call.number, call.text))
            events.append(
                CallDone(call.number, call.name, (call.text.strip() and call.text) or "{}")
            )
        return events

    def _whose(self, piece: CallPiece, name: str, text: str, place: int) -> _Call:
        index = place if piece.index is None else piece.index
        own = "" if piece.id is None else str(piece.id)
        call = self._at.get(index)
        if call is None:
            new = bool(name or not self._calls or (own and own not in self._ids))
            call = None if new else self._ids.get(own, self._calls[-1])
        elif own and call.id and own != call.id:
            call = None if name else self._ids.get(own, call)
        elif (name or call.again) and text.strip() and _complete(call.text):
            name, call = name or call.again, None
        if call is None:
            call = _Call(next(self._numbers), own, name)
            self._calls.append(call)
        call.id = call.id or own
        if call.id:
            self._ids.setdefault(call.id, call)
        self._at[index] = call
        return call

    def _named(self, call: _Call, name: str) -> None:
        if call.told or name == call.name:
            call.again = name if _complete(call.text) else ""
        else:
            call.name = name if name.startswith(call.name) else call.name + name

    def _tell(self, call: _Call) -> list[EngineEvent]:
        if call.told:
            return []
        call.told = True
        return [CallStarted(call.number, call.name)]

    def _argued(self, call: _Call, text: str) -> list[EngineEvent]:
        begun = bool(call.text)
        if not begun and not (text := text.lstrip()):
            return []
        call.text += text
        events = self._tell(call)
        if not begun:
            call.whole = text[0] in '"n'
        return events if call.whole else [*events, CallArgumentsDelta(call.number, text)]


def _complete(text: str) -> bool:
    if not text.rstrip().endswith(("}", '"', "null")):
        return False
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
