"""What pages of a site send, and what they are given."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from dazi.gateway.wire import Reader


class BeginBody(Struct, forbid_unknown_fields=True):
    """``token``: signed by the site's server, for somebody who has signed in there. ``visitor``: a
    token of ours from before, so that a stranger stays the same."""

    token: str = ""
    visitor: str = ""


class BegunView(Struct, frozen=True):
    """``token`` goes with every further request, until ``until`` (seconds since the epoch).
    ``guest``: a stranger; ``name``: as the site calls them. ``people``: a person can be asked for."""

    token: str
    until: int
    guest: bool
    name: str
    title: str
    welcome: str
    people: bool
    label: str
    longest: int


class MessageBody(Struct, forbid_unknown_fields=True):
    """``key``: the same message with it again is the same one."""

    text: str
    key: str = ""


class DecisionBody(Struct, forbid_unknown_fields=True):
    ticket: str
    approve: bool


class HandOverBody(Struct, forbid_unknown_fields=True):
    text: str = ""


class RatingBody(Struct, forbid_unknown_fields=True):
    """``stars``: 1 to 5."""

    stars: int
    comment: str = ""


class TakenView(Struct, frozen=True):
    """What was asked for goes on: hear it at ``/events?stream=STREAM&after=AFTER``."""

    stream: str
    after: int


class SaidView(Struct, frozen=True, omit_defaults=True):
    """``who``: visitor, assistant, person or call; of a call ``outcome`` says how it went."""

    who: str
    text: str
    at: int
    outcome: str = ""


class DeskView(Struct, frozen=True):
    """``holder``: who answers now, assistant or person. ``ratable``: the visitor may rate."""

    ticket: str = ""
    state: str = ""
    holder: str = "assistant"
    ratable: bool = False


class ThumbBody(Struct, forbid_unknown_fields=True):
    """``thumb``: up, down, or none to take it back. ``turn``: that the event ``end`` named."""

    turn: str
    thumb: str
    reason: str = ""
    comment: str = ""
    consent: bool = False


class ConversationView(Struct, frozen=True):
    """``running``: an answer to ``said`` is being made, whose events begin behind ``after``.
    ``waiting``: calls that wait for the visitor's word or, with ``approver``, somebody else's.
    ``mark``: changes with what is shown here."""

    stream: str
    after: int
    running: bool
    said: str
    messages: list[SaidView]
    waiting: list[dict[str, Any]]
    desk: DeskView
    mark: str
    watch: bool = field(default=False)
    """Somebody else may say or decide something: it is worth listening."""


BEGIN, MESSAGE, DECISION = Reader(BeginBody), Reader(MessageBody), Reader(DecisionBody)
HAND_OVER, RATING = Reader(HandOverBody), Reader(RatingBody)
FEEDBACK = Reader(ThumbBody)
