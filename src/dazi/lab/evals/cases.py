"""Cases of a function-calling evaluation: what is said, and what is right."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal

from dazi.core.engine import OfferedTool
from dazi.core.language import Language, language_of
from dazi.core.messages import Message

Approval = Literal["approve", "reject"]


@dataclass(frozen=True, slots=True)
class ExpectedCall:
    name: str
    arguments: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class CaseTurn:
    """What is said and what is right. ``accepted`` are lists of calls, ``expect`` first, then the
    alternatives. Of each entry of ``reply_has`` one text must be in the reply."""

    said: str
    accepted: tuple[tuple[ExpectedCall, ...], ...]
    optional: frozenset[str] = frozenset()
    forbidden: bool = False
    approval: Approval | None = None
    reply_has: tuple[tuple[str, ...], ...] = ()
    reply_lacks: tuple[str, ...] = ()

    @property
    def expect(self) -> tuple[ExpectedCall, ...]:
        return self.accepted[0]


@dataclass(frozen=True, slots=True)
class Earlier:
    """A message before the one that is evaluated; ``tool`` and ``result`` if a tool answered."""

    message: Message
    tool: str = ""
    result: Any = None


@dataclass(frozen=True, slots=True)
class Case:
    """``today`` is ``None`` for the day it is; ``source`` is file and line. ``tools``: offered in
    place of the company's, never run; such a case needs no ``role``."""

    id: str
    role: str
    today: date | None
    turns: tuple[CaseTurn, ...]
    dialogue: bool = False
    history: tuple[Earlier, ...] = ()
    instructions: str = ""
    source: str = ""
    tools: tuple[OfferedTool, ...] = ()

    @property
    def language(self) -> Language:
        return language_of(self.turns[0].said)
