"""Headers of the pages: what a browser may load and run, and from where (nothing but this server)."""

from __future__ import annotations

import re
import secrets

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Scripts are files of this server, and those of the page that carry the number made for this answer:
# markup that got into a page runs nothing, neither as a script nor as an "onerror". The pages' framework
# compiles its templates in the browser and takes commands as text, so it needs eval; and it writes
# styles while it runs. Whatever ran, it could send nothing away: no image, script, style, font, frame,
# form or socket of another host is allowed.
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'nonce-{nonce}' 'unsafe-eval'",
        "script-src-attr 'none'",
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "font-src 'self' data:",
        "connect-src 'self'",
        "worker-src 'none'",
        "form-action 'self'",
        "frame-src 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "object-src 'none'",
    )
)
HEADERS = {
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-dns-prefetch-control": "off",
}
_SCRIPT = re.compile(rb"<script(?=[\s>])")


class PageHeaders:
    """Puts them on every HTML answer that does not bring its own, and the number on its scripts.

    What people wrote is in a page as escaped text only, so that no tag but the framework's is found.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        page = _Page(send)
        await self._app(scope, receive, page.send)


class _Page:
    """An answer on its way; an HTML page is kept until it is whole."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._start: Message | None = None
        self._parts: list[bytes] = []

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _bare_page(message):
            self._start = message
        elif message["type"] == "http.response.body" and self._start is not None:
            self._parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                await self._whole(self._start)
        else:
            await self._send(message)

    async def _whole(self, start: Message) -> None:
        nonce = secrets.token_urlsafe(18)
        body = _SCRIPT.sub(b'<script nonce="%s"' % nonce.encode(), b"".join(self._parts))
        headers = MutableHeaders(scope=start)
        headers["content-security-policy"] = CONTENT_SECURITY_POLICY.format(nonce=nonce)
        for name, value in HEADERS.items():
            headers.setdefault(name, value)
        if "content-length" in headers:
            headers["content-length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body, "more_body": False})


def _bare_page(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    is_page = headers.get("content-type", "").startswith("text/html")
    return is_page and "content-security-policy" not in headers
