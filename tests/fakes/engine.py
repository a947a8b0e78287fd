"""An engine that says what a test wrote down, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    CallStarted,
    Done,
    EngineEvent,
    FinishReason,
    GenerateRequest,
    ModelProfile,
    ReasoningDelta,
    Served,
    TextDelta,
    Usage,
)


@dataclass(frozen=True)
class Call:
    """A proposed call; ``arguments`` may be any text, to play a model that writes nonsense."""

    name: str
    arguments: str = "{}"


def call(name: str, /, **arguments: Any) -> Call:
    return Call(name, json.dumps(arguments, ensure_ascii=False))


@dataclass(frozen=True)
class Pause:
    """Wait for so long, or until cancelled."""

    seconds: float = 3600.0


@dataclass(frozen=True)
class Until:
    """Wait until a test sets ``event``."""

    event: asyncio.Event


@dataclass(frozen=True)
class Thought:
    text: str


@dataclass(frozen=True)
class CutOff:
    """The limit on tokens was reached."""


Piece = str | Call | Pause | Until | Thought | CutOff | EngineEvent | Exception
Reply = Piece | Sequence[Piece]
Script = Iterable[Reply] | Callable[[GenerateRequest], Reply]

PROFILE = ModelProfile("scripted-1", 8192)
PROMPT_TOKENS, CACHED_TOKENS = 20, 5


@dataclass
class ScriptedEngine:
    """Implements ``core.engine.Engine``.

    ``script`` lists a reply for each generation in turn, or is a function that makes one for each
    request. Text comes out in pieces of two characters, each counted as a token.
    """

    script: Script = ()
    profile: ModelProfile = PROFILE
    requests: list[GenerateRequest] = field(default_factory=list)
    warmed: list[GenerateRequest] = field(default_factory=list)
    running: int = 0
    cancelled: int = 0
    closed: bool = False
    by: Served | None = None
    """Which server of a pool this is, if it plays one."""

    def __post_init__(self) -> None:
        self._replies = None if callable(self.script) else iter(self.script)

    def say(self, *replies: Reply) -> None:
        """Replace what is left of the script."""
        self._replies = iter(replies)

    def count_tokens(self, request: GenerateRequest) -> int:
        return sum(len(m.content) for m in request.messages)

    async def generate(self, request: GenerateRequest) -> AsyncIterator[EngineEvent]:
        self.requests.append(request)
        pieces = self._next(request)
        self.running += 1
        tokens = calls = 0
        reason: FinishReason = "stop"
        finished = False
        try:
            for piece in pieces:
                for event in await _events(piece, calls):
                    tokens += isinstance(event, TextDelta)
                    calls += isinstance(event, CallDone)
                    yield event
                reason = "length" if isinstance(piece, CutOff) else reason
            reason = "tool_calls" if calls and reason == "stop" else reason
            finished = True
            yield Done(reason, Usage(PROMPT_TOKENS, tokens, CACHED_TOKENS), self.by)
        finally:
            self.running -= 1
            self.cancelled += not finished

    async def warm(self, request: GenerateRequest) -> None:
        self.warmed.append(request)

    async def close(self) -> None:
        self.closed = True

    def _next(self, request: GenerateRequest) -> Sequence[Piece]:
        if callable(self.script):
            reply = self.script(request)
        else:
            assert self._replies is not None
            reply = next(self._replies, None) or AssertionError("the script has no more replies")
        return reply if isinstance(reply, list | tuple) else [reply]  # type: ignore[list-item]


async def _events(piece: Piece, index: int) -> list[EngineEvent]:
    match piece:
        case str():
            return [TextDelta(piece[i : i + 2]) for i in range(0, len(piece), 2)]
        case Call(name, arguments):
            return [
                CallStarted(index, name),
                CallArgumentsDelta(index, arguments),
                CallDone(index, name, arguments),
            ]
        case Thought(text):
            return [ReasoningDelta(text)]
        case Pause(seconds):
            await asyncio.sleep(seconds)
            return []
        case Until(event):
            await event.wait()
            return []
        case CutOff():
            return []
        case Exception():
            raise piece
        case _:
            return [piece]
