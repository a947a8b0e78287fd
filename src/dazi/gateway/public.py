"""Every route that answers without a key. There are no others: a test asks them all."""

from __future__ import annotations

PUBLIC: frozenset[str] = frozenset(
    {
        "/healthz",  # is the process alive? Says nothing else.
        "/readyz",  # can it serve? Names of parts and true or false, nothing else.
        "/metrics",  # numbers, to whoever has the monitor's token or asks from this machine.
        "/widget.js",  # the script for the company's own sites: the same for everybody.
        "/v1/widget/{site}/begin",  # lets a site's visitors in, from its own origins only.
        "/scaling",  # for who watches the service: a token of its own, or this machine alone.
        "/v1/dazi/sign-in",  # a user name and a password; wrong ones are counted and locked out.
        # What vendors call. Each body is verified by the vendor's signature before anything of it
        # is parsed, and is 128 KiB at most; without channels.yaml there is nothing here.
        "/v1/dazi/channels/{channel}/callback",
        "/v1/dazi/channels/{channel}/callback/{part}",
    }
)
