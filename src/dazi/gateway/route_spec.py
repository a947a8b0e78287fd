"""A route with what it takes and gives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dazi.gateway.door import Entry, Handler


@dataclass(frozen=True, slots=True)
class RouteSpec:
    """A route. ``turns``: it runs the assistant, so it needs one of the places; ``statuses``: what
    may come back but success; ``headers``: those that mean something here; ``entry``: who is let
    in. ``query``: parameters of the address with their JSON schemas, those in ``needs`` required;
    ``takes_file``: the body is a file; ``files``: content types of the file that it answers with;
    ``success``: the status of a good answer; ``cross_origin``: asked by pages of the company's other
    sites, each of which names their origins."""

    method: str
    path: str
    handler: Handler
    summary: str
    answer: type | None = None
    body: type | None = None
    statuses: tuple[int, ...] = (401,)
    turns: bool = False
    streams: bool = False
    entry: Entry = "key"
    headers: Mapping[str, str] = field(default_factory=dict, hash=False)
    query: Mapping[str, Mapping[str, Any]] = field(default_factory=dict, hash=False)
    needs: tuple[str, ...] = ()
    takes_file: bool = False
    files: tuple[str, ...] = ()
    success: int = 200
    cross_origin: bool = False
