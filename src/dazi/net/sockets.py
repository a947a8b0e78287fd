"""Sockets for clients that speak no HTTP, and for the one that speaks it with little effort."""

from __future__ import annotations

import asyncio
import socket

from dazi.net.rules import Origin, Rule


def connect(host: str, port: int, seconds: float) -> socket.socket:
    """A connection to a configured server that speaks no HTTP: an in-house address is all right,
    this machine only if it is named as such. Raises ``EgressForbidden`` or ``OSError``."""
    rule = Rule(frozenset({Origin("", host.lower().rstrip("."), port)}))
    failed: OSError = OSError(f"no address for {host}")
    for family, kind, protocol, _, where in socket.getaddrinfo(host, port, 0, socket.SOCK_STREAM):
        made = None
        try:
            rule.check_address(str(where[0]))
            made = socket.socket(family, kind, protocol)
            made.settimeout(seconds)
            made.connect(where)
            return made
        except OSError as e:
            failed = e
            if made is not None:
                made.close()
    raise failed


async def connect_soon(rule: Rule, host: str, port: int, seconds: float) -> socket.socket:
    """A connected socket that does not block. Raises ``EgressForbidden`` or ``OSError``."""
    loop = asyncio.get_running_loop()
    failed: OSError = OSError(f"no address for {host}")
    async with asyncio.timeout(seconds):
        for info in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
            family, kind, protocol, _, where = info
            made = None
            try:
                rule.check_address(str(where[0]))
                made = socket.socket(family, kind, protocol)
                made.setblocking(False)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                await loop.sock_connect(made, where)
                return made
            except OSError as e:
                failed = e
                if made is not None:
                    made.close()
            except BaseException:
                if made is not None:
                    made.close()
                raise
    raise failed
