"""Hands spans over to a collector: OTLP over HTTP, as JSON.

Source: OpenTelemetry Protocol 1.9, OTLP/HTTP; the JSON form of its protocol buffers.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from dazi.net.egress import Egress
from dazi.net.rules import Rule
from dazi.observe.instruments import Counter
from dazi.observe.tracing import Span, SpanKind, Value

PATH = "/v1/traces"
EVERY_S = 2.0
AT_ONCE = 512
MOST_WAITING = 8_192
WITHIN_S = 10.0
AGAIN_S = (1.0, 5.0, 15.0)
_KINDS: Mapping[SpanKind, int] = {"internal": 1, "server": 2, "client": 3, "consumer": 5}
_FAILED = 2
_REPEATABLE = frozenset({429, 502, 503, 504})
log = logging.getLogger("dazi.observe")


@dataclass(frozen=True, slots=True)
class Collector:
    """Where spans go, and what they say of the process: ``service.name`` and the like."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    resource: Mapping[str, str] = field(default_factory=dict)


class Exporter:
    """Takes spans at once and sends them on later. A collector that is down costs spans, never a
    request: where too many wait, the oldest go. ``counter`` counts them as ``sent`` or ``lost``."""

    def __init__(self, collector: Collector, counter: Counter) -> None:
        self._collector = collector
        self._counter = counter
        self._waiting: deque[Span] = deque()
        self._session: Egress | None = None
        self._told = False

    def give(self, span: Span) -> None:
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            self._counter.add(("lost",))
        self._waiting.append(span)

    async def run(self) -> None:
        """Until cancelled; then what waits is sent once more."""
        try:
            while True:
                await asyncio.sleep(EVERY_S)
                await self.flush()
        finally:
            with suppress(TimeoutError):
                async with asyncio.timeout(WITHIN_S):
                    await self._send(self._taken(), again=())
            if self._session is not None:
                await self._session.close()

    async def flush(self) -> None:
        while batch := self._taken():
            await self._send(batch, AGAIN_S)

    def _taken(self) -> list[Span]:
        return [self._waiting.popleft() for _ in range(min(AT_ONCE, len(self._waiting)))]

    async def _send(self, batch: list[Span], again: tuple[float, ...]) -> None:
        if not batch:
            return
        body = msgspec.json.encode(request_of(batch, self._collector.resource))
        for wait in (*again, None):
            status = await self._posted(body)
            if status < 300 and status:
                self._counter.add(("sent",), len(batch))
                self._told = False
                return
            if wait is None or (status and status not in _REPEATABLE):
                break
            await asyncio.sleep(wait)
        self._counter.add(("lost",), len(batch))
        if not self._told:  # once, not with every batch
            log.warning("spans cannot be handed to the collector (%s)", status or "no answer")
            self._told = True

    async def _posted(self, body: bytes) -> int:
        """The status, 0 where there was no answer."""
        collector = self._collector
        headers = {"Content-Type": "application/json", **collector.headers}
        if self._session is None:
            self._session = Egress(Rule.to(collector.url), connections=2)
        try:
            async with (
                asyncio.timeout(WITHIN_S),
                self._session.request(
                    "POST", collector.url.rstrip("/") + PATH, data=body, headers=headers
                ) as answer,
            ):
                await answer.read()
                return int(answer.status)
        except (OSError, aiohttp.ClientError, TimeoutError):
            return 0


def request_of(spans: Iterable[Span], resource: Mapping[str, str]) -> dict[str, Any]:
    """An ``ExportTraceServiceRequest``."""
    scope = {"scope": {"name": "dazi"}, "spans": [_span(s) for s in spans]}
    return {
        "resourceSpans": [
            {"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    attributes = dict(span.attributes)
    out: dict[str, Any] = {
        "traceId": span.trace,
        "spanId": span.id,
        "flags": 1,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.began),
        "endTimeUnixNano": str(span.ended),
    }
    if span.parent:
        out["parentSpanId"] = span.parent
    if span.failed:
        attributes["error.type"] = span.failed
        out["status"] = {"code": _FAILED, "message": span.failed}
    return out | {"attributes": _attributes(attributes)}


def _attributes(values: Mapping[str, Value]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in values.items()]


def _value(value: Value) -> dict[str, Any]:
    match value:
        case bool():
            return {"boolValue": value}
        case int():
            return {"intValue": str(value)}
        case float():
            return {"doubleValue": value}
        case _:
            return {"stringValue": value}
