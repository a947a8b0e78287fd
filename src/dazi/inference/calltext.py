"""Read one tool call while its text is still arriving."""

from __future__ import annotations

import json
import re

from dazi.core.engine import CallArgumentsDelta, CallDone, CallStarted, EngineEvent
from dazi.core.messages import dumps
from dazi.inference.holdback import held
from dazi.inference.template import CALL_CLOSE

_NAME = re.compile(r'\s*\{\s*"name"\s*:\s*("(?:[^"\\]|\\.)*")')
_ARGUMENTS = re.compile(r'\s*,\s*"arguments"\s*:\s*(?=\S)')


def decoded(text: str) -> str:
    """A call's arguments from JSON that is null, or a string that holds the JSON proper."""
    try:
        value = json.loads(text)
        if isinstance(value, str) and value.strip():
            return value if isinstance(json.loads(value), dict) else text
    except (ValueError, RecursionError):
        return text
    return text if value else "{}"


class CallReader:
    """Follows the JSON of one call, from behind ``<tool_call>`` to the end of its object.

    Argument text is handed on as it comes; all of it together equals ``CallDone.arguments``.
    A closing tag inside a JSON string belongs to the string, unless the object never ends.
    """

    def __init__(self, index: int) -> None:
        self.index = index
        self.done = False
        self.empty = False
        self.rest = ""
        """What followed the call in the text fed so far, once ``done``."""
        self._text = ""
        self._at = 0
        self._depth = 0
        self._quoted = False
        self._name: str | None = None
        self._name_end = 0
        self._from: int | None = None
        self._to: int | None = None
        self._sent = 0

    def feed(self, text: str) -> list[EngineEvent]:
        self._text += text
        events = self._head()
        end = self._scan()
        if end is not None:
            return events + self._close(end, end)
        return events + self._arguments(self._stable())

    def finish(self) -> list[EngineEvent]:
        """No more text will come: make the best of what is there."""
        cut = self._text.find(CALL_CLOSE)
        if cut >= 0:
            return self._close(cut, cut)
        if not self._text.strip():
            self.done = self.empty = True
            return []
        size = len(self._text) - (0 if self._quoted else held(self._text, (CALL_CLOSE,)))
        return self._close(size, len(self._text))

    def _head(self) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        if self._name is None and (m := _NAME.match(self._text)):
            try:
                self._name = str(json.loads(m[1], strict=False))
            except ValueError:
                return []
            self._name_end = m.end()
            events.append(CallStarted(self.index, self._name))
        waiting = self._name is not None and self._from is None
        if waiting and (m := _ARGUMENTS.match(self._text, self._name_end)):
            self._from = self._sent = m.end()
        return events

    def _scan(self) -> int | None:
        """Read on; the end of the call's text when it has been seen."""
        while self._at < len(self._text):
            c = self._text[self._at]
            if self._quoted:
                if c == "\\":
                    if self._at + 1 == len(self._text):
                        return None
                    self._at += 1
                self._quoted = c != '"'
            elif c == '"':
                self._quoted = True
            elif c in "{[":
                self._depth += 1
            elif c == "<":
                tail = self._text[self._at : self._at + len(CALL_CLOSE)]
                if tail == CALL_CLOSE:
                    return self._at
                if CALL_CLOSE.startswith(tail):
                    return None
            elif c in "}],":
                if self._depth == 1 and self._from is not None and self._at >= self._from:
                    self._to = self._at if self._to is None else self._to
                self._depth -= c != ","
                if self._depth == 0 and c != ",":
                    self._at += 1
                    return self._at
            self._at += 1
        return None

    def _stable(self) -> int:
        """Up to where argument text is known to be argument text."""
        if self._from is None or self._text[self._from] in '"n':  # to be decoded once more
            return 0
        end = self._at if self._to is None else self._to
        text = self._text[self._from : end]
        if CALL_CLOSE in text:
            return self._sent
        return self._from + len(text[: len(text) - held(text, (CALL_CLOSE,))].rstrip())

    def _arguments(self, end: int) -> list[EngineEvent]:
        if end <= self._sent:
            return []
        delta = CallArgumentsDelta(self.index, self._text[self._sent : end])
        self._sent = end
        return [delta]

    def _close(self, end: int, rest: int) -> list[EngineEvent]:
        self.done = True
        self.rest = self._text[rest:]
        if self._from is not None and self._name is not None:
            whole = self._text[self._from : end if self._to is None else min(self._to, end)]
            arguments = whole.rstrip()
            if whole[:1] in ('"', "n"):
                arguments = decoded(arguments)
                events: list[EngineEvent] = [CallArgumentsDelta(self.index, arguments)]
            else:
                events = self._arguments(self._from + len(arguments))
            return [*events, CallDone(self.index, self._name, arguments)]
        name, arguments = self._loose(self._text[:end].strip())
        events = [] if self._name is not None else [CallStarted(self.index, name)]
        if arguments:
            events.append(CallArgumentsDelta(self.index, arguments))
        return [*events, CallDone(self.index, name, arguments)]

    def _loose(self, text: str) -> tuple[str, str]:
        """Name and arguments of a call whose members stand in another order, or is no call."""
        try:
            call = json.loads(text, strict=False)
        except ValueError:
            return self._name or "", text
        if not isinstance(call, dict):
            return "", text
        arguments = call.get("arguments", call.get("parameters", {}))
        return str(call.get("name") or ""), decoded(dumps(arguments))
