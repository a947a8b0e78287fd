"""A turn under way."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from dazi.agent.context import Budget, Conversation, TurnRequest
from dazi.agent.shown import Shown
from dazi.agent.window import Fitted
from dazi.core.engine import Served, Usage
from dazi.core.experiments import Variant
from dazi.core.messages import CallText
from dazi.core.tools import Tool
from dazi.core.turn import (
    AnswerDelta,
    CallRecord,
    TurnEvent,
)
from dazi.observe.tracing import NO_SPAN, Span
from dazi.prompt.choose import Choice
from dazi.router.dispatch import TurnContext

CONCISE_TOKENS = 256
"""What a model that answers in a sentence may use of the answer's tokens: it may not ramble."""
MENDABLE = frozenset({"invalid", "ungrounded", "unknown_tool"})
"""Outcomes that the model may mend by proposing a better call or by asking the person."""


@dataclass(slots=True)
class Turn:
    """A turn under way."""

    request: TurnRequest
    talk: Conversation
    context: TurnContext
    tools: tuple[Tool, ...]
    began: float
    ids: Iterator[str]
    shown: Shown
    span: Span = NO_SPAN
    usage: Usage = field(default_factory=Usage)
    requests: int = 0
    """How often a model was asked."""
    answer: str = ""
    records: list[CallRecord] = field(default_factory=list)
    replaced: int = 0
    reason: str = ""
    cut_short: bool = False
    ended: bool = False
    client_calls: list[CallText] = field(default_factory=list)
    choice: Choice = field(default_factory=Choice)
    """Which tools were thought of for it."""
    fitted: Fitted | None = None
    """What the model was given in its last round."""
    wanted: list[str] = field(default_factory=list)
    """Tools that the model meant and that lack something: the person is asked for it."""
    again: bool = False
    """It was begun before, for another model."""
    first: float = 0.0
    """When the first of its text was given out, on the clock of ``began``."""
    by: Served | None = None
    """Which of several servers answered, the lesser one where it was more than one."""
    variant: Variant | None = None
    """What it is made with, where that is not what ships."""
    asked: bool = False
    """A model was asked."""
    used: dict[tuple[str, str], Usage] = field(default_factory=dict)
    """What each model has used, by its name and that of the model it is an adapter of."""

    @property
    def untouched(self) -> bool:
        """Nothing has been said or done in it."""
        return not (self.answer or self.records or self.client_calls)

    @property
    def ms(self) -> float:
        """Since it began."""
        return (time.perf_counter() - self.began) * 1000

    def left(self, budget: Budget) -> float:
        """Seconds of ``budget``."""
        return budget.seconds - (time.perf_counter() - self.began)

    def say(self, text: str) -> AnswerDelta:
        """The host's own words as a part of the answer."""
        self.answer += text
        return AnswerDelta(text)

    def gave(self, event: TurnEvent) -> None:
        """Something is given out."""
        if not self.first and isinstance(event, AnswerDelta):
            self.first = time.perf_counter()

    def served(self, by: Served | None, usage: Usage, own: str) -> None:
        """``by``: whoever answered, as far as that is known; ``own``: the engine's own model."""
        if by is not None and (self.by is None or not self.by.fallback):
            self.by = by
        asked = self.variant.model if self.variant else ""
        model = (by.model, by.base) if by is not None else (asked or own, own)
        self.used[model] = self.used.get(model, Usage()) + usage
        self.usage += usage
