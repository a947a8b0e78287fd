"""What leaves for a model server, and what its callers get, with a real server in the model's place."""

from __future__ import annotations

import json
import shutil
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from dazi.inference.remote import RemoteEngine, RemoteOptions
from tests.gateway.conftest import DEMO, Answered, Limits, Site, open_site

PHONE, SPACED, OTHER, ID = "13812345678", "139 1234 5678", "13712345678", "110101199003074610"
RULES = """
input: {mobile: pseudonymise}
results: {mobile: pseudonymise, resident_id: pseudonymise}
exceptions:
  - {scope: input, roles: [agent], actions: {mobile: allow}}
  - {scope: results, roles: [agent], actions: {mobile: allow, resident_id: allow}}
"""
SEND = {
    "type": "function",
    "function": {
        "name": "send_sms",
        "description": f"短信,问题找 {OTHER}",
        "parameters": {
            "type": "object",
            "properties": {
                "to": {"type": "string", "pattern": "^1[0-9]{10}$"},
                "text": {"type": "string"},
            },
        },
    },
}


@dataclass
class Upstream:
    """Answers with ``deltas``, in a stream or whole, and keeps what it was sent."""

    url: str = ""
    deltas: list[dict[str, Any]] = field(default_factory=list)
    received: list[dict[str, Any]] = field(default_factory=list)

    def says(self, *texts: str) -> None:
        self.deltas = [{"content": t} for t in texts]

    def calls(self, name: str, *arguments: str) -> None:
        self.deltas = [{"tool_calls": [{"index": 0, "function": {"name": name, "arguments": ""}}]}]
        self.deltas += [
            {"tool_calls": [{"index": 0, "function": {"arguments": a}}]} for a in arguments
        ]

    async def complete(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.received.append(body)
        usage = {"prompt_tokens": 9, "completion_tokens": 4}
        if not body.get("stream"):
            message: dict[str, Any] = {"role": "assistant"}
            said = "".join(d.get("content", "") for d in self.deltas)
            written = [c["function"] for d in self.deltas for c in d.get("tool_calls", [])]
            if written:
                arguments = "".join(w["arguments"] for w in written)
                function = {"name": written[0]["name"], "arguments": arguments}
                message["tool_calls"] = [{"id": "x", "type": "function", "function": function}]
            message["content"] = said or None
            choice = {"index": 0, "message": message, "finish_reason": "stop"}
            return web.json_response({"choices": [choice], "usage": usage})
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        for delta in self.deltas:
            choice = {"index": 0, "delta": delta, "finish_reason": None}
            await response.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())
        end = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}], "usage": usage}
        await response.write(f"data: {json.dumps(end)}\n\ndata: [DONE]\n\n".encode())
        return response

    @property
    def text(self) -> str:
        """All that it was sent."""
        return json.dumps(self.received, ensure_ascii=False)


@pytest.fixture
async def upstream() -> AsyncIterator[Upstream]:
    server = Upstream()
    app = web.Application()
    app.router.add_post("/v1/chat/completions", server.complete)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    server.url = f"http://127.0.0.1:{runner.addresses[0][1]}/v1"
    yield server
    await runner.cleanup()


@pytest.fixture
async def behind(
    tmp_path: Path, seeded: Path, limits: Limits, upstream: Upstream
) -> AsyncIterator[Site]:
    company = tmp_path / "company"
    shutil.copytree(DEMO, company, ignore=shutil.ignore_patterns("__pycache__"))
    (company / "guard.yaml").write_text(RULES, encoding="utf-8")
    model = RemoteEngine(RemoteOptions(upstream.url, "upstream-1"))
    async with open_site(tmp_path / "data", seeded, limits, model, company) as made:
        yield made


def said_in(answered: Answered, stream: bool) -> tuple[str, str]:
    """The text, and the arguments of calls."""
    assert answered.status == 200, answered.body
    if not stream:
        message = answered.json["choices"][0]["message"]
        calls = message.get("tool_calls") or []
        return message["content"] or "", "".join(c["function"]["arguments"] for c in calls)
    deltas = [c["choices"][0]["delta"] for c in answered.chunks if c != "[DONE]" and c["choices"]]
    calls = [c for d in deltas for c in d.get("tool_calls", [])]
    return (
        "".join(d.get("content") or "" for d in deltas),
        "".join(c["function"].get("arguments", "") for c in calls),
    )


TALK = [
    {"role": "system", "content": f"热线 {OTHER}"},
    {"role": "user", "content": f"我是 {PHONE},证件 {ID},发给 {SPACED}"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "c1",
                "type": "function",
                "function": {"name": "look", "arguments": json.dumps({"tel": PHONE})},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "content": json.dumps({"号": ID, "tel": int(OTHER)})},
    {"role": "user", "content": "发吧"},
]


@pytest.mark.parametrize("stream", [True, False])
async def test_the_model_itself_never_gets_a_value_and_its_callers_do(
    behind: Site, upstream: Upstream, stream: bool
) -> None:
    ask = {"messages": TALK, "tools": [SEND], "stream": stream, "stop": [SPACED]}
    upstream.says("已联系 [手", "机", "2]、【手机 3】,证", "[手机1", "]。[手机9]")
    answered = await behind.chat("", "admin", model="upstream-1", **ask)
    assert said_in(answered, stream)[0] == f"已联系 {PHONE}、{SPACED},证{OTHER}。[手机9]"
    upstream.calls("send_sms", '{"to": "[手', '机3]", "text": "\\u3010\\u624b', '\\u673a2\\u3011"}')
    answered = await behind.chat("", "admin", model="upstream-1", **ask)
    arguments = json.loads(said_in(answered, stream)[1])
    assert arguments == {"to": SPACED, "text": PHONE}
    for value in (PHONE, SPACED, OTHER):
        assert value not in upstream.text
    first = upstream.received[0]
    assert json.loads(first["messages"][3]["content"]) == {"号": "[证件1]", "tel": "[手机1]"}
    assert f"证件 {ID}" in first["messages"][1]["content"]  # people may say it, by these rules
    assert first["tools"][0]["function"]["description"] == "短信,问题找 [手机1]"
    either = first["tools"][0]["function"]["parameters"]["properties"]["to"]["anyOf"]
    assert either[1]["enum"] == ["[手机1]", "[手机2]", "[手机3]", "[证件1]"]
    assert first["stop"] == ["[手机3]"]
    turns, answers = await behind.audit("turn"), await behind.audit("answer")
    assert turns[0]["said"] == "发吧" and answers[0]["answer"].startswith(f"已联系 {PHONE}")


async def test_exceptions_let_values_through(behind: Site, upstream: Upstream) -> None:
    upstream.says(f"是{PHONE}。")
    await behind.chat(f"我是{PHONE}", "agent")
    assert PHONE in upstream.text


async def test_the_assistant_acts_on_values_that_its_model_never_sees(
    behind: Site, upstream: Upstream
) -> None:
    """What is carried out, on record and shown holds the value; the thread is hidden anew."""
    note = "请打 [手机1]"
    upstream.calls("update_order_note", json.dumps({"order_id": "ORD12345", "note": note}))
    asked = f"ORD12345 备注:请打 {PHONE}"
    answered = await behind.chat(asked, "supervisor", headers={"X-Dazi-Thread": "t1"})
    assert answered.status == 200
    calls = [r for r in await behind.audit("call") if r["tool"] == "update_order_note"]
    assert calls and calls[0]["arguments"]["note"] == f"请打 {PHONE}"
    upstream.says("备注是请打 [手机1]。")
    answered = await behind.chat("备注是什么?", "supervisor", headers={"X-Dazi-Thread": "t1"})
    assert PHONE in answered.json["choices"][0]["message"]["content"]
    assert PHONE not in upstream.text and "[手机1]" in upstream.text
    (first, *_) = await behind.audit("turn")
    assert first["said"] == asked


async def test_a_result_that_went_through_as_it_is_would_be_noticed(
    behind: Site, upstream: Upstream, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dazi.guard.hiding import Hider

    hide = Hider._message
    monkeypatch.setattr(Hider, "_message", lambda s, m: m if m.role == "tool" else hide(s, m))
    upstream.says("好。")
    await behind.chat("", "admin", model="upstream-1", messages=TALK)
    assert OTHER in upstream.text
