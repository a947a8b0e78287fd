"""A vendor's HTTP interface: JSON there and back, tokens kept, and what did not arrive told apart
from what may have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec
from yarl import URL

from dazi.gateway.channels.protocol import Uncertain, Undelivered
from dazi.net import Egress, EgressForbidden, Rule

WITHIN_S = 10.0
LARGEST_ANSWER = 1 << 20
AGAIN_S = 5.0
"""After a connection that could not be made."""


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> dict[str, Any]:
        """Raises ``Uncertain`` for what is no JSON object."""
        try:
            found = msgspec.json.decode(self.body)
        except msgspec.DecodeError:
            found = None
        if not isinstance(found, dict):
            raise Uncertain(f"HTTP {self.status}")
        return found


class Vendor:
    """``origins``: the base URLs that may be reached. Each request has a connection of its own: on a
    kept one that was just closed nobody could tell whether a message arrived."""

    def __init__(self, *origins: str) -> None:
        self._rule = Rule.to(*origins)
        self._egress: Egress | None = None

    async def request(
        self,
        method: str,
        url: str | URL,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        limit: int = LARGEST_ANSWER,
    ) -> Answer:
        """Raises ``Undelivered`` where nothing was sent, ``Uncertain`` where no answer came."""
        if self._egress is None:
            timeout = aiohttp.ClientTimeout(total=WITHIN_S)
            self._egress = Egress(self._rule, force_close=True, timeout=timeout)
        sent: dict[str, Any] = {"headers": dict(headers or {})}
        if json is not None:
            sent["data"] = msgspec.json.encode(json)
            sent["headers"]["Content-Type"] = "application/json; charset=utf-8"
        try:
            async with self._egress.request(method, url, **sent) as response:
                body = bytearray()
                async for piece in response.content.iter_chunked(1 << 16):
                    body += piece
                    if len(body) > limit:
                        raise Undelivered("too_large", f"more than {limit} bytes", None)
                return Answer(response.status, response.headers, bytes(body))
        except EgressForbidden as e:
            raise Undelivered("forbidden", str(e), None) from None
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as e:
            if isinstance(e, aiohttp.ClientConnectorError) and isinstance(
                e.os_error, EgressForbidden
            ):
                raise Undelivered("forbidden", str(e.os_error), None) from None
            raise Undelivered("unreachable", type(e).__name__, AGAIN_S) from None
        except (aiohttp.ClientError, TimeoutError, OSError) as e:
            raise Uncertain(type(e).__name__) from None

    async def close(self) -> None:
        if self._egress is not None:
            await self._egress.close()


@dataclass(frozen=True, slots=True)
class Token:
    text: str
    seconds: float


class Tokens:
    """An access token, fetched when it is needed and again before it ends. ``clock``: monotonic
    seconds."""

    MARGIN_S = 300.0

    def __init__(
        self,
        fetch: Callable[[], Awaitable[Token]],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._fetch = fetch
        self._clock = clock
        self._held = ""
        self._until = 0.0
        self._one = asyncio.Lock()

    async def get(self) -> str:
        async with self._one:
            if not self._held or self._clock() >= self._until:
                token = await self._fetch()
                self._held = token.text
                self._until = self._clock() + max(token.seconds - self.MARGIN_S, token.seconds / 2)
            return self._held

    def drop(self, token: str) -> None:
        """The vendor does not take it any more."""
        if token == self._held:
            self._held = ""
