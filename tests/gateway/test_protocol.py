"""The head of a request is bounded before anybody knows who sends it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import uvicorn

from dazi.gateway import protocol
from dazi.gateway.protocol import BoundedHttp, ServerConfig

Connect = Callable[[], Awaitable[tuple[asyncio.StreamReader, asyncio.StreamWriter]]]
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send(
        {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]}
    )
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    config = uvicorn.Config(app, port=0, log_level="error", lifespan="off", http=BoundedHttp)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield lambda: asyncio.open_connection("127.0.0.1", port)
    server.should_exit = True
    await serving


async def test_an_endless_header_ends_the_connection(connect: Connect) -> None:
    _, writer = await connect()
    writer.write(GET + b"X-Long: ")
    with pytest.raises(ConnectionError):
        for _ in range(5000):
            writer.write(b"a" * 10_000)
            await writer.drain()


async def test_a_head_over_the_limit_is_told_so(connect: Connect) -> None:
    reader, writer = await connect()
    writer.write(GET + b"X-Long: " + b"a" * protocol.MAX_HEAD_BYTES)
    assert b"431" in await asyncio.wait_for(reader.readline(), 2)
    writer.close()


async def test_many_requests_on_one_connection_are_fine(connect: Connect) -> None:
    reader, writer = await connect()
    for _ in range(30):
        writer.write(GET + b"X-Some: " + b"a" * 8000 + b"\r\n\r\n")
        assert b"200" in await asyncio.wait_for(reader.readline(), 2)
        await reader.readuntil(b"ok")
    writer.close()


@pytest.mark.parametrize("start", [b"", b"GET / HT", GET])
async def test_a_head_that_never_ends_is_given_up(
    connect: Connect, monkeypatch: pytest.MonkeyPatch, start: bytes
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    reader, writer = await connect()
    writer.write(start)
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


async def test_the_second_head_is_bounded_in_time_too(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.2)
    reader, writer = await connect()
    writer.write(GET + b"\r\n")
    await reader.readuntil(b"ok")
    writer.write(GET)
    assert await asyncio.wait_for(reader.read(), 2) == b""
    writer.close()


async def test_while_draining_an_answer_is_the_last_on_its_connection() -> None:
    config = ServerConfig(app, port=0, log_level="error", lifespan="off", http=BoundedHttp)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(GET + b"\r\n")
    assert b"close" not in await reader.readuntil(b"ok")
    config.draining = True
    writer.write(GET + b"\r\n")
    told = await asyncio.wait_for(reader.read(), 5)
    assert b"200" in told and b"connection: close" in told
    server.should_exit = True
    await serving
