"""A WebSocket on a connection that has answered before."""

from __future__ import annotations

import asyncio
import base64
import os
from typing import Any

import uvicorn

from dazi.gateway.protocol import BoundedHttp, ServerConfig

IDLE_S = 1
"""How long an idle connection is kept."""


async def app(scope: Any, receive: Any, send: Any) -> None:
    """All of an answer, and its end a moment later: as what compresses or streams does it."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] == "websocket.receive":
            await send({"type": "websocket.send", "text": message["text"]})
        return
    headers = [(b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok", "more_body": True})
    await asyncio.sleep(0.2)
    await send({"type": "http.response.body", "body": b"", "more_body": False})


async def test_the_end_of_the_answer_before_does_not_end_it() -> None:
    config = ServerConfig(
        app, http=BoundedHttp, port=0, lifespan="off", log_level="warning",
        timeout_keep_alive=IDLE_S,
    )  # fmt: skip
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110
        await asyncio.sleep(0.005)
    port = server.servers[0].sockets[0].getsockname()[1]
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await reader.readuntil(b"\r\n\r\nok")
        key = base64.b64encode(os.urandom(16))
        writer.write(
            b"GET /ws HTTP/1.1\r\nhost: x\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-version: 13\r\nsec-websocket-key: " + key + b"\r\n\r\n"
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
        await asyncio.sleep(IDLE_S + 0.5)
        writer.write(b"\x81\x82\0\0\0\0hi")  # a text frame, masked with zeros
        async with asyncio.timeout(30):
            assert await reader.readexactly(4) == b"\x81\x02hi"
    finally:
        writer.close()
        server.should_exit = True
        await serving
