"""A mail server for the demo: takes mail on loopback and keeps it as ``.eml`` files, sends none.

Speaks as much SMTP (RFC 5321) as a sender needs. A mail that comes twice (same Message-ID)
is kept once.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import suppress
from email import message_from_bytes
from pathlib import Path

MAX_MAIL = 5 * 1024 * 1024
LINE_TIMEOUT_S = 30.0


class MailSink:
    """``async with MailSink(folder) as sink:`` listens on ``sink.port`` until the block ends."""

    def __init__(self, folder: Path, host: str = "127.0.0.1", port: int = 0) -> None:
        self.folder = folder
        self.host = host
        self.port = port
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self._server = await asyncio.start_server(self._serve, self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    async def __aenter__(self) -> MailSink:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, TimeoutError, ValueError, asyncio.IncompleteReadError):
            await _Session(self.folder, reader, writer).run()
        writer.close()


class _Session:
    def __init__(
        self, folder: Path, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._folder = folder
        self._reader = reader
        self._writer = writer
        self._sender = False
        self._recipients = 0

    async def run(self) -> None:
        await self._say("220 yunshan demo mail sink")
        while line := await self._line():
            verb, _, rest = line.decode("utf-8", "replace").strip().partition(" ")
            match verb.upper():
                case "EHLO":
                    await self._say(f"250-yunshan\r\n250-8BITMIME\r\n250 SIZE {MAX_MAIL}")
                case "HELO" | "NOOP":
                    await self._say("250 ok")
                case "RSET":
                    self._sender, self._recipients = False, 0
                    await self._say("250 ok")
                case "MAIL" if rest.upper().startswith("FROM:"):
                    self._sender, self._recipients = True, 0
                    await self._say("250 ok")
                case "RCPT" if self._sender and "@" in rest:
                    self._recipients += 1
                    await self._say("250 ok")
                case "DATA" if self._recipients:
                    await self._say("354 go on, end with a dot")
                    await self._say(await self._data())
                case "QUIT":
                    await self._say("221 bye")
                    return
                case _:
                    await self._say("503 not now, or not known")

    async def _data(self) -> str:
        mail = bytearray()
        while (line := await self._line()) != b".\r\n":
            if not line:
                raise asyncio.IncompleteReadError(bytes(mail), None)
            if len(mail) <= MAX_MAIL:
                mail += line[1:] if line.startswith(b".") else line
        self._sender, self._recipients = False, 0
        if len(mail) > MAX_MAIL:
            return "552 too large"
        name = hashlib.sha256(_identity(bytes(mail))).hexdigest()[:24]
        await asyncio.to_thread((self._folder / f"{name}.eml").write_bytes, bytes(mail))
        return f"250 kept as {name}.eml"

    async def _line(self) -> bytes:
        async with asyncio.timeout(LINE_TIMEOUT_S):
            return await self._reader.readline()

    async def _say(self, text: str) -> None:
        self._writer.write(text.encode() + b"\r\n")
        await self._writer.drain()


def _identity(mail: bytes) -> bytes:
    return str(message_from_bytes(mail).get("Message-ID") or "").encode() or mail
