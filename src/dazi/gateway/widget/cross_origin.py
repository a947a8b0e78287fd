"""CORS (Fetch, 3.2) for the routes of sites: exactly the origins that a site names, and no page else.

The server refuses what comes from elsewhere, before it looks at anything: browsers only keep an answer
from the page, after it was made. Cookies mean nothing here and are never allowed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from dazi.gateway.door import NOBODY, Door, refuse
from dazi.gateway.errors import accepted_language
from dazi.gateway.exchange import Exchange, Header, Receive, Send
from dazi.gateway.state import GatewayState
from dazi.gateway.widget.service import foreign

METHODS = b"GET, POST, DELETE"
HEADERS = b"authorization, content-type"
EXPOSED = b"x-request-id, retry-after"
KEPT_S = b"600"
_VARY: Header = (b"vary", b"Origin")


@dataclass(frozen=True, slots=True)
class CrossOrigin:
    """An ASGI endpoint before ``door``."""

    state: GatewayState
    door: Door

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        origin = headers.get(b"origin", b"")
        widget = self.state.widget
        site = widget.sites.get(scope["path_params"]["site"]) if widget is not None else None
        known = site is not None and origin.decode("latin-1") in site.origins
        extra: list[Header] = [_VARY]
        if known:
            extra += [
                (b"access-control-allow-origin", origin),
                (b"access-control-expose-headers", EXPOSED),
            ]
        if scope["method"] == "OPTIONS" and known:
            extra += [
                (b"access-control-allow-methods", METHODS),
                (b"access-control-allow-headers", HEADERS),
                (b"access-control-max-age", KEPT_S),
            ]

        async def sent(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *extra]
            await send(message)

        if known and scope["method"] != "OPTIONS":
            await self.door(scope, receive, sent)
            return
        began, observer = time.perf_counter(), self.state.observer
        x = Exchange(self.state, NOBODY, None, headers, scope["path_params"], receive, sent)
        x.know(scope)
        x.language = accepted_language(x.header(b"accept-language"))
        if known:
            await x.reply(b"{}")
        else:
            error = foreign()
            observer.refused(error)
            await refuse(x, error)
        took = time.perf_counter() - began
        observer.answered(self.door.route, scope["method"], x.status, took)
