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
from dazi.observe.instruments import MOST_SERIES, Distribution, Registry
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


@dataclass(frozen=True, slots=True)
class Generations:
    """``took``: seconds in all; ``first``: to the first event; ``each``: between tokens."""

    took: Distribution
    first: Distribution
    each: Distribution
    read: Distribution
    written: Distribution


class Observer:
    """Of one process."""

    def __init__(self, tracer: Tracer | None = None) -> None:
        self.registry = Registry()
        self.meters = Meters(self.registry)
        self.tracer = tracer or Tracer()
        self._turn_series: dict[tuple[str, str], tuple[Distribution, Distribution]] = {}
        self._generations: dict[tuple[str, str, str], Generations] = {}

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
        took, first = self._turns(who.channel, model)
        took.add(told.seconds)
        if told.first_s is not None:
            first.add(told.first_s)
        if told.replaced:
            meters.replaced.add((model,), told.replaced)
        self.used(model, who.tenant, told.usage, told.cost)

    def _turns(self, channel: str, model: str) -> tuple[Distribution, Distribution]:
        labels = (channel, model)
        found = self._turn_series.get(labels)
        if found is None:
            meters = self.meters
            found = meters.turn_seconds.series(labels), meters.first_text_seconds.series(labels)
            if len(self._turn_series) < MOST_SERIES:
                self._turn_series[labels] = found
        return found

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

    def messaged(self, channel: str, result: str) -> None:
        """A vendor's callback: ``taken``, ``again`` (it was there already), ``stranger``, ``forged``."""
        self.meters.channel_messages.add((channel, result))

    def handed(self, channel: str, result: str) -> None:
        """To a vendor: ``sent``, ``later`` (it will be tried again), ``refused``, ``uncertain``."""
        self.meters.channel_parts.add((channel, result))

    def visited(self, site: str, result: str) -> None:
        """``guest``, ``signed`` or ``refused``."""
        self.meters.visitors.add((site, result))

    def visitor_did(self, site: str, act: str) -> None:
        self.meters.visitor_acts.add((site, act))

    def recorded(self, kind: str) -> None:
        self.meters.records.add((kind,))

    def generations(self, provider: str, model: str, error: str) -> Generations:
        """Where the figures of one such generation go."""
        key = (provider, model, error)
        found = self._generations.get(key)
        if found is None:
            meters, asked = self.meters, ("chat", provider, model)
            found = Generations(
                meters.model_seconds.series((*asked, error)),
                meters.first_token_seconds.series(asked),
                meters.per_token_seconds.series(asked),
                meters.usage.series((*asked, "input")),
                meters.usage.series((*asked, "output")),
            )
            if len(self._generations) < MOST_SERIES:
                self._generations[key] = found
        return found

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
        took = time.perf_counter() - self._began
        model = by.model if by is not None else self._model
        provider = by.backend if by is not None else genai.OURS
        to = self._observer.generations(provider, model, error)
        to.took.add(took)
        if self._first:
            to.first.add(self._first - self._began)
            if usage.completion > 1:
                to.each.add((self._last - self._first) / (usage.completion - 1))
        to.read.add(usage.prompt)
        to.written.add(usage.completion)
        span = self.span
        if not span:
            return
        span.attributes |= {
            genai.OPERATION: "chat",
            genai.PROVIDER: provider,
            genai.REQUEST_MODEL: self._model,
            genai.RESPONSE_MODEL: model,
            genai.INPUT_TOKENS: usage.prompt,
            genai.OUTPUT_TOKENS: usage.completion,
        }
        span.end(error)
