"""Exits 0 when Dazi in this container is alive: for HEALTHCHECK, without curl in the image.

The same settings as the server's say where it listens and whether it speaks HTTPS. Its certificate
is for the name that browsers use, so it is not looked at here.
"""

from __future__ import annotations

import http.client
import os
import ssl
import sys

WITHIN_S = 4.0


def alive() -> bool:
    port = int(os.environ.get("DAZI_PORT", "8000"))
    door: http.client.HTTPConnection
    if os.environ.get("DAZI_TLS_CERT"):
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        door = http.client.HTTPSConnection("127.0.0.1", port, timeout=WITHIN_S, context=context)
    else:
        door = http.client.HTTPConnection("127.0.0.1", port, timeout=WITHIN_S)
    try:
        door.request("GET", "/healthz")
        return door.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        door.close()


if __name__ == "__main__":
    sys.exit(0 if alive() else 1)
