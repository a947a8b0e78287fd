"""The MCP library's HTTP client over the one client that reaches out: its sockets go where the
rule allows, and nowhere else."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import httpx2

from dazi.connectors.credentials import Credential, NoCredential
from dazi.net import Egress, Rule

_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "upgrade", "content-encoding"})
READ_S = 300.0


def governed_client(rule: Rule, credential: Credential) -> httpx2.AsyncClient:
    """A client for ``rule``'s origins, which sends ``credential``'s token of the moment."""
    return httpx2.AsyncClient(transport=_Governed(rule, credential), trust_env=False)


class _Governed(httpx2.AsyncBaseTransport):
    def __init__(self, rule: Rule, credential: Credential) -> None:
        self._rule = rule
        self._credential = credential
        self._egress: Egress | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self._egress is None:
            self._egress = Egress(
                self._rule,
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=20, sock_read=READ_S),
                auto_decompress=True,
            )
        body = await request.aread()
        headers = [(k, v) for k, v in request.headers.items() if k.lower() != "host"]
        try:
            if token := self._credential.token():
                headers.append(("Authorization", f"Bearer {token}"))
        except NoCredential as e:
            raise httpx2.ConnectError("no credential", request=request) from e
        try:
            response = await self._egress.request(
                request.method, str(request.url), data=body or None, headers=headers
            )
        except TimeoutError as e:
            raise httpx2.ReadTimeout(str(e), request=request) from e
        except (aiohttp.ClientError, OSError) as e:
            raise httpx2.ConnectError(str(e), request=request) from e
        kept = [(k, v) for k, v in response.headers.items() if k.lower() not in _HOP]
        return httpx2.Response(
            response.status, headers=kept, stream=_Body(response), request=request
        )

    async def aclose(self) -> None:
        if self._egress is not None:
            await self._egress.close()
            self._egress = None


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for chunk in self._response.content.iter_any():
                yield chunk
        except TimeoutError as e:
            raise httpx2.ReadTimeout(str(e)) from e
        except (aiohttp.ClientError, OSError) as e:
            raise httpx2.ReadError(str(e)) from e

    async def aclose(self) -> None:
        self._response.close()
