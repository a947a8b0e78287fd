"""``/metrics``, and one trace from the request to the company's system."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from dazi.gateway.exchange import Exchange
from dazi.gateway.operator_entry import admits
from dazi.observe.tracing import Span, Tracer
from tests.fakes.engine import Pause, call
from tests.gateway.conftest import Site
from tests.waiting import until

PARENT = f"00-{'a' * 32}-{'b' * 16}-01"
SAID = "我的电话是 13812345678,订单 ORD12345 到哪了?"
Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


async def samples(site: Site) -> Samples:
    answered = await site.request("GET", "/metrics", user=None)
    assert answered.status == 200 and answered.headers["Content-Type"].startswith("text/plain")
    families = text_string_to_metric_families(answered.body.decode())
    return {(s.name, frozenset(s.labels.items())): s.value for f in families for s in f.samples}


def value(found: Samples, metric: str, **labels: str) -> float:
    """The sum of what has these labels."""
    wanted = set(labels.items())
    return sum(v for (name, has), v in found.items() if name == metric and wanted <= has)


async def test_a_turn_is_counted_once_in_each_place(site: Site) -> None:
    before = await samples(site)
    site.says([call("get_order_status", order_id="ORD12345")], ["订单", "已打包。"])
    assert (await site.chat("订单 ORD12345 到哪了?")).status == 200
    after = await samples(site)

    def more(metric: str, **labels: str) -> float:
        return value(after, metric, **labels) - value(before, metric, **labels)

    assert more("dazi_turns_total", channel="api", reason="answer", model="scripted-1") == 1
    assert more("dazi_turn_seconds_count") == more("dazi_turn_first_text_seconds_count") == 1
    assert more("dazi_tool_calls_total", tool="get_order_status", outcome="ok") == 1
    assert more("gen_ai_client_operation_duration_seconds_count", error_type="") == 2
    assert more("gen_ai_server_time_to_first_token_seconds_count") == 2
    assert more("dazi_tokens_total", kind="input") == 40
    assert more("dazi_tokens_total", kind="cached") == 10
    route = "/v1/chat/completions"
    assert more("dazi_requests_total", route=route, method="POST", status="200") == 1
    assert more("dazi_ledger_records_total", kind="answer") == 1


async def test_what_goes_wrong_is_counted(site: Site) -> None:
    site.says([call("get_order_status", order_id="ORD99999")], [call("drop_tables")], ["没有。"])
    await site.chat("看看")
    await site.request("POST", "/v1/chat/completions", user=None)
    await site.request("GET", "/v1/dazi/pool")
    found = await samples(site)
    assert value(found, "dazi_tool_calls_total", outcome="ungrounded") == 1
    # A name that a model has made up is no label.
    assert value(found, "dazi_tool_calls_total", tool="(unknown)", outcome="unknown_tool") == 1
    assert value(found, "dazi_errors_total", code="unauthenticated", who="AccessError") == 1
    assert value(found, "dazi_errors_total", code="forbidden") == 1
    assert value(found, "dazi_requests_total", status="401") == 1


async def test_confirmations_and_the_guard_are_counted(site: Site) -> None:
    site.says([call("request_refund", order_id="ORD12345", reason="坏了")], ["已提交。"])
    await site.chat("给订单 ORD12345 退款,原因:坏了", user="finance")
    found = await samples(site)
    asked = value(found, "dazi_confirmations_total", tool="request_refund", result="asked")
    assert asked == 1
    site.says(["身份证 11010519491231002X。"])
    await site.chat("说说", user="admin", model="scripted-1")
    found = await samples(site)
    hits = value(found, "dazi_guard_hits_total", scope="output", type="resident_id", action="mask")
    assert hits == 1


async def test_nothing_said_and_nobody_is_in_the_metrics(site: Site) -> None:
    site.says([call("get_order_status", order_id="ORD12345")], ["在 13812345678 那里。"])
    await site.chat(SAID)
    text = (await site.request("GET", "/metrics", user=None)).body.decode()
    for canary in ("13812345678", "ORD12345", "C10001", "林先生", 'user="'):
        assert canary not in text


async def test_whoever_left_has_a_status_of_their_own(site: Site) -> None:
    site.says(["慢", Pause(30)])
    asking = asyncio.create_task(site.chat("慢慢说", stream=True))
    await until(lambda: site.engine.running == 1)
    asking.cancel()
    await asyncio.wait({asking})
    for _ in range(400):
        found = await samples(site)
        if value(found, "dazi_turns_total", reason="cancelled"):
            break
        await asyncio.sleep(0.05)
    assert value(found, "dazi_turns_total", reason="cancelled") == 1
    took = "gen_ai_client_operation_duration_seconds_count"
    assert value(found, took, error_type="cancelled") == value(found, took) == 1


async def test_a_turn_that_fails_is_told_from_one_that_was_left(site: Site) -> None:
    site.says(RuntimeError("broken"))
    assert (await site.chat("你好")).status == 500
    found = await samples(site)
    assert value(found, "dazi_turns_total", reason="error") == 1
    assert value(found, "dazi_turns_total", reason="cancelled") == 0


async def test_a_monitor_needs_its_token(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    host = await site.request("GET", "/metrics", user=None, headers={"Host": "evil.example"})
    assert host.status == 401  # another site's name that leads here
    monkeypatch.setattr("dazi.gateway.operator_entry.LOOPBACK", frozenset[str]())
    assert (await site.request("GET", "/metrics", user=None)).status == 401
    assert (await site.request("GET", "/metrics", user="admin")).status == 401


@pytest.fixture
def spans(site: Site) -> Iterator[list[Span]]:
    given: list[Span] = []
    site.runtime.observer.tracer = Tracer(given.append)
    yield given
    site.runtime.observer.tracer = Tracer()


async def test_one_trace_from_the_request_to_the_system(site: Site, spans: list[Span]) -> None:
    """``get_inventory`` is answered by the demo's own service over HTTP."""
    seen: list[str] = []
    connector = next(
        c for c in site.runtime.connectors.values() if type(c).__name__ == "HttpConnector"
    )
    session = connector._session  # type: ignore[attr-defined]

    def noting(writes: bool) -> Any:
        found = session(writes)

        class Noting:
            def request(self, *given: Any, headers: dict[str, str], **options: Any) -> Any:
                seen.append(headers.get("traceparent", ""))
                return found.request(*given, headers=headers, **options)

        return Noting()

    connector._session = noting  # type: ignore[attr-defined]
    site.says([call("get_inventory", sku="SKU-1001")], ["有货。"])
    answered = await site.chat("SKU-1001 还有货吗?", user="staff", headers={"traceparent": PARENT})
    assert answered.status == 200
    connector._session = session  # type: ignore[attr-defined]
    by_name: dict[str, list[Span]] = {}
    for span in spans:
        by_name.setdefault(span.name, []).append(span)
    assert {s.trace for s in spans} == {"a" * 32}
    (request,) = by_name["/v1/chat/completions"]
    (turn,) = by_name["invoke_agent dazi"]
    chats = by_name["chat scripted-1"]
    (tool,) = by_name["execute_tool get_inventory"]
    assert request.parent == "b" * 16 and turn.parent == request.id
    assert [c.parent for c in chats] == [turn.id] * 2 and tool.parent == turn.id
    assert seen == [tool.context]
    # What model servers are sent is the span of that generation.
    assert [r.trace for r in site.engine.requests] == [c.context for c in chats]
    assert request.attributes["http.response.status_code"] == 200
    assert turn.attributes["gen_ai.operation.name"] == "invoke_agent"
    assert chats[0].attributes["gen_ai.usage.input_tokens"] == 20
    assert tool.attributes["dazi.outcome"] == "ok" and not tool.failed
    (record,) = await site.audit("turn")
    assert record["from"]["trace"] == turn.context
    told = json.dumps([s.attributes for s in spans], ensure_ascii=False)
    assert "SKU-1001" not in told and "staff" not in told


async def test_the_models_own_use_is_in_the_trace(site: Site, spans: list[Span]) -> None:
    site.says(["你好"])
    await site.chat("你好", user="admin", model="scripted-1", headers={"traceparent": PARENT})
    chat, request = spans
    assert chat.name == "chat scripted-1" and chat.parent == request.id
    assert [r.trace for r in site.engine.requests] == [chat.context]


async def test_a_call_that_is_refused_is_a_failed_span(site: Site, spans: list[Span]) -> None:
    site.says([call("fetch_department_budget", dept="hr", quarter="2025-Q1")], ["不行。"])
    await site.chat("人事部一季度预算 hr 2025-Q1")
    (tool,) = [s for s in spans if s.name.startswith("execute_tool")]
    assert tool.failed and tool.attributes["dazi.outcome"] == tool.failed


async def test_the_token_is_what_counts_once_there_is_one() -> None:
    def asked(given: str, address: str = "127.0.0.1") -> Any:
        headers = {b"host": b"127.0.0.1", b"authorization": given.encode()}
        x = Exchange(None, None, None, headers, {}, None, None)  # type: ignore[arg-type]
        x.address = address
        return x

    assert admits(asked("Bearer secret", "10.0.0.9"), "secret")
    for wrong in ("", "Bearer", "Bearer secre", "Basic secret", "secret", "Bearer 密"):
        assert not admits(asked(wrong), "secret")
    assert admits(asked(""), "") and not admits(asked("", "10.0.0.9"), "")
