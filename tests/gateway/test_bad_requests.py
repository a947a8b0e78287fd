"""Requests that are wrong: each hears what is wrong, where, and in its language."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_asyncio

from dazi.core.errors import (
    AccessError,
    CallerError,
    ConnectorError,
    DaziError,
    ModelError,
    NotFound,
    OperatorError,
    OverloadError,
)
from tests.fakes.engine import Call, call
from tests.gateway.conftest import Site

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def site(shared: Site) -> Site:
    return await shared.fresh()


PATH = "/v1/chat/completions"
USER = {"role": "user", "content": "你好"}


@pytest.mark.parametrize(
    ("body", "code", "where"),
    [
        (b"", "malformed_json", "第 1 行"),
        (b'{"model": "dazi",\n "messages": [}', "malformed_json", "第 2 行第 15 个字符"),
        (b'{"model": "dazi", "messages": []} x', "malformed_json", "第 1 行"),
        (b'{"model": "\xff", "messages": []}', "malformed_json", "UTF-8"),
        (b'{"audio": ' + b"[" * 15000, "malformed_json", "嵌套太深"),
        (b"[]", "invalid_type", "body:应为 object,实为 array"),
        (b'{"messages": []}', "missing_field", "model"),
        (b'{"model": "dazi", "messages": [{"role": 1}]}', "invalid_type", "messages[0].role"),
        (b'{"model": "dazi", "messages": [], "stop": 3}', "invalid_type", "stop"),
    ],
)
async def test_malformed_bodies(site: Site, body: bytes, code: str, where: str) -> None:
    answered = await site.request("POST", PATH, data=body)
    assert (answered.status, answered.error["code"]) == (400, code)
    assert where in answered.error["message"]
    assert answered.error["type"] == "invalid_request_error"


@pytest.mark.parametrize(
    ("fields", "param", "code"),
    [
        ({"messages": []}, "messages", "empty"),
        ({"messages": [{"role": "system", "content": "x"}]}, "messages", "invalid_value"),
        ({"messages": [USER, {"role": "assistant", "content": "x"}]}, "messages[1].role", "invalid_value"),
        ({"messages": [{"role": "user", "content": "  "}]}, "messages[0].content", "empty"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role", "invalid_value"),
        ({"messages": [USER, {"role": "tool", "content": "x"}]}, "messages[1].tool_call_id", "invalid_value"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "x"}}]}]},
            "messages[0].content[0].image_url.url",
            "unsupported_content",
        ),
        (
            {"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]},
            "messages[0].content[0]",
            "unsupported_content",
        ),
        ({"n": 2}, "n", "unsupported_parameter"),
        ({"logprobs": True}, "logprobs", "unsupported_parameter"),
        ({"top_logprobs": 3}, "top_logprobs", "unsupported_parameter"),
        ({"logit_bias": {"1": 5}}, "logit_bias", "unsupported_parameter"),
        ({"frequency_penalty": 0.5}, "frequency_penalty", "unsupported_parameter"),
        ({"modalities": ["text", "audio"]}, "modalities", "unsupported_parameter"),
        ({"audio": {"voice": "x"}}, "audio", "unsupported_parameter"),
        ({"functions": []}, "functions", "unsupported_parameter"),
        ({"web_search_options": {}}, "web_search_options", "unsupported_parameter"),
        ({"response_format": {"type": "json_object"}}, "response_format", "unsupported_parameter"),
        ({"temperature": 3}, "temperature", "invalid_value"),
        ({"top_p": -0.1}, "top_p", "invalid_value"),
        ({"presence_penalty": 9}, "presence_penalty", "invalid_value"),
        ({"max_tokens": 0}, "max_tokens", "invalid_value"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "stop", "invalid_value"),
        ({"tools": [{"type": "function", "function": {"name": "a b"}}]}, "tools[0].function.name", "invalid_value"),
        ({"tools": [{"type": "function", "function": {"name": "a"}}] * 2}, "tools[1].function.name", "invalid_value"),
        ({"tools": [{"type": "retrieval", "function": {"name": "a"}}]}, "tools[0].type", "invalid_value"),
        ({"tool_choice": "sometimes"}, "tool_choice", "invalid_value"),
        ({"tool_choice": {"type": "function", "function": {"name": "x"}}}, "tool_choice", "invalid_value"),
    ],
)  # fmt: skip
async def test_fields_that_cannot_be_honoured(
    site: Site, fields: dict[str, Any], param: str, code: str
) -> None:
    for stream in (False, True):
        body = {"model": "dazi", "messages": [USER], "stream": stream} | fields
        answered = await site.request("POST", PATH, json=body)
        assert answered.status == 400
        assert (answered.error["param"], answered.error["code"]) == (param, code)
    assert site.engine.requests == [] and await site.audit() == []


async def test_values_that_change_nothing_are_welcome(site: Site) -> None:
    site.says("你好。")
    answered = await site.chat(
        "你好", n=1, logprobs=False, frequency_penalty=0, logit_bias={}, modalities=["text"],
        response_format={"type": "text"}, user_id="x", metadata={"a": "b"}, store=False,
        parallel_tool_calls=True, service_tier="auto", chat_template="{{ evil }}",
    )  # fmt: skip
    assert answered.status == 200


async def test_unknown_models_are_not_found_and_the_known_ones_named(site: Site) -> None:
    for name in ("gpt-5", "scripted-1"):
        answered = await site.chat("你好", model=name)
        assert (answered.status, answered.error["code"]) == (404, "model_not_found")
        assert "可用:dazi" in answered.error["message"]
        assert answered.error["message"].count("scripted-1") == (name == "scripted-1")
    listed = await site.chat("hello", user="admin", model="gpt-5")
    assert "dazi, scripted-1" in listed.error["message"]
    assert "there is no model" in listed.error["message"]


@pytest.mark.parametrize("stream", [False, True])
async def test_a_message_over_the_limit_loses_nothing(site: Site, stream: bool) -> None:
    answered = await site.chat("很" * 5001, stream=stream)
    assert (answered.status, answered.error["code"]) == (400, "message_too_long")
    assert "5001" in answered.error["message"] and "5000" in answered.error["message"]
    site.says("你好。")
    assert (await site.chat("你好")).status == 200


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("error", "status", "kind"),
    [
        (CallerError("context_overflow", "太长", "too long"), 400, "invalid_request_error"),
        (CallerError("thread_busy", "忙", "busy"), 409, "invalid_request_error"),
        (AccessError("unauthenticated", "谁", "who"), 401, "authentication_error"),
        (AccessError("forbidden", "不行", "no"), 403, "permission_error"),
        (NotFound("thread", "没有", "none"), 404, "invalid_request_error"),
        (OverloadError("rate_limit", "慢点", "slow", 2.5), 429, "rate_limit_error"),
        (OverloadError("model_busy", "忙", "busy", 7), 503, "server_error"),
        (OperatorError("model_server", "坏了", "broken"), 503, "server_error"),
        (ConnectorError("timeout", "超时", "late"), 502, "server_error"),
        (ModelError("invalid", "错", "wrong"), 500, "server_error"),
        (DaziError("odd", "怪", "odd"), 500, "server_error"),
        (RuntimeError("secret detail"), 500, "server_error"),
    ],
)
async def test_every_error_has_its_status(
    site: Site, error: Exception, status: int, kind: str, stream: bool
) -> None:
    """What fails before anything was said has a status of its own in a stream too."""
    site.says(error)
    answered = await site.chat("你好", stream=stream)
    assert (answered.status, answered.error["type"]) == (status, kind)
    if isinstance(error, DaziError):
        assert answered.error["message"] == error.text.zh
        assert answered.error["code"] == error.code
    else:
        assert "secret" not in answered.body.decode()
    if isinstance(error, OverloadError):
        assert answered.headers["Retry-After"] == {2.5: "3", 7: "7"}[error.retry_after]
    assert "X-Should-Retry" not in answered.headers
    # What was said is in the ledger, with its end.
    assert [r["kind"] for r in await site.audit()] == ["turn", "answer"]
    assert (await site.audit("answer"))[0]["reason"] == "error"


async def test_a_model_asked_by_itself_that_fails_was_not_left_by_its_caller(site: Site) -> None:
    site.says(OperatorError("model_server", "坏", "broken"))
    assert (await site.chat("你好", user="admin", model="scripted-1")).status == 503
    assert (await site.audit("answer"))[0]["reason"] == "error"


async def test_what_fails_after_a_call_must_not_be_repeated_blindly(site: Site) -> None:
    order = call("get_order_status", order_id="ORD12345")
    site.says(order, OverloadError("model_busy", "忙", "busy"))
    answered = await site.chat("订单 ORD12345 到哪了")
    assert answered.status == 503 and answered.headers["X-Should-Retry"] == "false"


async def test_an_error_in_mid_stream_is_an_event_and_the_end(site: Site) -> None:
    site.says(["你好。请稍等", OperatorError("model_server", "模型断了", "the model broke off")])
    answered = await site.chat("你好", stream=True)
    assert answered.status == 200
    *before, last = answered.chunks
    assert "[DONE]" not in answered.chunks
    assert last["error"]["code"] == "model_server" and last["error"]["message"] == "模型断了"
    assert "".join(c["choices"][0]["delta"].get("content", "") for c in before) == "你好。"

    site.says(["你好。请稍等", RuntimeError("secret detail")])
    answered = await site.chat("你好", stream=True)
    assert answered.chunks[-1]["error"]["code"] == "internal"
    assert "secret" not in answered.body.decode()


async def test_nonsense_from_the_model_is_no_fault_of_the_service(site: Site) -> None:
    site.says(Call("no_such_tool", "{}"), Call("get_order_status", "{not json"), "请告诉我订单号。")
    answered = await site.chat("查订单")
    assert answered.status == 200
    outcomes = [c["outcome"] for c in answered.json["dazi"]["calls"]]
    assert outcomes == ["unknown_tool", "invalid"]
    assert [r["outcome"] for r in await site.audit("decision")] == outcomes


@pytest.mark.parametrize("body", [b"{}", b'{"approve": "yes"}', b'{"approve": true, "x": 1}', b"x"])
async def test_a_decision_must_be_clear(site: Site, body: bytes) -> None:
    answered = await site.request("POST", "/v1/dazi/confirmations/x", "finance", data=body)
    assert answered.status == 400
