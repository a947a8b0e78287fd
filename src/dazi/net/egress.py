"""The client for requests of all kinds. Redirects are followed by ``fetch`` alone, proxies of the
environment are not used, cookies are not kept."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp
from yarl import URL

from dazi.net.rules import DOWNGRADE, EgressForbidden, Origin, Rule

AddrInfo = tuple[Any, ...]
"""What a look-up gives for a host: family, kind, protocol, name, (address, port, ...)."""


class Egress:
    """A session whose sockets go where ``rule`` allows. Make it where a loop runs."""

    def __init__(
        self,
        rule: Rule,
        *,
        connections: int = 100,
        force_close: bool = False,
        timeout: aiohttp.ClientTimeout | None = None,
        headers: Mapping[str, str] | None = None,
        trace_configs: Iterable[aiohttp.TraceConfig] = (),
        auto_decompress: bool = True,
    ) -> None:
        self.rule = rule
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=connections, force_close=force_close, socket_factory=self._open
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            headers=headers,
            timeout=timeout or aiohttp.ClientTimeout(total=None),
            trace_configs=list(trace_configs),
            auto_decompress=auto_decompress,
            trust_env=False,
        )

    def request(self, method: str, url: str | URL, **options: Any) -> Any:
        """As ``aiohttp``'s, without redirects. Raises ``EgressForbidden`` before anything is sent."""
        checked = self.rule.check_url(url)
        return self._session.request(method, checked, **{**options, "allow_redirects": False})

    async def close(self) -> None:
        await self._session.close()

    def _open(self, info: AddrInfo) -> socket.socket:
        """The socket for one address of a look-up: the last moment before it is connected."""
        family, kind, protocol, _, where = info
        self.rule.check_address(str(where[0]))
        return socket.socket(family, kind, protocol)


REDIRECTS = 5
"""How many a fetch follows."""


class TooLarge(OSError):
    """What comes back is longer than was asked for."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """``url``: where the redirects led."""

    url: str
    status: int
    content_type: str
    body: bytes


async def fetch(
    url: str, rule: Rule, *, limit: int, seconds: float, headers: Mapping[str, str] | None = None
) -> Fetched:
    """One page or file, at most ``limit`` bytes within ``seconds``. Each redirect is checked as the
    first URL was, and none leads from https to http or takes ``headers`` to another origin.

    Raises ``EgressForbidden``, ``TooLarge``, ``TimeoutError`` or another ``OSError``.
    """
    sent = dict(headers or {})
    egress = Egress(rule)
    try:
        async with asyncio.timeout(seconds):
            for _ in range(REDIRECTS + 1):
                async with egress.request("GET", url, headers=sent) as response:
                    if response.status not in (301, 302, 303, 307, 308):
                        body = await _limited(response, limit)
                        kind = response.headers.get("Content-Type", "")
                        return Fetched(url, response.status, kind, body)
                    there = response.url.join(URL(response.headers.get("Location", "")))
                if response.url.scheme == "https" and there.scheme != "https":
                    raise EgressForbidden(str(there)[:200], DOWNGRADE)
                if Origin.of(rule.check_url(there)) != Origin.of(response.url):
                    sent = {}
                url = str(there)
    except aiohttp.ClientConnectorError as e:
        raise e.os_error from e
    except (aiohttp.ClientError, ValueError) as e:
        raise OSError(str(e) or type(e).__name__) from e
    finally:
        await egress.close()
    raise OSError(f"more than {REDIRECTS} redirects")


async def _limited(response: aiohttp.ClientResponse, limit: int) -> bytes:
    body = bytearray()
    async for chunk in response.content.iter_chunked(64 * 1024):
        body += chunk
        if len(body) > limit:
            raise TooLarge(f"more than {limit} bytes")
    return bytes(body)
