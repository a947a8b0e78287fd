"""Saying only what was checked.

Sentences are checked before they leave. One that states something no evidence holds is made again
once; if the second try is no better, a plain rendering of the results takes its place.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from dazi.agent.check import AnswerChecker
from dazi.agent.sentences import SentenceCutter
from dazi.core.engine import (
    CallDone,
    Done,
    Engine,
    EngineEvent,
    GenerateRequest,
    ReasoningDelta,
    Served,
    TextDelta,
    Usage,
    spent,
)
from dazi.core.errors import DaziError
from dazi.core.messages import CallText
from dazi.core.turn import AnswerDelta, CallProposed, ReasoningStep
from dazi.observe.observer import Observer

SECOND_TRY_TEMPERATURE = 0.7


@dataclass(slots=True)
class Round:
    """What one model round came to. ``failed`` are the unsupported pieces that stopped it;
    ``wanted`` names tools that it meant and that still lack an argument; ``until``: when it has to be
    over, in the loop's time; ``late``: it was not. ``by``: which of several servers answered;
    ``requests``: how often the model was asked."""

    text: str = ""
    calls: list[CallText] = field(default_factory=list)
    wanted: list[str] = field(default_factory=list)
    usage: Usage = field(default_factory=Usage)
    failed: tuple[str, ...] = ()
    cut_short: bool = False
    replaced: int = 0
    needless: bool = False
    until: float | None = None
    late: bool = False
    by: Served | None = None
    requests: int = 0
    observer: Observer = field(default_factory=Observer)


async def speak(
    engine: Engine,
    request: GenerateRequest,
    checker: AnswerChecker,
    done: Round,
    ids: Iterator[str],
) -> AsyncGenerator[AnswerDelta | ReasoningStep | CallProposed, None]:
    """Generate once, and once more from the last good sentence if one fails; fills ``done``.
    ``ids`` name the calls."""
    async with aclosing(_once(engine, request, checker, done, ids)) as events:
        async for event in events:
            yield event
    if done.failed and not done.calls:
        done.replaced += 1
        if done.needless:  # it knows which tool is meant and overlooks what was said: call it
            again = replace(request, tool_choice="required", call_confidence=0.0)
            checker.needless = frozenset()
        else:
            sampling = replace(request.sampling, temperature=SECOND_TRY_TEMPERATURE, seed=1)
            again = replace(request, sampling=sampling, prefix=request.prefix + done.text)
        done.failed = ()
        async with aclosing(_once(engine, again, checker, done, ids)) as events:
            async for event in events:
                yield event


async def _once(
    engine: Engine,
    request: GenerateRequest,
    checker: AnswerChecker,
    done: Round,
    ids: Iterator[str],
) -> AsyncGenerator[AnswerDelta | ReasoningStep | CallProposed, None]:
    cutter = SentenceCutter()
    lacking = {t.name for t in request.tools if t.lacking}
    # An engine that cannot go on from a prefix begins anew; what was said is not said twice.
    repeated = SentenceCutter().feed(request.prefix) if request.prefix else []
    async with aclosing(_heard(engine, request, done)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                for sentence in cutter.feed(event.text):
                    if sentence in repeated:
                        continue
                    if not _passes(sentence, checker, done):
                        return
                    yield AnswerDelta(sentence)
            elif isinstance(event, ReasoningDelta):
                yield ReasoningStep(event.text)
            elif isinstance(event, CallDone) and event.name in lacking:
                done.wanted.append(event.name)
            elif isinstance(event, CallDone):
                if any((c.name, c.arguments) == (event.name, event.arguments) for c in done.calls):
                    continue  # the very same call twice in one breath is one call
                call = CallText(next(ids), event.name, event.arguments)
                done.calls.append(call)
                yield CallProposed(call.id, call.name, call.arguments)
            elif isinstance(event, Done):
                done.cut_short = event.reason == "length"
    if done.late:
        return
    rest = cutter.rest()
    # What is left after a cut-off generation is half a sentence: half a number may be in it.
    if rest.strip() and not (done.cut_short and done.text) and _passes(rest, checker, done):
        yield AnswerDelta(rest)


async def _heard(
    engine: Engine, request: GenerateRequest, done: Round
) -> AsyncGenerator[EngineEvent, None]:
    """The engine's events while there is time. What they cost is noted however they end."""
    said: list[str] = []
    told = False
    done.requests += 1
    used, by, failed = Usage(), None, "error"
    asking = done.observer.asks(request.model or engine.profile.name, request.trace)
    if asking.span.context != request.trace:
        request = replace(request, trace=asking.span.context)
    try:
        async with aclosing(engine.generate(request)) as events:  # type: ignore[type-var]
            while True:
                async with asyncio.timeout_at(done.until):
                    event = await anext(events)
                asking.heard()
                if isinstance(event, TextDelta | ReasoningDelta):
                    said.append(event.text)
                elif isinstance(event, Done):
                    done.usage += event.usage
                    used, by, failed = event.usage, event.by, ""
                    done.by = event.by
                    told = True
                yield event
    except StopAsyncIteration:
        pass
    except TimeoutError:
        done.late, failed = True, "timeout"
    except (GeneratorExit, asyncio.CancelledError):
        failed = "cancelled"
        raise
    except DaziError as e:
        failed = e.code
        told = told or not said  # an engine that fails before it says anything has used nothing
        raise
    finally:
        if not told:
            used = spent(engine, request, "".join(said))
            done.usage += used
        asking.ended(used, by, failed)


def _passes(sentence: str, checker: AnswerChecker, done: Round) -> bool:
    verdict = checker.check(sentence)
    if not verdict.ok:
        done.failed, done.needless = verdict.unsupported, verdict.needless
        return False
    done.text += sentence
    return True
