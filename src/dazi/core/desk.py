"""What the service desk is to the tools and to the assistant, who are below it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dazi.core.language import Language
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class TicketRequest:
    """``key``: a second request with it is the first one's ticket. ``thread``: where it was asked for.
    ``heard``: what the person said there, latest first; ``evidence``: the turn's earlier results,
    ``{"name", "arguments", "result"}`` each."""

    principal: Principal
    title: str
    priority: str
    key: str
    thread: str = ""
    heard: tuple[str, ...] = ()
    evidence: tuple[Mapping[str, Any], ...] = ()


@dataclass(frozen=True, slots=True)
class FiledTicket:
    id: str
    title: str
    priority: str


class TicketDesk(Protocol):
    async def file(self, request: TicketRequest) -> FiledTicket:
        """Raises ``CallerError`` for a request that says nothing."""
        ...


class ThreadHolder(Protocol):
    """Whether a person has a conversation in the assistant's place."""

    async def held(self, principal: Principal, thread: str, text: str, language: Language) -> str:
        """What to say to ``text`` while a person has it, who is given ``text``; else empty."""
        ...
