"""A body that is a file, as it comes."""

from __future__ import annotations

from collections.abc import AsyncIterator

from dazi.gateway.door import time_limit
from dazi.gateway.errors import TooLarge
from dazi.gateway.exchange import ClientGone, Exchange


async def pieces(x: Exchange, limit: int) -> AsyncIterator[bytes]:
    """Each piece has ``body_seconds`` to come. Raises ``TooLarge`` as soon as it is known, and
    ``ClientGone``."""
    declared = x.headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limit:
        raise TooLarge(limit)
    size, more = 0, True
    while more:
        with time_limit(x.state.limits.body_seconds):
            message = await x.take()
        if message["type"] == "http.disconnect":
            raise ClientGone
        piece = message.get("body", b"")
        size += len(piece)
        more = message.get("more_body", False)
        if size > limit:
            raise TooLarge(limit)
        yield piece


async def whole(x: Exchange, limit: int) -> bytes:
    """Raises as ``pieces``."""
    out = bytearray()
    async for piece in pieces(x, limit):
        out += piece
    return bytes(out)
