"""Calls that a server recognised and calls that it left in the text, as one answer's."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from typing import Literal

from dazi.core.engine import CallArgumentsDelta, CallDone, CallStarted, EngineEvent
from dazi.inference.servercalls import CallPiece, ServerCalls

CallSource = Literal["", "server", "text"]


class CallSources:
    """Numbers the calls of one answer, whoever recognised them.

    Some servers hand on a call and leave its text in the answer as well, and it must not be
    carried out twice. So whose calls came first are told of as they come; the other's wait for
    the end, and are told of if they are calls at all and none of them has been told.
    """

    def __init__(self) -> None:
        self.first: CallSource = ""
        self._counter = count()
        self._server = ServerCalls(self._counter)
        self._numbers: dict[int, int] = {}
        self._told: set[tuple[str, str]] = set()
        self._late: list[EngineEvent] = []

    def handed(self, piece: CallPiece, place: int) -> list[EngineEvent]:
        """A piece of a call from the server."""
        events = self._server.read(piece, place)
        return events if self.first == "server" else self._of("server", events)

    def read(self, events: Sequence[EngineEvent]) -> list[EngineEvent]:
        """What was read in the text: words pass, calls get their number in the answer."""
        out: list[EngineEvent] = []
        for event in events:
            match event:
                case CallStarted(index, name):
                    out += self._of("text", [CallStarted(self._number(index), name)])
                case CallArgumentsDelta(index, text):
                    out += self._of("text", [CallArgumentsDelta(self._number(index), text)])
                case CallDone(index, name, arguments):
                    out += self._of("text", [CallDone(self._number(index), name, arguments)])
                case _:
                    out.append(event)
        return out

    def finish(self) -> list[EngineEvent]:
        events = self._of("server", self._server.finish())
        new = {
            e.index for e in self._late
            if isinstance(e, CallDone) and e.name and _content(e) not in self._told
        }  # fmt: skip
        calls = (CallStarted, CallArgumentsDelta, CallDone)
        return events + [e for e in self._late if isinstance(e, calls) and e.index in new]

    def _of(self, source: CallSource, events: list[EngineEvent]) -> list[EngineEvent]:
        if not events:
            return []
        self.first = self.first or source
        if source != self.first:
            self._late += events
            return []
        self._told |= {_content(e) for e in events if isinstance(e, CallDone)}
        return events

    def _number(self, index: int) -> int:
        if index not in self._numbers:
            self._numbers[index] = next(self._counter)
        return self._numbers[index]


def _content(call: CallDone) -> tuple[str, str]:
    """The same for calls that differ in white space or in the order of arguments only."""
    try:
        return call.name, json.dumps(json.loads(call.arguments), sort_keys=True)
    except (ValueError, RecursionError):
        return call.name, call.arguments
