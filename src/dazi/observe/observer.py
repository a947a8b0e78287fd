"""What is told of the work as it is done: numbers for the meters, spans for the tracer.

Whoever works says once that something has ended; which numbers that makes is known here alone.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass

from dazi.core.engine import Served, Usage
from dazi.core.errors import DaziError
from dazi.core.principal import Principal
from dazi.core.turn import CallRecord
from dazi.observe import genai
from dazi.observe.instruments import Registry
from dazi.observe.meters import Meters
from dazi.observe.tracing import Span, Tracer

UNKNOWN = "(unknown)"
"""Stands for a tool that there is not: a model may invent any name."""
LEFT = 499
"""The status of a request whose caller left before it was answered."""


@dataclass(frozen=True, slots=True)
class TurnTold:
    """A turn that has ended; ``first_s``: to its first text, ``None`` where there was none."""

    principal: Principal
    model: str
    reason: str
    seconds: float
    first_s: float | None
    usage: Usage
    cost: float | None
    replaced: int


class Observer:
    """Of one process."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self.registry = Registry()
        self.meters = Meters(self.registry)
        self.tracer = tracer or Tracer()

    def answered(self, route: str, method: str, status: int, seconds: float) -> None:
        meters = self.meters
        meters.requests.add((route, method, str(status)))
        meters.request_seconds.observe(seconds, (route,))

    def refused(self, error: DaziError) -> None:
        self.meters.errors.add((error.code, type(error).__name__))

    def failed(self) -> None:
        """Something that nobody foresaw."""
        self.meters.errors.add(("unexpected", "OperatorError"))

    def turn(self, told: TurnTold) -> None:
        meters, who, model = self.meters, told.principal, told.model
        meters.turns.add((who.channel, who.tenant, model, told.reason))
        meters.turn_seconds.observe(told.seconds, (who.channel, model))
        if told.first_s is not None:
            meters.first_text_seconds.observe(told.first_s, (who.channel, model))
        if told.replaced:
            meters.replaced.add((model,), told.replaced)
        self.used(model, who.tenant, told.usage, told.cost)

    def used(self, model: str, tenant: str, usage: Usage, cost: float | None) -> None:
        tokens = self.meters.tokens
        if usage.prompt:
            tokens.add((model, tenant, "input"), usage.prompt)
        if usage.cached:
            tokens.add((model, tenant, "cached"), usage.cached)
        if usage.completion:
            tokens.add((model, tenant, "output"), usage.completion)
        if cost:
            self.meters.cost.add((model, tenant), cost)

    def call(self, record: CallRecord, known: bool) -> None:
        """``known``: there is a tool of that name; else it is the model's invention."""
        name = record.name if known else UNKNOWN
        self.meters.calls.add((name, record.outcome))
        self.meters.call_seconds.observe(record.ms / 1000, (name,))
        if record.outcome == "needs_confirmation":
            self.meters.approvals.add((name, "asked"))

    def decided(self, tool: str, result: str) -> None:
        self.meters.approvals.add((tool, result))

    def guarded(self, scope: str, found: Iterable[tuple[str, str]]) -> None:
        """``found``: what was done about what, for each place."""
        for action, type in found:
            self.meters.guard.add((scope, action, type))

    def recorded(self, kind: str) -> None:
        self.meters.records.add((kind,))

    def asks(self, model: str, parent: str = "") -> Asking:
        return Asking(self, model, parent)


class Asking:
    """One generation, watched: ``heard`` at each of its events, and ``ended``."""

    __slots__ = ("_began", "_first", "_last", "_model", "_observer", "span")

    def __init__(self, observer: Observer, model: str, parent: str) -> None:
        self._observer = observer
        self._model = model
        self.span: Span = observer.tracer.begin(f"chat {model}", parent, "client")
        self._began = time.perf_counter()
        self._first = self._last = 0.0

    def heard(self) -> None:
        now = time.perf_counter()
        if not self._first:
            self._first = now
        self._last = now

    def ended(self, usage: Usage, by: Served | None, error: str = "") -> None:
        now = time.perf_counter()
        model = by.model if by is not None else self._model
        provider = by.backend if by is not None else genai.OURS
        meters, asked = self._observer.meters, ("chat", provider, model)
        meters.model_seconds.observe(now - self._began, (*asked, error))
        if self._first:
            meters.first_token_seconds.observe(self._first - self._began, asked)
            if usage.completion > 1:
                each = (self._last - self._first) / (usage.completion - 1)
                meters.per_token_seconds.observe(each, asked)
        meters.usage.observe(usage.prompt, (*asked, "input"))
        meters.usage.observe(usage.completion, (*asked, "output"))
        span = self.span
        span.set(genai.OPERATION, "chat")
        span.set(genai.PROVIDER, provider)
        span.set(genai.REQUEST_MODEL, self._model)
        span.set(genai.RESPONSE_MODEL, model)
        span.set(genai.INPUT_TOKENS, usage.prompt)
        span.set(genai.OUTPUT_TOKENS, usage.completion)
        span.end(error)
