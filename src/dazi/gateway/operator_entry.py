"""Who may see what a monitoring system asks for: it has a token of its own, and no rights but that."""

from __future__ import annotations

import hmac

from dazi.access.users import LOOPBACK
from dazi.core.errors import AccessError
from dazi.gateway.door import called_by_loopback_name
from dazi.gateway.exchange import Exchange

FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-forwarded-host", b"x-real-ip")
"""What comes with one of these was asked by somebody else than who connects."""


def admits(x: Exchange, token: str) -> bool:
    """Whether the request carries ``token``; where none is set, whether it comes from this machine, by a
    name of this machine (another site's name may lead here too) and not through a proxy."""
    if not token:
        here = x.address in LOOPBACK and called_by_loopback_name(x)
        return here and not any(name in x.headers for name in FORWARDED)
    scheme, _, given = x.header(b"authorization").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(
        given.strip().encode("latin-1"), token.encode()
    )


def admit_monitor(x: Exchange) -> None:
    """Raises ``AccessError``."""
    if not admits(x, x.state.metrics_token):
        raise AccessError(
            "unauthenticated",
            "需要监控令牌:Authorization: Bearer(DAZI_METRICS_TOKEN 的值);没有设令牌时只答本机",
            "this needs the monitor's token: Authorization: Bearer with the value of "
            "DAZI_METRICS_TOKEN; without one only this machine is answered",
        )
