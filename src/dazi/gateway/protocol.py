"""uvicorn's HTTP protocol with bounds on the head of a request, which it has none of.

Before the head is complete nobody knows who is calling, so a stranger could otherwise fill memory
with one endless header, or connections with none at all.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
"""What a connection may send before a head is complete; one read more may be held."""
HEAD_SECONDS = 30.0
"""How long a head may take, the first from the connection's beginning."""

_ANSWER = (
    b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
    b"connection: close\r\n\r\n%b"
)
_TOO_LARGE = (
    b'{"error":{"message":"the request head is too large",'
    b'"type":"invalid_request_error","code":"head_too_large","param":null}}'
)


class ServerConfig(Config):
    """``draining``: every answer is the last on its connection, so that callers who keep theirs come
    in again by another door before this one closes."""

    draining = False


class BoundedHttp(HttpToolsProtocol):
    """For ``uvicorn.Config(http=BoundedHttp)``."""

    _in_head = False
    _upgraded = False
    _head = 0
    _head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if not self._in_head:
            return
        self._head += len(data)
        if self._head > MAX_HEAD_BYTES:
            self._in_head = False
            status = b"431 Request Header Fields Too Large"
            self.transport.write(_ANSWER % (status, len(_TOO_LARGE), _TOO_LARGE))
            self.transport.close()
        elif self._head_timer is None:
            self._wait_for_head()

    def on_message_begin(self) -> None:
        self._in_head, self._head = True, 0
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        self._stop_waiting()
        super().on_headers_complete()
        draining = isinstance(self.config, ServerConfig) and self.config.draining
        if draining and self.cycle is not None:  # a WebSocket has none
            self.cycle.keep_alive = False

    def handle_websocket_upgrade(self) -> None:
        self._upgraded = True
        super().handle_websocket_upgrade()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self._upgraded:
            # The answer before on this connection ended only now: the time that an idle connection
            # has would end the WebSocket.
            self._unset_keepalive_if_required()

    def _wait_for_head(self) -> None:
        self._head_timer = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_waiting(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
