"""Spans: what took how long within what, as W3C Trace Context and OpenTelemetry tell it.

Parents are handed on as ``traceparent`` texts, so that a span of another process is a parent as
any other. Without a place to send spans to, nothing is made.

Sources: W3C Trace Context, level 1; OpenTelemetry specification, trace API.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random, SystemRandom
from typing import Literal

SpanKind = Literal["internal", "server", "client", "consumer"]
Value = str | int | float | bool
_random = Random(SystemRandom().getrandbits(256)).getrandbits
"""Ids are to be different, not hard to guess."""
_PARENT = re.compile(r"00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})")
_SAMPLED = 1
LONGEST_VALUE = 256


@dataclass(eq=False, slots=True)
class Span:
    """``began`` and ``ended`` are nanoseconds since the epoch. ``failed`` is a code, never a message:
    what went wrong may tell of a person."""

    name: str
    trace: str
    id: str
    parent: str
    kind: SpanKind
    began: int
    attributes: dict[str, Value] = field(default_factory=dict)
    ended: int = 0
    failed: str = ""
    _give: Callable[[Span], None] | None = None

    @property
    def context(self) -> str:
        """``traceparent`` for what is done within."""
        return f"00-{self.trace}-{self.id}-01"

    def set(self, name: str, value: Value) -> None:
        self.attributes[name] = value[:LONGEST_VALUE] if isinstance(value, str) else value

    def end(self, failed: str = "") -> None:
        """Only the first time counts."""
        give, self._give = self._give, None
        if give is None:
            return
        self.ended = time.time_ns()
        self.failed = failed
        give(self)


class NoSpan(Span):
    """Stands where none is made, and is false; hands on the context it was given."""

    __slots__ = ("_context",)

    def __init__(self, context: str = "") -> None:
        self._context = context

    @property
    def context(self) -> str:
        return self._context

    def __bool__(self) -> bool:
        return False

    def set(self, name: str, value: Value) -> None:
        pass

    def end(self, failed: str = "") -> None:
        pass


NO_SPAN = NoSpan()


class Tracer:
    """Begins spans. ``give`` takes those that have ended; without it there are none. ``share``: of
    traces that begin here, 0 to 1; a caller's own trace is followed where they do so themselves."""

    def __init__(self, give: Callable[[Span], None] | None = None, share: float = 1.0) -> None:
        self.give = give
        self._below = round(share * 2**32)

    def begin(self, name: str, parent: str = "", kind: SpanKind = "internal") -> Span:
        """``parent``: a ``traceparent``; without one a trace of its own begins."""
        give = self.give
        if give is None:
            return NoSpan(parent) if parent else NO_SPAN
        found = _PARENT.fullmatch(parent)
        if found is None:
            trace, above = f"{_random(128):032x}", ""
            if int(trace[:8], 16) >= self._below:
                return NoSpan(f"00-{trace}-{_random(64):016x}-00")
        else:
            trace, above, flags = found.groups()
            if not int(flags, 16) & _SAMPLED:
                return NoSpan(parent)
        id = f"{_random(64):016x}"
        return Span(name, trace, id, above, kind, time.time_ns(), {}, 0, "", give)
