"""The model by its own name: for administrators, without the company's tools."""

from __future__ import annotations

import pytest

from dazi.guard.engine import Guard
from dazi.guard.rules import DEFAULTS, Rules
from tests.fakes.engine import Thought, call
from tests.gateway.conftest import Site

TOOL = {
    "type": "function",
    "function": {"name": "mine", "parameters": {"type": "object", "properties": {}}},
}


async def test_it_answers_with_what_the_model_says(site: Site) -> None:
    site.says([Thought("嗯"), "订单 ORD99999 已发货。"])
    answered = await site.chat("你好", user="admin", model="scripted-1", reasoning_effort="low")
    assert answered.status == 200 and answered.headers["X-Content-Generator"] == "AI"
    body = answered.json
    assert body["model"] == "scripted-1" and body["dazi"] == {"generated_by": "AI"}
    assert body["choices"][0]["message"] == {
        "role": "assistant",
        "content": "订单 ORD99999 已发货。",
        "reasoning_content": "嗯",
    }
    (request,) = site.engine.requests
    assert request.tools == () and [m.role for m in request.messages] == ["user"]
    assert request.thinking
    turn, answer = await site.audit()
    assert (turn["kind"], turn["user"], turn["raw"], turn["said"]) == (
        "turn",
        "admin",
        True,
        "你好",
    )
    assert (answer["kind"], answer["answer"]) == ("answer", "订单 ORD99999 已发货。")
    assert answer["tokens"][0] > 0 and answer["turn"] == turn["turn"]


async def test_it_streams(site: Site) -> None:
    site.says(["你好", call("mine", a=1), call("mine", a=2)])
    answered = await site.chat(
        "你好", user="admin", model="scripted-1", tools=[TOOL], stream=True,
        stream_options={"include_usage": True},
    )  # fmt: skip
    *chunks, last, usage, done = answered.chunks
    deltas = [c["choices"][0]["delta"] for c in chunks]
    assert deltas[0]["role"] == "assistant"
    assert "".join(d.get("content", "") for d in deltas) == "你好"
    calls = [c for d in deltas for c in d.get("tool_calls", [])]
    assert [c["function"].get("arguments") for c in calls if c["index"] == 1] == ["", '{"a": 2}']
    assert calls[0]["id"] and "id" not in calls[1] and calls[0]["function"]["name"] == "mine"
    assert last["choices"][0]["finish_reason"] == "tool_calls"
    assert usage["usage"]["completion_tokens"] == 1 and done == "[DONE]"


async def test_settings_go_through(site: Site) -> None:
    site.says("好。")
    await site.chat(
        "", user="admin", model="scripted-1", tools=[TOOL], tool_choice="required",
        max_completion_tokens=99999, temperature=1, top_p=0.5, seed=-3, stop="。",
        presence_penalty=0.5,
        messages=[
            {"role": "user", "content": "a"},
            {"role": "system", "content": "b"},
            {"role": "assistant", "content": "c"},
        ],
    )  # fmt: skip
    (request,) = site.engine.requests
    assert [(m.role, m.content) for m in request.messages] == [
        ("system", "b"), ("user", "a"), ("assistant", "c"),
    ]  # fmt: skip
    s = request.sampling
    assert (s.max_tokens, s.temperature, s.top_p, s.stop) == (8192, 1, 0.5, ("。",))
    assert s.seed is not None and 0 <= s.seed < 2**31 and s.presence_penalty == 0.5
    assert request.tool_choice == "required" and [t.name for t in request.tools] == ["mine"]


@pytest.mark.parametrize("user", ["customer", "staff", "manager", "finance", "risk", "supervisor"])
async def test_it_is_for_administrators(site: Site, user: str) -> None:
    answered = await site.chat("你好", user=user, model="scripted-1")
    assert (answered.status, answered.error["code"]) == (404, "model_not_found")
    assert site.engine.requests == []


PIECES = ["证件 1101011", "9900307", "4610", ",密钥 AKIAIOSFODNN7", "EXAMPLE。"]
SHOWN = "证件 1101**********4610,密钥"


@pytest.mark.parametrize("stream", [False, True])
async def test_what_it_says_is_guarded_however_it_leaves(site: Site, stream: bool) -> None:
    """A model's own words are masked as the assistant's are; the ledger keeps what was shown."""
    site.says([Thought("证件 110101199003074610"), *PIECES])
    answered = await site.chat("你好", user="admin", model="scripted-1", stream=stream)
    text = answered.body.decode()
    assert "110101199003074610" not in text and "IOSFODNN7EXAMPLE" not in text
    if stream:
        said = "".join(
            c["choices"][0]["delta"].get("content") or ""
            for c in answered.chunks[:-1]
            if c["choices"]
        )
    else:
        said = answered.json["choices"][0]["message"]["content"]
    assert said.startswith(SHOWN)
    _, answer = await site.audit()
    assert answer["answer"] == said


async def test_what_may_not_be_said_ends_the_stream(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    guard = Guard(Rules({**DEFAULTS, "output": {"bank_card": "block"}}))
    monkeypatch.setattr(site.runtime.service.agent, "guard", guard)
    for stream in (True, False):
        site.says(["卡号 62220212345678", "90128,余额 5 元。"])
        answered = await site.chat("你好", user="admin", model="scripted-1", stream=stream)
        assert "6222" not in answered.body.decode() and "余额" not in answered.body.decode()
        assert "公司规定" in answered.body.decode()
