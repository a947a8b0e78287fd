"""Too much, too slow, and callers that leave."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from dazi.access.limits.limiter import Limiter
from dazi.access.limits.rules import LimitRule, Price
from dazi.core.engine import Served
from dazi.gateway.state import Limits
from tests.fakes.engine import Pause, Until, call
from tests.gateway.conftest import Answered, Site
from tests.waiting import until

PATH = "/v1/chat/completions"
HELLO = {"model": "dazi", "messages": [{"role": "user", "content": "你好"}]}
KEY = {"Authorization": "Bearer dazi-demo-customer"}


@pytest.fixture
def limits() -> Limits:
    return Limits(max_body_bytes=2000, max_concurrent=2, body_seconds=2.0)


async def ended(site: Site, within_s: float = 20.0) -> dict[str, Any]:
    """The ledger's record of the end of a turn, once it is there."""
    deadline = time.perf_counter() + within_s
    while not (found := await site.audit("answer")):
        assert time.perf_counter() < deadline, "the turn's end was not recorded in time"
        await asyncio.sleep(0.005)
    return found[0]


# --- bodies --------------------------------------------------------------------------------------


async def test_a_body_over_the_limit_is_refused_by_its_declared_length(site: Site) -> None:
    answered = await site.request("POST", PATH, data=b" " * 2001)
    assert (answered.status, answered.error["code"]) == (413, "body_too_large")
    assert "2000" in answered.error["message"]
    # The length alone decides: nothing needs to be sent.
    host, port = site.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n"
    writer.write(f"{head}Authorization: Bearer dazi-demo-customer\r\n\r\n".encode())
    assert b"413" in await asyncio.wait_for(reader.readline(), 5)
    writer.close()


async def test_a_body_of_unknown_length_is_refused_while_it_arrives(site: Site) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(100):
            sent += 500
            yield b" " * 500

    answered = await site.request("POST", PATH, data=endless())
    assert answered.status == 413
    exact = json.dumps(HELLO).encode().ljust(2000)
    site.says("你好。")
    assert (await site.request("POST", PATH, data=exact)).status == 200


async def test_a_body_that_never_ends_is_given_up(site: Site) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield b'{"model":'
        await asyncio.sleep(30)
        yield b" "

    answered = await site.request("POST", PATH, data=slow())
    assert (answered.status, answered.error["code"]) == (408, "body_timeout")


# --- too many ------------------------------------------------------------------------------------


async def test_one_too_many_is_sent_away_at_once(site: Site) -> None:
    go = asyncio.Event()
    site.engine.script = lambda request: [Until(go), "你好。"]
    running = [asyncio.create_task(site.chat("你好")) for _ in range(2)]
    await until(lambda: site.engine.running == 2)
    async with asyncio.timeout(30):  # the others do not end before
        refused = await site.chat("你好")
    assert (refused.status, refused.error["code"]) == (503, "busy")
    assert int(refused.headers["Retry-After"]) >= 1
    assert "X-Should-Retry" not in refused.headers
    # What costs nothing still answers.
    assert (await site.request("GET", "/v1/models")).status == 200
    assert (await site.request("GET", "/healthz", user=None)).status == 200
    go.set()
    assert [a.status for a in await asyncio.gather(*running)] == [200, 200]
    assert (await site.chat("你好")).status == 200


async def test_two_answers_at_once_in_one_thread(site: Site) -> None:
    go = asyncio.Event()
    site.engine.script = lambda request: [Until(go), "你好。"]
    headers = {"X-Dazi-Thread": "one"}
    first = asyncio.create_task(site.chat("你好", headers=headers))
    await until(lambda: site.engine.running == 1)
    second = await site.chat("在吗", headers=headers, stream=True)
    assert (second.status, second.error["code"]) == (409, "thread_busy")
    go.set()
    assert (await first).status == 200
    assert (await site.chat("在吗", headers=headers)).status == 200
    assert len(await site.audit("turn")) == 2


# --- leaving -------------------------------------------------------------------------------------


@pytest.mark.parametrize("user", ["customer", "admin"])
@pytest.mark.parametrize("stream", [False, True])
async def test_a_caller_that_leaves_ends_the_work_within_a_second(
    site: Site, stream: bool, user: str
) -> None:
    """The assistant for one, the model itself for the other."""
    model = "scripted-1" if user == "admin" else "dazi"
    site.says(["你好。我先说一句。", Pause()], "好。")
    body = HELLO | {"model": model, "stream": stream}
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer dazi-demo-{user}"}
        asking = asyncio.create_task(session.post(site.url + PATH, json=body, headers=headers))
        if stream:
            response = await asking
            assert b"assistant" in await response.content.readline()
        await until(lambda: site.engine.running == 1)
        if not stream:
            asking.cancel()
        else:
            response.close()
    await until(lambda: site.engine.running == 0)
    assert site.engine.cancelled == 1
    end = await ended(site)
    assert end["reason"] == "cancelled"
    # As much as was on record when they left: of a slow disk, the first piece.
    assert end["answer"] and "你好。我先说一句。".startswith(end["answer"])
    assert (await site.chat("你好", user=user, model=model)).status == 200


async def test_a_caller_that_leaves_without_reading_does_not_block(site: Site) -> None:
    """More is written than the connection takes: the answer waits, and ends when they leave."""
    site.engine.script = lambda request: ["字。" * 400] * 2000
    body = HELLO | {"model": "scripted-1", "stream": True}
    host, port = site.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port), limit=1000)
    data = json.dumps(body).encode()
    head = f"POST {PATH} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(data)}\r\n"
    writer.write(f"{head}Authorization: Bearer dazi-demo-admin\r\n\r\n".encode() + data)
    await until(lambda: site.engine.running == 1)
    await asyncio.sleep(0.5)
    assert site.engine.running == 1
    writer.transport.abort()
    await until(lambda: site.engine.running == 0)


async def test_what_was_said_and_done_before_leaving_is_remembered(site: Site) -> None:
    headers = {"X-Dazi-Thread": "left"}
    site.says(call("get_order_status", order_id="ORD12345"), ["您的订单已打包。", Pause()], "好。")
    body = HELLO | {"stream": True, "messages": [{"role": "user", "content": "订单 ORD12345"}]}
    async with (
        aiohttp.ClientSession() as session,
        session.post(site.url + PATH, json=body, headers=KEY | headers) as response,
    ):
        async for line in response.content:
            if "已打包".encode() in line and b"content" in line:
                break
        response.close()
    await ended(site)
    answered = await retry_busy(site, headers)
    assert answered.status == 200
    seen = site.engine.requests[-1].messages
    assert [m.role for m in seen] == ["system", "user", "assistant", "tool", "assistant", "user"]
    assert seen[4].content == "您的订单已打包。"


async def retry_busy(site: Site, headers: dict[str, str]) -> Answered:
    for _ in range(20):
        answered = await site.chat("那什么时候到?", headers=headers)
        if answered.status != 409:
            return answered
        await asyncio.sleep(0.05)
    raise AssertionError("the thread stayed busy")


async def test_a_write_goes_on_to_its_record_when_its_caller_leaves(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    connector = next(
        c for n, c in site.runtime.connectors.items()
        if n == site.runtime.company.tools["book_room"].connector
    )  # fmt: skip
    real = connector.execute
    started, go = asyncio.Event(), asyncio.Event()

    async def slow(invocation: object) -> object:
        started.set()
        await go.wait()
        return await real(invocation)  # type: ignore[arg-type]

    monkeypatch.setattr(connector, "execute", slow)
    site.says(call("book_room", room="A301", date="明天", start="14:00", end="15:00"))
    text = "明天 14:00 到 15:00 订 A301"
    async with aiohttp.ClientSession() as session:
        body = HELLO | {"messages": [{"role": "user", "content": text}]}
        headers = {"Authorization": "Bearer dazi-demo-staff"}
        asking = asyncio.create_task(session.post(site.url + PATH, json=body, headers=headers))
        await asyncio.wait_for(started.wait(), 5)
        asking.cancel()
    await asyncio.sleep(0.2)
    go.set()
    await site.runtime.router.settle()
    kinds = [r["kind"] for r in await site.audit()]
    assert sorted(kinds) == ["answer", "call", "outcome", "turn"]
    assert (await site.audit("outcome"))[0]["tool"] == "book_room"


async def test_a_decision_that_comes_too_early_is_not_used_up(site: Site) -> None:
    headers = {"X-Dazi-Thread": "refund"}
    text = "给订单 ORD12345 退款,原因是客户取消"
    site.says(call("request_refund", order_id="ORD12345", reason="客户取消"))
    asked = await site.chat(text, user="finance", headers=headers)
    path = f"/v1/dazi/confirmations/{asked.json['dazi']['confirmation']['ticket']}"
    go = asyncio.Event()
    site.says([Until(go), "好。"], "退款已提交。")
    other = asyncio.create_task(site.chat("等等", user="finance", headers=headers))
    await until(lambda: site.engine.running == 1)
    early = await site.request("POST", path, "finance", json={"approve": True})
    assert (early.status, early.error["code"]) == (409, "thread_busy")
    go.set()
    await other
    decided = await site.request("POST", path, "finance", json={"approve": True})
    assert decided.json["dazi"]["calls"][0]["outcome"] == "ok"


async def test_nobody_can_write_into_a_thread_that_another_began_meanwhile(site: Site) -> None:
    """Both find the name free; the one who comes second gets nothing into it."""
    go = asyncio.Event()
    site.engine.script = lambda request: [Until(go), "你好。"] if len(request.messages) else "x"
    headers = {"X-Dazi-Thread": "same"}
    slow = asyncio.create_task(site.chat("我是何女士", user="customer2", headers=headers))
    await until(lambda: site.engine.running == 1)
    site.engine.script = lambda request: "你好。"
    assert (await site.chat("我是林先生", headers=headers)).status == 200
    go.set()
    assert (await slow).status == 404
    assert (await site.request("GET", "/v1/dazi/threads", "customer2")).json["data"] == []
    await site.chat("还在吗", headers=headers)
    assert "我是何女士" not in [m.content for m in site.engine.requests[-1].messages]


# --- limits of the company -----------------------------------------------------------------------


async def test_a_limit_answers_429_with_the_time_to_come_back(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = LimitRule("user", "customer", requests_per_minute=1)
    monkeypatch.setattr(site.runtime.service, "limiter", Limiter([rule]))
    site.says("你好。")
    assert (await site.request("POST", PATH, json=HELLO)).status == 200
    refused = await site.request("POST", PATH, json=HELLO)
    assert (refused.status, refused.error["code"]) == (429, "rate_requests")
    assert "每分钟最多 1 次请求" in refused.error["message"]
    assert 0 < int(refused.headers["Retry-After"]) <= 65


async def test_a_turn_settles_what_it_used(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    rule = LimitRule("user", "", tokens_per_minute=4_500, concurrent=1)
    monkeypatch.setattr(site.runtime.service, "limiter", Limiter([rule]))
    for _ in range(3):  # each reserves 4,000, and uses next to nothing
        site.says("你好。")
        assert (await site.request("POST", PATH, json=HELLO)).status == 200


async def test_a_month_s_budget_is_charged_what_the_model_costs_that_answered(site: Site) -> None:
    """Also where a program asks for the bare model."""
    prices = {"scripted-1": Price(1_000_000, 1_000_000), "large": Price(10**9, 10**9)}
    service = site.runtime.service
    service.limiter = Limiter([LimitRule("all", "", micros_per_month=10**9)], prices)
    site.says("你好。")
    site.engine.by = Served("b", "adapter", base="large")
    body = HELLO | {"model": site.engine.profile.name}
    answered = await site.request("POST", PATH, user="admin", json=body)
    assert answered.status == 200
    usage = answered.json["usage"]
    anyone = site.runtime.directory.principal("admin", "test")
    (standing,) = await service.limiter.standing(anyone)
    assert standing.used == usage["total_tokens"] * 1_000 > 0
    assert (await ended(site))["cost"] == standing.used / 1_000_000
