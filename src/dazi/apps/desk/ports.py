"""What the desk needs of the rest, wired where everything is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from dazi.core.language import Language
from dazi.core.messages import Message
from dazi.core.principal import Principal
from dazi.core.tools import Tool


@dataclass(frozen=True, slots=True)
class Spoken:
    """A message of a conversation. ``at``: seconds since the epoch."""

    at: float
    message: Message


class Conversations(Protocol):
    """The customers' own threads, read and continued on their behalf."""

    async def read(self, customer: Principal, thread: str) -> Sequence[Spoken]:
        """In order; ``[]`` for none of theirs."""
        ...

    async def say(self, customer: Principal, thread: str, text: str) -> None: ...


class Look(Protocol):
    """A declared read tool, run through the router as ``principal``."""

    async def __call__(
        self, principal: Principal, tool: str, arguments: dict[str, str], language: Language
    ) -> str | None:
        """The result in words that cannot be wrong; ``None`` where there is none."""
        ...


class People(Protocol):
    def __call__(self, user: str, channel: str, tenant: str, /) -> Principal:
        """Raises ``AccessError`` where there is nobody of that name."""
        ...


class Visitors(Protocol):
    """People without an account, who talk to the assistant on a site of the company's own."""

    async def recall(self, user: str) -> None:
        """Have ``People`` know ``user``, if it is one of them."""
        ...

    def served(self, user: str) -> bool | None:
        """Does the desk look after the visitors of that site? ``None`` for accounts."""
        ...


class Nobody:
    """Where there are no such sites."""

    async def recall(self, user: str) -> None:
        return None

    def served(self, user: str) -> bool | None:
        return None


class Heard(Protocol):
    """Learns how customers' conversations went."""

    def handed_over(self, customer: Principal, thread: str) -> None: ...

    def rated(self, customer: Principal, thread: str, stars: int) -> None: ...


class Untold:
    """Where nobody wants to know."""

    def handed_over(self, customer: Principal, thread: str) -> None:
        return None

    def rated(self, customer: Principal, thread: str, stars: int) -> None:
        return None


class Wording(Protocol):
    async def __call__(self, text: str, language: Language) -> str:
        """The same in a few sentences; empty where no model can."""
        ...


@dataclass(frozen=True, slots=True)
class Parts:
    """``recognise`` gives a message's intent. ``order_tool``: with its parameter, where the company
    names one."""

    people: People
    conversations: Conversations
    look: Look
    recognise: Callable[[str], str]
    tools: Mapping[str, Tool]
    word: Wording | None = None
    visitors: Visitors = field(default_factory=Nobody)
    heard: Heard = field(default_factory=Untold)
