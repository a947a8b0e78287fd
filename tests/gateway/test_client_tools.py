"""Tools that a caller brings along: handed back, never run here."""

from __future__ import annotations

from typing import Any

import pytest

from tests.fakes.engine import call
from tests.gateway.conftest import Site


def declared(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "properties": {"city": {"type": "string"}}}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


def names(site: Site, number: int = -1) -> list[str]:
    return [t.name for t in site.engine.requests[number].tools]


async def test_a_callers_tool_hides_ours_of_the_same_name(site: Site) -> None:
    site.says(call("get_weather", city="上海"))
    answered = await site.chat("上海天气怎么样", tools=[declared("get_weather")])
    body = answered.json
    assert body["choices"][0]["finish_reason"] == "tool_calls"
    assert body["choices"][0]["message"]["content"] is None
    assert body["dazi"]["calls"] == [] and body["dazi"]["reason"] == "client_tools"
    assert names(site).count("get_weather") == 1
    assert await site.audit("call") == []


async def test_no_tool_at_all(site: Site) -> None:
    site.says("上海天气我查不了。")
    await site.chat("上海天气怎么样", tools=[declared("mine")], tool_choice="none")
    request = site.engine.requests[0]
    assert request.tool_choice == "none" and names(site) == ["mine"]


async def test_one_named_tool_and_no_other(site: Site) -> None:
    site.says(call("mine", city="上海"))
    choice = {"type": "function", "function": {"name": "mine"}}
    tools = [declared("mine"), declared("other")]
    await site.chat("上海天气怎么样", tools=tools, tool_choice=choice)
    assert site.engine.requests[0].tool_choice == "required" and names(site) == ["mine"]


async def test_required_ends_with_a_call_of_the_callers(site: Site) -> None:
    """Ours may be asked on the way, and then it is the caller's turn."""
    site.says(call("get_weather", city="上海"), call("mine", city="上海"))
    answered = await site.chat("上海天气怎么样", tools=[declared("mine")], tool_choice="required")
    assert answered.json["choices"][0]["finish_reason"] == "tool_calls"
    assert answered.json["dazi"]["calls"][0]["name"] == "get_weather"
    assert "get_weather" in names(site, 0) and names(site, 1) == ["mine"]


async def test_required_without_a_callers_tool_ends_after_one_of_ours(site: Site) -> None:
    site.says(call("get_order_status", order_id="ORD12345"), "已打包。")
    answered = await site.chat("订单 ORD12345", tool_choice="required")
    assert answered.json["choices"][0]["message"]["content"] == "已打包。"
    assert [r.tool_choice for r in site.engine.requests] == ["required", "auto"]


async def test_one_call_at_a_time(site: Site) -> None:
    site.says([call("mine", city="上海"), call("mine", city="北京")])
    answered = await site.chat("上海和北京", tools=[declared("mine")], parallel_tool_calls=False)
    assert len(answered.json["choices"][0]["message"]["tool_calls"]) == 1


@pytest.mark.parametrize("stream", [False, True])
async def test_results_go_on_in_a_kept_thread(site: Site, stream: bool) -> None:
    options: dict[str, Any] = {
        "headers": {"X-Dazi-Thread": "t-1"}, "tools": [declared("mine")], "stream": stream,
    }  # fmt: skip
    site.says(
        [call("get_order_status", order_id="ORD12345"), call("mine", city="上海")],
        "已打包,上海晴。",
        "再见。",
    )
    first = await site.chat("订单 ORD12345 和上海的天气", **options)
    if stream:
        deltas = [c["choices"][0]["delta"] for c in first.chunks[:-1]]
        (made,) = [c for d in deltas for c in d.get("tool_calls", [])]
    else:
        (made,) = first.json["choices"][0]["message"]["tool_calls"]
    result = {"role": "tool", "tool_call_id": made["id"], "content": "晴"}
    second = await site.chat("", messages=[{"role": "user", "content": "x"}, result], **options)
    assert second.status == 200
    seen = site.engine.requests[1].messages
    assert [m.role for m in seen] == ["system", "user", "assistant", "tool", "tool"]
    # Both calls are answered: ours by the router, theirs by the caller.
    assert [c.id for c in seen[2].calls] == [seen[3].call_id, seen[4].call_id]
    assert seen[1].content == "订单 ORD12345 和上海的天气" and seen[4].content == "晴"
    third = await site.chat("谢谢", **options)
    assert third.status == 200
    assert [m.role for m in site.engine.requests[2].messages[-3:]] == ["tool", "assistant", "user"]
