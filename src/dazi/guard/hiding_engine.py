"""An engine that is asked with pseudonyms and answers with what they stand for."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing

from dazi.core.engine import (
    CallArgumentsDelta,
    CallDone,
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    ModelProfile,
    ReasoningDelta,
    TextDelta,
    bursts_of,
)
from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.guard.engine import Guard
from dazi.guard.hiding import Hider
from dazi.guard.pseudonyms import JSON, Pseudonyms, Restorer
from dazi.guard.rules import Hidden


def hiding(engine: Engine, guard: Guard, principal: Principal) -> Engine:
    """``engine`` for what ``principal`` asks; itself where the rules keep nothing from it."""
    hidden = guard.hidden(principal)
    return engine if hidden is None else HidingEngine(engine, guard, hidden)


class HidingEngine:
    """Nothing that is pseudonymised reaches the engine, and whoever listens never sees a pseudonym.

    Asking raises ``CallerError`` where the request could not be checked.
    """

    def __init__(self, engine: Engine, guard: Guard, hidden: Hidden) -> None:
        self._engine = engine
        self._guard = guard
        self._hidden = hidden

    @property
    def profile(self) -> ModelProfile:
        return self._engine.profile

    async def generate(self, request: GenerateRequest) -> AsyncGenerator[EngineEvent, None]:
        async with aclosing(self.bursts(request)) as bursts:
            async for events in bursts:
                for event in events:
                    yield event

    async def bursts(self, request: GenerateRequest) -> AsyncGenerator[Sequence[EngineEvent], None]:
        hidden, pseudonyms = self._asked(request)
        restoring = Restoring(pseudonyms)
        async with aclosing(bursts_of(self._engine, hidden)) as bursts:
            async for events in bursts:
                if restored := [r for event in events for r in restoring.events(event)]:
                    yield restored

    def count_tokens(self, request: GenerateRequest) -> int:
        return self._engine.count_tokens(self._asked(request)[0])

    async def warm(self, request: GenerateRequest) -> None:
        await self._engine.warm(self._asked(request)[0])

    async def close(self) -> None:
        await self._engine.close()

    def _asked(self, request: GenerateRequest) -> tuple[GenerateRequest, Pseudonyms]:
        hider = Hider(self._guard, self._hidden)
        try:
            return hider.request(request), hider.pseudonyms
        except Exception as e:  # whatever it is, the request has not been checked
            raise CallerError(
                "guard_blocked",
                "内容没能检查,所以没有交给模型;请改写后再试",
                "what is asked could not be checked and was not given to the model; "
                "word it differently",
            ) from e


class Restoring:
    """Of one answer: words, thoughts and each call's arguments by themselves."""

    def __init__(self, pseudonyms: Pseudonyms) -> None:
        self._pseudonyms = pseudonyms
        self._words: tuple[type[TextDelta | ReasoningDelta], Restorer] | None = None
        self._arguments: dict[int, Restorer] = {}

    def events(self, event: EngineEvent) -> Iterator[EngineEvent]:
        """What can be given on now."""
        if self._words is not None and type(event) is not self._words[0]:
            yield from self._rest_of_words()
        match event:
            case TextDelta(text) | ReasoningDelta(text):
                if self._words is None:
                    self._words = type(event), Restorer(self._pseudonyms)
                if text := self._words[1].push(text):
                    yield type(event)(text)
            case CallArgumentsDelta(index, text):
                restorer = self._arguments.setdefault(index, Restorer(self._pseudonyms, JSON))
                if text := restorer.push(text):
                    yield CallArgumentsDelta(index, text)
            case CallDone(index, name, arguments):
                yield from self._rest_of_arguments(index)
                yield CallDone(index, name, self._pseudonyms.restore(arguments, JSON))
            case Done():
                for index in list(self._arguments):  # of calls that were cut off
                    yield from self._rest_of_arguments(index)
                yield event
            case _:
                yield event

    def _rest_of_words(self) -> Iterator[EngineEvent]:
        assert self._words is not None
        kind, restorer = self._words
        self._words = None
        if rest := restorer.finish():
            yield kind(rest)

    def _rest_of_arguments(self, index: int) -> Iterator[EngineEvent]:
        restorer = self._arguments.pop(index, None)
        if restorer is not None and (rest := restorer.finish()):
            yield CallArgumentsDelta(index, rest)
