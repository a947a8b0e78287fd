"""Many open pages at once, without browsers: each is fetched and joined as a browser's script does it."""

from __future__ import annotations

import asyncio
import re
import secrets
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import aiohttp
import socketio

_ID = re.compile(r"['\"]client_id['\"]: ?['\"]([0-9a-f-]{36})")
_NEXT = re.compile(r"['\"]next_message_id['\"]: ?(\d+)")
AT_ONCE, SIGNED_IN = 16, 3
"""Pages being opened at a time; each goes on being open."""


@dataclass
class Crowd:
    """``users`` have ``SIGNED_IN`` sessions each, and share the pages among them. ``pages``: seconds
    each took to open, from the request to the joined socket."""

    url: str
    users: Sequence[str]
    pages: list[float] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)
    """Why sockets were closed that had been joined."""
    _sockets: list[socketio.AsyncClient] = field(default_factory=list)
    _http: list[aiohttp.ClientSession] = field(default_factory=list)

    async def come(self, number: int, path: str = "/") -> None:
        room = asyncio.Semaphore(AT_ONCE)
        for user in self.users:
            for _ in range(SIGNED_IN):
                http = aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True))
                self._http.append(http)
                async with http.post(f"{self.url}/login", data={"demo": user}):
                    pass

        async def one(http: aiohttp.ClientSession) -> None:
            async with room:
                try:
                    await self._open(http, path)
                except (aiohttp.ClientError, socketio.exceptions.SocketIOError, TimeoutError) as e:
                    self.failed.append(repr(e)[:200])

        await asyncio.gather(*(one(self._http[n % len(self._http)]) for n in range(number)))

    async def _open(self, http: aiohttp.ClientSession, path: str) -> None:
        began = time.perf_counter()
        async with http.get(self.url + path) as answer:
            page = await answer.text()
        client, following = _ID.search(page), _NEXT.search(page)
        if client is None or answer.status != 200:
            raise aiohttp.ClientError(f"no page of the console: {answer.status}")
        query = {
            "client_id": client[1],
            "next_message_id": following[1] if following else "0",
            "implicit_handshake": "true",
            "tab_id": secrets.token_hex(8),
            "document_id": secrets.token_hex(8),
        }
        made = socketio.AsyncClient(reconnection=False, http_session=http)
        made.on("disconnect", self.lost.append)
        address = "&".join(f"{k}={v}" for k, v in query.items())
        await made.connect(
            f"{self.url}?{address}",
            socketio_path="/_nicegui_ws/socket.io",
            transports=["websocket"],
            wait_timeout=30,
        )
        self._sockets.append(made)
        self.pages.append(time.perf_counter() - began)

    @property
    def open(self) -> int:
        return sum(s.connected for s in self._sockets)

    async def leave(self) -> None:
        for made in self._sockets:
            with suppress(Exception):  # whatever the server made of it
                await made.disconnect()
        for http in self._http:
            await http.close()
