"""``/widget.js``: the parts in ``web`` as one script, with the style sheet in it."""

from __future__ import annotations

import hashlib
import re
from functools import lru_cache
from importlib.resources import files

import msgspec

from dazi.gateway.exchange import Exchange

PARTS = ("texts", "dom", "markdown", "chart", "client", "cards", "panel", "start")
"""In this order: each uses those before it."""
KEPT_S = 300
_COMMENT = re.compile(r"^\s*//.*\n", re.MULTILINE)
"""For readers of the parts; visitors need not fetch them."""


@lru_cache(1)
def joined() -> bytes:
    web = files("dazi.gateway.widget").joinpath("web")
    style = msgspec.json.encode(web.joinpath("widget.css").read_text("utf-8"))
    parts = (web.joinpath(f"{name}.js").read_text("utf-8") for name in PARTS)
    body = _COMMENT.sub("", "\n".join(parts)).encode()
    return b'(() => {\n"use strict";\nconst STYLE = %b;\n%b\n})();\n' % (style, body)


@lru_cache(1)
def tag() -> bytes:
    return b'"%b"' % hashlib.sha256(joined()).hexdigest()[:32].encode()


async def script(x: Exchange) -> None:
    """For a script element of any page. Raises nothing."""
    kept = b"public, max-age=%d" % KEPT_S
    headers = (
        (b"etag", tag()),
        (b"cache-control", kept),
        (b"cross-origin-resource-policy", b"cross-origin"),
    )
    if x.headers.get(b"if-none-match") == tag():
        await x.nothing_new(*headers)
        return
    await x.whole(joined(), "text/javascript; charset=utf-8", *headers)
