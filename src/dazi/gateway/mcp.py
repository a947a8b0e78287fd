"""``/mcp``: who asks, before the protocol's library is even loaded."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, replace
from importlib import import_module
from typing import Any

from dazi.core.errors import DaziError
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.gateway.door import NOBODY, admit, refuse
from dazi.gateway.errors import accepted_language
from dazi.gateway.exchange import Exchange, Receive, Send
from dazi.gateway.gate import Gate
from dazi.gateway.state import GatewayState

CHANNEL = "mcp"
CALLER = "dazi.caller"
"""Where the caller stands in a request's scope."""


@dataclass(frozen=True, slots=True)
class Caller:
    principal: Principal
    language: Language
    only: frozenset[str] = frozenset()
    """Tools that the key is for; all where there are none."""


class McpEndpoint:
    """An ASGI endpoint. Stateless: every request carries its key, and ends with its answer."""

    def __init__(self, state: GatewayState, gate: Gate) -> None:
        self._state = state
        self._gate = gate
        self._server: Any = None
        self._loading = asyncio.Lock()

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        x = Exchange(self._state, NOBODY, None, dict(scope["headers"]), {}, receive, send)
        x.know(scope)
        x.language = accepted_language(x.header(b"accept-language"))
        began, observer = time.perf_counter(), self._state.observer

        async def noted(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                x.status = message["status"]
            await send(message)

        try:
            await admit(x, scope["headers"], channel=CHANNEL)
            caller = Caller(replace(x.principal, channel=CHANNEL), x.language or "en", x.only)
            server = await self._loaded()
            await server.handle({**scope, CALLER: caller}, receive, noted)
        except DaziError as e:
            observer.refused(e)
            await refuse(x, e)
        finally:
            observer.answered("/mcp", scope["method"], x.status, time.perf_counter() - began)

    async def _loaded(self) -> Any:
        """The library takes most of a second to load: at the first call, and beside the others."""
        async with self._loading:
            if self._server is None:
                module = await asyncio.to_thread(import_module, "dazi.gateway.mcp_server")
                self._server = module.GovernedServer(self._state, self._gate)
        return self._server
