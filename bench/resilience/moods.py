"""The ways in which a model server can be unwell."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping

from bench.resilience.model import ANSWER, BEGIN, END, Connection, Mood, Seen, chunk, event

FIRST_BYTE_S = 1.0
DRIP_S = 0.3
HUGE_BYTES = 24 << 20
PIECE = chunk(event({"content": "又一句。" * 20}) * 20)


def hung(connection: Connection, seen: Seen) -> None:
    """Takes the request and says nothing."""


def well(connection: Connection, seen: Seen) -> None:
    connection.well(seen)


def slow_first_byte(connection: Connection, seen: Seen) -> None:
    async def later() -> None:
        await asyncio.sleep(FIRST_BYTE_S)
        connection.well(seen)

    connection.later(later())


def hung_in_the_middle(connection: Connection, seen: Seen) -> None:
    connection.write(BEGIN + chunk(event({"content": ANSWER})))


def hung_in_the_head(connection: Connection, seen: Seen) -> None:
    connection.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event")


def reset(connection: Connection, seen: Seen) -> None:
    connection.drop()


def reset_in_the_middle(connection: Connection, seen: Seen) -> None:
    connection.write(BEGIN + chunk(event({"content": ANSWER})))
    asyncio.get_running_loop().call_later(0.05, connection.drop)


def cut_short(connection: Connection, seen: Seen) -> None:
    """Ends as an answer does, without the end of the stream."""
    connection.write(BEGIN + chunk(event({"content": ANSWER})) + END)


def garbage(connection: Connection, seen: Seen) -> None:
    connection.write(bytes(range(256)) * 64)


def garbage_in_the_middle(connection: Connection, seen: Seen) -> None:
    connection.write(BEGIN + chunk(event({"content": ANSWER})) + b"\xff\xfe not a chunk\r\n")


def broken_json(connection: Connection, seen: Seen) -> None:
    connection.write(BEGIN + chunk(b'data: {"choices": [{"delta": {"content": \n\n') + END)


def other_json(connection: Connection, seen: Seen) -> None:
    """Valid JSON of no form that anybody knows."""
    wrong = b'data: {"choices": {"delta": 7}}\n\ndata: [1, 2]\n\n'
    connection.write(BEGIN + chunk(wrong) + END)


def broken_utf8(connection: Connection, seen: Seen) -> None:
    bad = event({"content": "X"}).replace(b"X", b"\xe4\xbd")
    connection.write(BEGIN + chunk(bad + event({}, "stop")) + END)


def a_page(connection: Connection, seen: Seen) -> None:
    """200 and HTML: a proxy's idea of an answer."""
    page = b"<!doctype html><html><body>Welcome to the proxy</body></html>"
    head = b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: %d\r\n\r\n" % len(page)
    connection.write(head + page)
    connection.finished()


def endless(connection: Connection, seen: Seen) -> None:
    """Goes on for as long as it is listened to, past everything that was asked for."""

    async def on() -> None:
        connection.write(BEGIN)
        while connection.out is not None:
            if connection.out.get_write_buffer_size() < 1 << 20:
                connection.write(PIECE)
                seen.sent += 20
            await asyncio.sleep(0.002)

    connection.later(on())


def dripping(connection: Connection, seen: Seen) -> None:
    """Never idle for long and never done."""

    async def on() -> None:
        connection.write(BEGIN)
        while connection.out is not None:
            connection.write(chunk(event({"content": "一句。"})))
            seen.sent += 1
            await asyncio.sleep(DRIP_S)

    connection.later(on())


def silent_pieces(connection: Connection, seen: Seen) -> None:
    """Keeps the connection busy with comments that mean nothing."""

    async def on() -> None:
        connection.write(BEGIN)
        while connection.out is not None:
            connection.write(chunk(b": still here\n\n"))
            await asyncio.sleep(DRIP_S)

    connection.later(on())


def enormous_line(connection: Connection, seen: Seen) -> None:
    async def on() -> None:
        connection.write(BEGIN)
        block = b"x" * (1 << 18)
        for _ in range(HUGE_BYTES >> 18):
            if connection.out is None:
                return
            connection.write(chunk(block))
            await asyncio.sleep(0)

    connection.later(on())


def enormous_head(connection: Connection, seen: Seen) -> None:
    connection.write(b"HTTP/1.1 200 OK\r\nx: " + b"y" * (1 << 20))


def enormous_length(connection: Connection, seen: Seen) -> None:
    connection.write(b"HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n{")


def status(number: int, word: str, extra: str = "") -> Mood:
    def answer(connection: Connection, seen: Seen) -> None:
        body = {"error": {"message": word, "trace": "Traceback (most recent call last)"}}
        connection.document(body, f"{number} {word}", extra)

    return answer


def status_without_end(connection: Connection, seen: Seen) -> None:
    """A refusal whose body never comes."""
    connection.write(b"HTTP/1.1 503 Busy\r\ncontent-length: 100\r\n\r\n")


def endless_refusal(connection: Connection, seen: Seen) -> None:
    async def on() -> None:
        connection.write(b"HTTP/1.1 500 Oops\r\ntransfer-encoding: chunked\r\n\r\n")
        while connection.out is not None:
            connection.write(chunk(json.dumps({"no": "end"}).encode() * 100))
            await asyncio.sleep(0.005)

    connection.later(on())


MOODS: Mapping[str, Mood] = {
    "slow first byte": slow_first_byte,
    "no first byte": hung,
    "hung in the head": hung_in_the_head,
    "hung in the middle": hung_in_the_middle,
    "dripping, never done": dripping,
    "comments, never done": silent_pieces,
    "endless": endless,
    "enormous line": enormous_line,
    "enormous head": enormous_head,
    "enormous length": enormous_length,
    "reset": reset,
    "reset in the middle": reset_in_the_middle,
    "cut short": cut_short,
    "garbage": garbage,
    "garbage in the middle": garbage_in_the_middle,
    "broken JSON": broken_json,
    "other JSON": other_json,
    "broken UTF-8": broken_utf8,
    "a web page": a_page,
    "500": status(500, "Internal Server Error"),
    "502": status(502, "Bad Gateway"),
    "503": status(503, "Service Unavailable", "retry-after: 3\r\n"),
    "429": status(429, "Too Many Requests", "retry-after: 2\r\n"),
    "401": status(401, "Unauthorized"),
    "503 without an end": status_without_end,
    "endless 500": endless_refusal,
}
