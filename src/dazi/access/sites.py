"""Sites of the company's own on which strangers and its customers talk to the assistant."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Literal

from dazi.core.language import Text

Algorithm = Literal["HS256", "RS256", "ES256", "EdDSA"]
CHANNEL = "widget"
SIGNED, GUEST = "site", "guest"
"""How names of visitors begin. No account's name has a colon, so nobody is mistaken for one."""
_NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Signing:
    """How a site's server vouches for a visitor: always with this one algorithm. ``key`` reads the
    secret or the public key in PEM each time, so that a new one needs no restart; it raises
    ``OperatorError`` where there is none."""

    algorithm: Algorithm
    key: Callable[[], bytes] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Site:
    """``origins``: of pages that may ask, exactly as a browser writes them. ``guests``: what roles
    somebody has of whom nothing is known, ``None``: they are not let in. ``roles``: of those that the
    site's server vouches for, and ``attributes`` the names that it may tell of them. ``per_visitor``
    and ``per_address``: messages a minute; ``guest_s``: how long a stranger is known for."""

    name: str
    origins: frozenset[str]
    title: Text
    welcome: Text
    guests: frozenset[str] | None = None
    guest_attributes: Mapping[str, str] = field(default_factory=lambda: _NOTHING)
    signing: Signing | None = None
    roles: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()
    hand_over: bool = False
    per_visitor: int = 10
    per_address: int = 60
    guest_s: float = 12 * 3600.0
