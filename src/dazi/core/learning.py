"""What can be learned from use, told by rooms that know nothing of how.

Whoever tells does not wait, and what goes wrong with the learning is none of theirs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dazi.core.language import Language
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class Ended:
    """A turn that has ended. ``said`` is empty where it went on after a decision. ``outcomes``: of each
    call, with the label of where its result comes from (``document:search_knowledge``)."""

    principal: Principal
    thread: str
    turn: str
    said: str
    answer: str
    language: Language
    outcomes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Right:
    """What whoever rejects a call says of it: the arguments that would have been right, if they know
    them, and whether it may be learned from."""

    arguments: Mapping[str, Any] | None = None
    consent: bool = False


@dataclass(frozen=True, slots=True)
class TurnedDown:
    """A proposed call that ``by`` said no to, of the person ``user``. ``right``: the arguments that
    would have been right, where they said; ``consent``: that it may be learned from."""

    by: Principal
    user: str
    thread: str
    turn: str
    call: str
    tool: str
    arguments: Mapping[str, Any]
    reason: str
    right: Mapping[str, Any] | None = None
    consent: bool = False


@dataclass(frozen=True, slots=True)
class Drafted:
    """A reply that ``by`` was offered for the ticket ``ticket`` of ``user``, who asked ``question``."""

    by: Principal
    ticket: str
    user: str
    thread: str
    question: str
    text: str


@dataclass(frozen=True, slots=True)
class Sent:
    """What ``by`` wrote to whose ticket it is."""

    by: Principal
    ticket: str
    text: str


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A conversation of ``user`` that went to a person. ``asked``: what they said last."""

    user: str
    tenant: str
    channel: str
    thread: str
    asked: str


class Learner(Protocol):
    def ended(self, turn: Ended) -> None: ...

    def turned_down(self, call: TurnedDown) -> None: ...

    def drafted(self, draft: Drafted) -> None: ...

    def sent(self, sent: Sent) -> None: ...

    def handed_over(self, conversation: HandedOver) -> None: ...
