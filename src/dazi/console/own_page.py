"""A page for whoever is signed in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from fastapi import Request

from dazi.console.state import Scene

BUILD_S = 10.0


@dataclass(frozen=True, slots=True)
class OwnPage:
    """A page for whoever is signed in. ``nothing`` is drawn where ``draw`` finds none of what the
    address names; ``watches``: it looks after the end of the session itself."""

    path: str
    draw: Callable[[Scene, Request], Awaitable[None]]
    nothing: Callable[[Scene], None] | None = None
    watches: bool = False
    within_s: float = BUILD_S
