"""``/widget.js``: the parts in ``web`` as one script, with the style sheet in it."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.resources import files

import msgspec

from dazi.gateway.exchange import Exchange

PARTS = ("texts", "dom", "markdown", "chart", "client", "cards", "panel", "start")
"""In this order: each uses those before it."""
KEPT_S = 300


def bare(source: str) -> str:
    """Without lines that are comments and what lines begin with: neither is for browsers. No text of ours
    goes on over the end of a line."""
    lines = (line.strip() for line in source.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


@lru_cache(1)
def joined() -> bytes:
    web = files("dazi.gateway.widget").joinpath("web")
    style = msgspec.json.encode(web.joinpath("widget.css").read_text("utf-8"))
    parts = (bare(web.joinpath(f"{name}.js").read_text("utf-8")) for name in PARTS)
    body = "\n".join(parts).encode()
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
