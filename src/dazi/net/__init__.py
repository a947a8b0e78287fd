"""Everything that reaches out does so through this room."""

from dazi.net.egress import REDIRECTS, Egress, Fetched, TooLarge, fetch
from dazi.net.lean import Answer, Broken, LeanClient
from dazi.net.rules import CLOUD_SECRETS, EgressForbidden, Origin, Rule, embedded
from dazi.net.sockets import connect

__all__ = [
    "CLOUD_SECRETS",
    "REDIRECTS",
    "Answer",
    "Broken",
    "Egress",
    "EgressForbidden",
    "Fetched",
    "LeanClient",
    "Origin",
    "Rule",
    "TooLarge",
    "connect",
    "embedded",
    "fetch",
]
