"""Spans, and a collector that is handed them."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from aiohttp import web
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from dazi.observe import otlp
from dazi.observe.instruments import Registry
from dazi.observe.otlp import Collector, Exporter, request_of
from dazi.observe.tracing import LONGEST_VALUE, Span, Tracer

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"


def test_a_child_is_of_its_parents_trace() -> None:
    given: list[Span] = []
    tracer = Tracer(given.append)
    parent = tracer.begin("turn", PARENT, "server")
    child = tracer.begin("call", parent.context)
    child.end("timeout")
    parent.end()
    parent.end("twice")
    assert given == [child, parent]
    assert parent.trace == child.trace == "a" * 32
    assert parent.parent == "b" * 16 and child.parent == parent.id != child.id
    assert child.failed == "timeout" and parent.failed == ""
    assert parent.began <= child.began <= child.ended <= parent.ended


def test_without_a_collector_the_context_is_handed_on() -> None:
    tracer = Tracer()
    span = tracer.begin("x", PARENT)
    assert span.context == PARENT
    span.set("a", 1)
    span.end("failed")
    assert tracer.begin("x").context == ""


def test_whoever_does_not_follow_a_trace_is_not_followed() -> None:
    given: list[Span] = []
    tracer = Tracer(given.append, share=1.0)
    unsampled = PARENT[:-2] + "00"
    span = tracer.begin("x", unsampled)
    span.end()
    assert span.context == unsampled and given == []


@pytest.mark.parametrize("nonsense", ["", "00-xyz", PARENT.upper(), PARENT + "-more"])
def test_nonsense_is_no_parent(nonsense: str) -> None:
    span = Tracer(lambda _: None).begin("x", nonsense)
    assert span.parent == "" and len(span.trace) == 32 and span.trace != "a" * 32


def test_a_share_of_the_traces_is_kept_whole() -> None:
    given: list[Span] = []
    tracer = Tracer(given.append, share=0.25)
    for _ in range(2_000):
        turn = tracer.begin("turn")
        tracer.begin("call", turn.context).end()
        turn.end()
    traces = {s.trace for s in given}
    assert 380 < len(traces) < 620
    assert len(given) == 2 * len(traces)


def test_a_request_is_one_of_the_protocol() -> None:
    given: list[Span] = []
    span = Tracer(given.append).begin("chat 模型", PARENT, "client")
    for name, value in (("text", "值" * 999), ("n", 3), ("share", 0.5), ("yes", True)):
        span.set(name, value)
    span.end("timeout")
    body = json.loads(json.dumps(request_of(given, {"service.name": "dazi"})))
    request = ParseDict(body, ExportTraceServiceRequest())
    (resource,) = request.resource_spans
    (told,) = resource.scope_spans[0].spans
    assert resource.resource.attributes[0].value.string_value == "dazi"
    values = {a.key: a.value for a in told.attributes}
    assert len(values["text"].string_value) == LONGEST_VALUE
    assert values["n"].int_value == 3 and values["share"].double_value == 0.5
    assert values["yes"].bool_value and values["error.type"].string_value == "timeout"
    assert told.kind == told.SPAN_KIND_CLIENT and told.status.code == told.status.STATUS_CODE_ERROR
    assert told.end_time_unix_nano >= told.start_time_unix_nano > 1.7e18
    assert body["resourceSpans"][0]["scopeSpans"][0]["spans"][0]["traceId"] == "a" * 32


@dataclass
class Received:
    """A collector that answers with ``statuses`` in turn, and 200 after them."""

    url: str = ""
    statuses: list[int] = field(default_factory=list)
    spans: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)

    async def post(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.headers.append(dict(request.headers))
        status = self.statuses.pop(0) if self.statuses else 200
        if status == 200:
            ParseDict(body, ExportTraceServiceRequest())
            self.spans += body["resourceSpans"][0]["scopeSpans"][0]["spans"]
        return web.json_response({}, status=status)


@pytest.fixture
async def collector() -> AsyncIterator[Received]:
    made = Received()
    app = web.Application(client_max_size=10_000_000)
    app.router.add_post("/v1/traces", made.post)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    await runner.cleanup()


async def test_a_collector_gets_them_in_batches(collector: Received) -> None:
    counter = Registry().counter("spans", "spans", "result")
    exporter = Exporter(Collector(collector.url, {"X-Key": "k"}), counter)
    tracer = Tracer(exporter.give)
    for i in range(otlp.AT_ONCE + 10):
        tracer.begin(f"n{i}").end()
    await exporter.flush()
    assert [len(collector.headers), len(collector.spans)] == [2, otlp.AT_ONCE + 10]
    assert collector.headers[0]["X-Key"] == "k"
    assert counter.values == {("sent",): otlp.AT_ONCE + 10}


async def test_one_that_is_busy_is_tried_again(
    collector: Received, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(otlp, "AGAIN_S", (0.01, 0.01))
    counter = Registry().counter("spans", "spans", "result")
    exporter = Exporter(Collector(collector.url), counter)
    collector.statuses = [503, 429]
    Tracer(exporter.give).begin("a").end()
    await exporter.flush()
    assert [s["name"] for s in collector.spans] == ["a"]
    collector.statuses = [400]
    Tracer(exporter.give).begin("b").end()
    await exporter.flush()
    assert counter.values == {("sent",): 1, ("lost",): 1} and len(collector.headers) == 4


async def test_one_that_is_down_costs_spans_and_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(otlp, "AGAIN_S", ())
    monkeypatch.setattr(otlp, "MOST_WAITING", 50)
    counter = Registry().counter("spans", "spans", "result")
    exporter = Exporter(Collector("http://127.0.0.1:9"), counter)
    tracer = Tracer(exporter.give)
    for i in range(80):
        tracer.begin(f"n{i}").end()
    await exporter.flush()
    assert counter.values == {("lost",): 80}


async def test_what_waits_at_the_end_is_sent(collector: Received) -> None:
    exporter = Exporter(Collector(collector.url), Registry().counter("spans", "spans", "result"))
    running = asyncio.create_task(exporter.run())
    await asyncio.sleep(0)
    Tracer(exporter.give).begin("last").end()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert [s["name"] for s in collector.spans] == ["last"]
