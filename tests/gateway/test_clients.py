"""The clients people already have: the ``openai`` package and LangChain, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel, SecretStr

from tests.fakes.engine import CACHED_TOKENS, PROMPT_TOKENS, Call, call
from tests.gateway.conftest import Site

QUESTION = "我三天前下的订单 ORD12345 还没发货,怎么回事?"
ANSWER = "您的订单已打包,预计明天发出。"
LOOKUP: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "lookup_coupon",
        "description": "Looks a coupon up",
        "parameters": {"type": "object", "properties": {"code": {"type": "string"}}},
    },
}


@pytest.fixture(autouse=True)
def nothing_leaves(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("LANGSMITH_TRACING", "LANGCHAIN_TRACING_V2"):
        monkeypatch.setenv(name, "false")
    for name in (
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "http_proxy",
        "https_proxy",
        "all_proxy",
    ):
        monkeypatch.delenv(name, raising=False)
    yield


def chat_model(site: Site, user: str = "customer", **options: Any) -> ChatOpenAI:
    return ChatOpenAI(
        model="dazi",
        base_url=f"{site.url}/v1",
        api_key=SecretStr(f"dazi-demo-{user}"),
        max_retries=0,
        **options,
    )


# --- openai --------------------------------------------------------------------------------------


async def test_openai_answers(site: Site) -> None:
    site.says(call("get_order_status", order_id="ORD12345"), ANSWER)
    made = await site.openai().chat.completions.create(
        model="dazi", messages=[{"role": "user", "content": QUESTION}], temperature=0.3, seed=7
    )
    assert made.choices[0].message.content == ANSWER
    assert made.choices[0].finish_reason == "stop"
    assert made.usage is not None and made.usage.prompt_tokens == 2 * PROMPT_TOKENS
    assert made.usage.prompt_tokens_details is not None
    assert made.usage.prompt_tokens_details.cached_tokens == 2 * CACHED_TOKENS
    assert made.model_extra is not None
    assert made.model_extra["dazi"]["calls"][0]["outcome"] == "ok"
    sampling = site.engine.requests[0].sampling
    assert (sampling.temperature, sampling.seed) == (0.3, 7)


async def test_openai_streams(site: Site) -> None:
    site.says(call("get_order_status", order_id="ORD12345"), ANSWER)
    stream = await site.openai().chat.completions.create(
        model="dazi",
        messages=[{"role": "user", "content": QUESTION}],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = [chunk async for chunk in stream]
    content = [c.choices[0].delta.content or "" for c in chunks if c.choices]
    assert "".join(content) == ANSWER
    assert chunks[0].choices[0].delta.role == "assistant"
    assert chunks[-1].usage is not None and chunks[-1].usage.prompt_tokens == 2 * PROMPT_TOKENS
    assert chunks[-2].choices[0].finish_reason == "stop"
    events = [(c.model_extra or {}).get("dazi", {}) for c in chunks]
    assert [e["event"] for e in events if "event" in e] == ["call_proposed", "call_finished"]
    # The package's own accumulating helper agrees.
    site.says(ANSWER.split(",")[0] + "。")
    async with site.openai().chat.completions.stream(
        model="dazi", messages=[{"role": "user", "content": "你好"}]
    ) as helper:
        whole = await helper.get_final_completion()
    assert whole.choices[0].message.content == "您的订单已打包。"


async def test_openai_passes_tools_and_gets_calls_back(site: Site) -> None:
    client = site.openai()
    site.says(["查一下优惠券。", call("lookup_coupon", code="A1")], "优惠券 A1 可以用。")
    messages: list[Any] = [{"role": "user", "content": "优惠券 A1 还能用吗?"}]
    first = await client.chat.completions.create(model="dazi", messages=messages, tools=[LOOKUP])
    choice = first.choices[0]
    assert choice.finish_reason == "tool_calls" and choice.message.tool_calls
    made = choice.message.tool_calls[0]
    assert made.type == "function" and made.function.name == "lookup_coupon"
    assert made.function.arguments == '{"code": "A1"}'
    assert [t.name for t in site.engine.requests[0].tools][-1] == "lookup_coupon"
    # Never executed here: the ledger knows no call.
    assert await site.audit("call") == [] and await site.audit("decision") == []

    messages += [
        choice.message.model_dump(exclude_none=True),
        {"role": "tool", "tool_call_id": made.id, "content": '{"valid": true}'},
    ]
    second = await client.chat.completions.create(model="dazi", messages=messages, tools=[LOOKUP])
    assert second.choices[0].message.content == "优惠券 A1 可以用。"
    seen = site.engine.requests[1].messages
    assert [m.role for m in seen] == ["system", "user", "assistant", "tool"]
    assert seen[2].calls[0].id == seen[3].call_id == made.id


async def test_openai_streams_calls(site: Site) -> None:
    site.says([call("lookup_coupon", code="A1"), call("lookup_coupon", code="B2")])
    async with site.openai().chat.completions.stream(
        model="dazi",
        messages=[{"role": "user", "content": "优惠券 A1 和 B2"}],
        tools=[LOOKUP],
    ) as helper:
        whole = await helper.get_final_completion()
    calls = whole.choices[0].message.tool_calls or []
    assert [c.function.arguments for c in calls] == ['{"code": "A1"}', '{"code": "B2"}']
    assert len({c.id for c in calls}) == 2
    assert whole.choices[0].finish_reason == "tool_calls"


async def test_openai_raises_its_own_errors(site: Site) -> None:
    client = site.openai()
    with pytest.raises(openai.NotFoundError) as missing:
        await client.chat.completions.create(
            model="gpt-5", messages=[{"role": "user", "content": "x"}]
        )
    assert missing.value.code == "model_not_found"
    with pytest.raises(openai.AuthenticationError):
        await site.openai("nobody").models.list()
    with pytest.raises(openai.BadRequestError) as bad:
        await client.chat.completions.create(
            model="dazi", messages=[{"role": "user", "content": "x"}], n=2
        )
    assert bad.value.param == "n"
    site.says(["你好。再见", openai.OpenAIError("broken inside")])
    stream = await client.chat.completions.create(
        model="dazi", messages=[{"role": "user", "content": "x"}], stream=True
    )
    with pytest.raises(openai.APIError) as broken:
        async for _ in stream:
            pass
    assert "broken inside" not in str(broken.value)


async def test_openai_lists_models(site: Site) -> None:
    assert [m.id async for m in site.openai().models.list()] == ["dazi"]
    assert [m.id async for m in site.openai("admin").models.list()] == ["dazi", "scripted-1"]
    assert (await site.openai("admin").models.retrieve("scripted-1")).id == "scripted-1"
    with pytest.raises(openai.NotFoundError):
        await site.openai().models.retrieve("scripted-1")


# --- LangChain -----------------------------------------------------------------------------------


async def test_langchain_answers_and_streams(site: Site) -> None:
    site.says(call("get_order_status", order_id="ORD12345"), ANSWER)
    talk = [SystemMessage("请简短。"), HumanMessage(QUESTION)]
    answered = await chat_model(site).ainvoke(talk)
    assert answered.content == ANSWER
    assert isinstance(answered, AIMessage) and answered.usage_metadata is not None
    assert answered.usage_metadata["input_tokens"] == 2 * PROMPT_TOKENS

    site.says(call("get_order_status", order_id="ORD12345"), ANSWER)
    pieces = [piece async for piece in chat_model(site, stream_usage=True).astream(talk)]
    assert "".join(str(p.content) for p in pieces) == ANSWER
    usage = [p.usage_metadata for p in pieces if p.usage_metadata]
    assert usage[0]["input_tokens"] == 2 * PROMPT_TOKENS


@tool
def lookup_coupon(code: str) -> str:
    """Looks a coupon up."""
    raise AssertionError(f"only the test runs this, by hand: {code}")


async def test_langchain_binds_tools(site: Site) -> None:
    model = chat_model(site).bind_tools([lookup_coupon])
    site.says(call("lookup_coupon", code="A1"), "优惠券 A1 可以用。")
    talk: list[Any] = [HumanMessage("优惠券 A1 还能用吗?")]
    asked = await model.ainvoke(talk)
    assert isinstance(asked, AIMessage)
    (made,) = asked.tool_calls
    assert (made["name"], made["args"]) == ("lookup_coupon", {"code": "A1"})
    talk += [asked, ToolMessage("有效", tool_call_id=made["id"])]
    assert (await model.ainvoke(talk)).content == "优惠券 A1 可以用。"

    site.says(call("lookup_coupon", code="B2"))
    whole = None
    async for piece in model.astream([HumanMessage("优惠券 B2 呢?")]):
        whole = piece if whole is None else whole + piece
    assert isinstance(whole, AIMessage) and whole.tool_calls[0]["args"] == {"code": "B2"}


class Order(BaseModel):
    """An order that somebody speaks of."""

    order_id: str


async def test_langchain_gets_structured_output(site: Site) -> None:
    model = chat_model(site).with_structured_output(Order, method="function_calling")
    site.says(call("Order", order_id="ORD12345"))
    assert await model.ainvoke("订单 ORD12345 怎么样了") == Order(order_id="ORD12345")
    request = site.engine.requests[0]
    assert request.tool_choice == "required" and [t.name for t in request.tools] == ["Order"]


async def test_many_at_once(site: Site) -> None:
    """The same first words in several requests are several conversations."""
    site.engine.script = lambda request: request.messages[-1].content + "!"
    answers = await chat_model(site).abatch(["你好", "你好", "再见"])
    assert [a.content for a in answers] == ["你好!", "你好!", "再见!"]


async def test_a_model_that_calls_what_nobody_offered(site: Site) -> None:
    site.says(Call("rm_rf", "{}"), "做不到。")
    answered = await chat_model(site).bind_tools([lookup_coupon]).ainvoke("删掉一切")
    assert isinstance(answered, AIMessage) and answered.tool_calls == []
    assert [r["outcome"] for r in await site.audit("decision")] == ["unknown_tool"]
