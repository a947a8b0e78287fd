"""The lean client against servers that answer well, badly, in pieces, or not at all."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
import trustme

from dazi.net import Broken, EgressForbidden, LeanClient, lean

Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


class Server:
    def __init__(self) -> None:
        self.talk: Talk = self.once
        self.answers: list[bytes] = []
        self.heard: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            await self.talk(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def once(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answers each request with the next of ``answers``, the last of them again and again."""
        while True:
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
            self.heard.append(head + await reader.readexactly(length))
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            writer.write(answer)
            await writer.drain()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    made = Server()
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.port = listening.sockets[0].getsockname()[1]
    yield made
    listening.close()


def client(server: Server, **options: float) -> LeanClient:
    return LeanClient(
        f"http://127.0.0.1:{server.port}/v1", {"authorization": "Bearer k"}, **options
    )


async def text(made: LeanClient) -> bytes:
    answer = await made.request("POST", "/x", b'{"a":1}')
    try:
        return await answer.whole(10_000)
    finally:
        answer.close()


async def test_what_is_sent_and_that_the_connection_is_kept(server: Server) -> None:
    server.answers = [OK]
    made = client(server)
    assert [await text(made) for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 1
    head = server.heard[0]
    assert head.startswith(b"POST /v1/x HTTP/1.1\r\n") and head.endswith(b'\r\n\r\n{"a":1}')
    assert b"authorization: Bearer k\r\n" in head and b"content-length: 7\r\n" in head
    await made.close()


CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\n\r\n"
)


@pytest.mark.parametrize("size", [1, 2, 7, 1000])
async def test_pieces_however_they_are_cut(server: Server, size: int) -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        data = b"HTTP/1.1 100 Continue\r\n\r\n" + CHUNKED
        for i in range(0, len(data), size):
            writer.write(data[i : i + size])
            await writer.drain()
            await asyncio.sleep(0)

    server.talk = slowly
    made = client(server)
    assert await text(made) == b"abcdefg"
    await made.close()


async def test_an_answer_without_length_ends_with_its_connection(server: Server) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        writer.write(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        await writer.drain()

    server.talk = talk
    made = client(server)
    assert await text(made) == b"all of it"
    assert await text(made) == b"all of it" and server.connections == 2
    await made.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"SSH-2.0-OpenSSH\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nx: " + b"y" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
    ],
)
async def test_what_is_no_http(server: Server, answer: bytes) -> None:
    server.answers = [answer]
    made = client(server, idle_s=1.0)
    with pytest.raises(Broken):
        await text(made)
    await made.close()


async def test_a_server_that_hangs_up_in_the_middle(server: Server) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nhalf")
        await writer.drain()

    server.talk = talk
    made = client(server)
    with pytest.raises(Broken):
        await text(made)
    assert server.connections == 1, "a request is not sent twice"
    await made.close()


async def test_a_kept_connection_that_has_ended_is_replaced(server: Server) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        writer.write(OK)
        await writer.drain()

    server.talk = talk
    made = client(server)
    assert [await text(made) for _ in range(3)] == [b"ok"] * 3
    assert server.connections == 3
    await made.close()


async def test_silence_has_an_end(server: Server) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    server.talk = talk
    made = client(server, idle_s=0.1)
    with pytest.raises(TimeoutError):
        await text(made)
    await made.close()


async def test_a_reader_who_leaves_ends_the_connection(server: Server) -> None:
    left = asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b'{"a":1}')
        writer.write(b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n")
        await reader.read()
        left.set()

    server.talk = talk
    made = client(server)
    answer = await made.request("POST", "/x", b'{"a":1}')
    assert await answer.some() == b"a"
    answer.close()
    await asyncio.wait_for(left.wait(), 1)
    task = asyncio.create_task(text(made))
    await asyncio.sleep(0.05)
    left.clear()
    task.cancel()
    await asyncio.wait_for(left.wait(), 1)
    await made.close()


async def test_a_slow_reader_slows_the_server(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing piles up here for somebody who does not read."""
    monkeypatch.setattr(lean, "BUFFERED", 64 << 10)
    sent = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal sent
        await reader.readuntil(b'{"a":1}')
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 50000000\r\n\r\n")
        for _ in range(1000):
            writer.write(b"x" * 50_000)
            await writer.drain()
            sent += 50_000

    server.talk = talk
    made = client(server)
    answer = await made.request("POST", "/x", b'{"a":1}')
    before = -1
    while before != sent:
        before = sent
        await asyncio.sleep(0.2)
    assert sent < 20_000_000
    size = 0
    while piece := await answer.some():
        size += len(piece)
    assert size == 50_000_000
    answer.close()
    await made.close()


async def test_where_it_connects_is_checked(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = asyncio.get_running_loop()
    for address in ("127.0.0.1", "169.254.169.254", "0.0.0.0", "::ffff:169.254.169.254"):

        async def found(*_: object, address: str = address, **__: object) -> list[object]:
            return [(2, 1, 6, "", (address, server.port))]

        monkeypatch.setattr(loop, "getaddrinfo", found)
        with pytest.raises(EgressForbidden):
            await text(LeanClient(f"http://model.example:{server.port}/v1"))
    assert server.connections == 0
    with pytest.raises(ValueError, match="two lines"):
        LeanClient("http://127.0.0.1/v1", {"authorization": "Bearer a\r\nx: y"})


async def test_tls_with_a_name_that_is_checked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    made = Server()
    made.answers = [OK]
    listening = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=context)
    url = f"https://localhost:{listening.sockets[0].getsockname()[1]}/v1"
    with pytest.raises(ssl.SSLCertVerificationError):
        await text(LeanClient(url))
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    trusting = LeanClient(url)
    assert await text(trusting) == b"ok"
    await trusting.close()
    listening.close()


async def test_a_server_that_drops_what_it_reads_is_asked_once_more_and_no_oftener(
    server: Server,
) -> None:
    """Else each kept connection would carry the request there again."""
    seen = 0

    async def well_once(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await reader.readuntil(b"\r\n\r\n{}")
        writer.write(OK)
        await reader.readuntil(b"\r\n\r\n")
        seen += 1

    server.talk = well_once
    made = client(server)
    held = [await made.request("POST", "/x", b"{}") for _ in range(5)]
    for answer in held:
        assert await answer.whole(10) == b"ok"
        answer.close()

    async def drops(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal seen
        await reader.readuntil(b"\r\n\r\n")
        seen += 1

    server.talk = drops
    with pytest.raises(Broken):
        await text(made)
    assert seen == 2
    await made.close()
