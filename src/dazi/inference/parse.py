"""From the text that a model writes to typed events.

Text arrives in pieces that may end anywhere, also inside a tag, so whatever could still become a
tag is held back until the next piece decides.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, assert_never

from dazi.core.engine import (
    EngineEvent,
    GenerateRequest,
    OfferedTool,
    ReasoningDelta,
    TextDelta,
)
from dazi.inference.calltext import CallReader
from dazi.inference.holdback import held
from dazi.inference.template import CALL_CLOSE, CALL_OPEN, THINK_CLOSE, THINK_OPEN
from dazi.inference.xmlcall import FUNCTION, XmlCallReader

Calls = Literal["parse", "drop", "keep"]
"""What happens to ``<tool_call>`` blocks: made into calls, left out, or kept as plain text."""

_THINK_TAGS = (THINK_OPEN, THINK_CLOSE)
_ALL_TAGS = (*_THINK_TAGS, CALL_OPEN, CALL_CLOSE)


def calls_mode(request: GenerateRequest) -> Calls:
    """Without tools the tags mean nothing; where calls are forbidden, a block is no answer."""
    if not request.tools:
        return "keep"
    return "drop" if request.tool_choice == "none" else "parse"


class _Trimmed:
    """Passes text on without the white space that borders on a tag."""

    def __init__(self, *, after_tag: bool) -> None:
        self._after_tag = after_tag
        self._space = ""

    def push(self, text: str) -> str:
        if self._after_tag:
            text = text.lstrip()
            self._after_tag = not text
        text = self._space + text
        out = text.rstrip()
        self._space = text[len(out) :]
        return out

    def tag(self) -> None:
        self._space, self._after_tag = "", True

    def end(self) -> str:
        space, self._space = self._space, ""
        return space


class OutputParser:
    """One output of a model. ``feed`` it the pieces in order, then ``finish`` it once.

    ``tools``: their schemas tell the types of values in calls that are not JSON. ``opened``: the
    prompt may have opened the thought already, so that the output begins inside it; text is then
    held back until a tag decides.
    """

    def __init__(
        self, calls: Calls = "parse", tools: Sequence[OfferedTool] = (), *, opened: bool = False
    ) -> None:
        self.calls_seen = 0
        self._calls = calls
        self._schemas = {t.name: t.parameters for t in tools}
        self._tags = _THINK_TAGS if calls == "keep" else _ALL_TAGS
        self._state: Literal["unsure", "text", "think", "call", "after_call"]
        self._state = "unsure" if opened else "text"
        self._buffer = ""
        self._text = _Trimmed(after_tag=False)
        self._thought = _Trimmed(after_tag=True)
        self._call: CallReader | XmlCallReader | None = None

    def feed(self, piece: str) -> list[EngineEvent]:
        self._buffer += piece
        return self._run()

    def no_thought(self) -> list[EngineEvent]:
        """Thoughts come by another way: what was held back is text."""
        if self._state == "unsure":
            self._state = "text"
        return self._run()

    def border(self) -> list[EngineEvent]:
        """Something that is no text comes next: white space before it is none of the answer."""
        events = self.no_thought() if self._state == "unsure" else []
        self._text.tag()
        return events

    def finish(self) -> list[EngineEvent]:
        events = self.no_thought()
        while self._state == "call":
            call = self._call or CallReader(self.calls_seen)
            events += self._heard(call.feed(self._buffer))
            self._buffer = ""
            if not call.done:
                events += self._heard(call.finish())
            self._leave_call(call)
            events += self._run()
        # What is still held back is a tag that was cut off, unless it is a mere "<" or "</".
        last = self._buffer if len(self._buffer) < 3 else ""
        if self._state == "text":
            if last == self._buffer:
                events += self._say(self._text.end() + last)
        elif self._state == "think":
            self._think(last, events)
        else:
            rest = self._buffer[: len(self._buffer) - held(self._buffer, _ALL_TAGS)]
            events += self._say(rest.strip(" \n}]"))
        self._buffer = ""
        return events

    def _run(self) -> list[EngineEvent]:
        events: list[EngineEvent] = []
        while self._step(events):
            pass
        return events

    def _step(self, events: list[EngineEvent]) -> bool:
        """Do one piece of work; false when more text is needed."""
        match self._state:
            case "unsure":
                return self._settle()
            case "text":
                tag = self._until(self._tags, events)
                self._enter(tag)
                return bool(tag)
            case "think":
                tag = self._until((THINK_CLOSE,), events)
                if tag:
                    self._state = "text"
                return bool(tag)
            case "call":
                call = self._call or self._begun()
                if call is None:
                    return False
                piece, self._buffer = self._buffer, ""
                events += self._heard(call.feed(piece))
                if call.done:
                    self._leave_call(call)
                return call.done
            case "after_call":
                return self._skip_close()
            case _:
                assert_never(self._state)

    def _settle(self) -> bool:
        """Is the output's beginning a thought? Only a tag tells."""
        opening, close = self._buffer.find(THINK_OPEN), self._buffer.find(THINK_CLOSE)
        if (opening >= 0 and (close < 0 or opening < close)) or self._buffer.lstrip().startswith(
            CALL_OPEN
        ):
            self._state = "text"
        elif close >= 0:
            self._enter(THINK_OPEN)
        return self._state != "unsure"

    def _until(self, tags: tuple[str, ...], events: list[EngineEvent]) -> str:
        """Emit the text before the first of ``tags`` and take that tag off the buffer."""
        found: list[tuple[int, str]] = []
        at, tag = len(self._buffer), ""
        if "<" in self._buffer:  # every tag begins with one
            found = [(at, tag) for tag in tags if (at := self._buffer.find(tag)) >= 0]
            rest = len(self._buffer) - held(self._buffer, tags)
            at, tag = min(found) if found else (rest, "")
        text, self._buffer = self._buffer[:at], self._buffer[at + len(tag) :]
        if self._state == "think":
            self._think(text, events)
        else:
            events += self._say(self._text.push(text))
        return tag

    def _think(self, text: str, events: list[EngineEvent]) -> None:
        if text := self._thought.push(text):
            events.append(ReasoningDelta(text))

    def _say(self, text: str) -> list[EngineEvent]:
        return [TextDelta(text)] if text else []

    def _enter(self, tag: str) -> None:
        if tag:
            self._text.tag()
        if tag == THINK_OPEN:
            self._state = "think"
            self._thought = _Trimmed(after_tag=True)
        elif tag == CALL_OPEN:
            self._state, self._call = "call", None

    def _begun(self) -> CallReader | XmlCallReader | None:
        """What reads the call that begins the buffer; none when more of it is needed."""
        head = self._buffer.lstrip()
        if head.startswith(FUNCTION):
            return self._reader(XmlCallReader(self.calls_seen, self._schemas))
        return None if FUNCTION.startswith(head) else self._reader(CallReader(self.calls_seen))

    def _reader(self, call: CallReader | XmlCallReader) -> CallReader | XmlCallReader:
        self._call = call
        return call

    def _heard(self, events: list[EngineEvent]) -> list[EngineEvent]:
        return events if self._calls == "parse" else []

    def _leave_call(self, call: CallReader | XmlCallReader) -> None:
        self._state = "after_call"
        self._buffer = call.rest + self._buffer
        if self._calls == "parse" and not call.empty:
            self.calls_seen += 1

    def _skip_close(self) -> bool:
        """Pass over what stands between a call's object and its closing tag (or the next call)."""
        close, opening = self._buffer.find(CALL_CLOSE), self._buffer.find(CALL_OPEN)
        if close < 0 and opening < 0:
            return False
        if close >= 0 and (opening < 0 or close < opening):
            self._buffer = self._buffer[close + len(CALL_CLOSE) :]
        else:
            self._buffer = self._buffer[opening:]
        self._state = "text"
        return True
