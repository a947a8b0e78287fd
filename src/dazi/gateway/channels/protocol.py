"""What a messaging channel is: a vendor's callbacks in, its messages out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol, runtime_checkable

from dazi.core.errors import AccessError, OperatorError
from dazi.core.messages import Image


@dataclass(frozen=True, slots=True)
class Callback:
    """A vendor's request as it came. ``query`` has the last value of each name, ``headers`` have
    names in lower case; ``part`` is what stands behind the channel in the address."""

    method: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    part: str = ""


@dataclass(frozen=True, slots=True)
class Click:
    """A button of a card: what was decided of which ticket."""

    ticket: str
    approve: bool


Kind = Literal["text", "click", "other"]
"""``other``: something that is not read here, such as a voice message."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message that a vendor vouches for.

    ``id``: the same for each redelivery. ``sender``: the vendor's name for whoever sent it.
    ``created``: the vendor's time, in seconds since the epoch. ``pictures``: what the vendor calls
    them. ``reply_to``: what an answer needs beside the sender (an address, a code for a card).
    """

    id: str
    sender: str
    created: float
    kind: Kind = "text"
    text: str = ""
    conversation: str = ""
    pictures: tuple[str, ...] = ()
    click: Click | None = None
    group: bool = False
    reply_to: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Reply:
    """What a callback is answered with at once."""

    body: bytes = b""
    content_type: str = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Received:
    messages: tuple[Incoming, ...] = ()
    reply: Reply = field(default_factory=Reply)


@dataclass(frozen=True, slots=True)
class Card:
    """A request to decide. ``fields`` are the exact canonical arguments with their labels; ``task``
    names this card, and begins with its ticket."""

    task: str
    ticket: str
    title: str
    fields: tuple[tuple[str, str], ...]
    note: str
    approve: str
    reject: str

    @property
    def text(self) -> str:
        """All of it in words."""
        lines = [self.title, *(f"{label}:{value}" for label, value in self.fields), self.note]
        return "\n".join(line for line in lines if line)


@dataclass(frozen=True, slots=True)
class Part:
    """One message that goes out: words, or a card, or the end of a card that was clicked
    (``settles``: its task; ``text`` says what became of it)."""

    text: str = ""
    card: Card | None = None
    settles: str = ""


@dataclass(frozen=True, slots=True)
class Address:
    """``user``: the vendor's name for the person. ``reply_to``: as in ``Incoming``."""

    user: str
    reply_to: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limits:
    """``text_bytes``: of one message. The others: messages that may be sent, to one person in a
    minute and in an hour, and by the application in a day; 0: not counted."""

    text_bytes: int
    per_minute: int = 0
    per_hour: int = 0
    per_day: int = 0


class Forged(AccessError):
    """Not from the vendor, too old, or not for us. All reasons look alike from outside; ``why`` is
    for the log."""

    def __init__(self, why: str) -> None:
        super().__init__("signature", "签名校验没有通过", "the signature does not hold")
        self.why = why


class Undelivered(OperatorError):
    """The vendor has not taken a message, for certain. ``retry_after``: when to try again, in
    seconds; ``None``: it will never be taken."""

    def __init__(self, code: str, why: str, retry_after: float | None) -> None:
        super().__init__(code, f"消息没有发出:{why}", f"the message was not sent: {why}")
        self.retry_after = retry_after


class Uncertain(OperatorError):
    """A message may have gone out or not: it was handed over, and no answer came."""

    def __init__(self, why: str) -> None:
        super().__init__("uncertain", f"消息不知道有没有发出:{why}", f"sent or not: {why}")


class Channel(Protocol):
    """One configured application at a vendor."""

    @property
    def name(self) -> str:
        """As in ``channels.yaml``; the principal's channel."""

    @property
    def limits(self) -> Limits: ...

    def read(self, callback: Callback) -> Received:
        """Verify, decrypt and take apart. Nothing of a body is parsed before it is verified. Raises
        ``Forged``, and ``NotFound`` for a ``part`` that this vendor does not have."""

    def passive(self, message: Incoming, text: str) -> Reply | None:
        """The answer to a callback that itself carries ``text``; ``None`` where the vendor has no
        such thing."""

    def shows_all(self, card: Card) -> bool:
        """Is there room on the vendor's card for every field? What does not fit goes before it in
        words."""

    async def send(self, to: Address, part: Part) -> None:
        """Raises ``Undelivered`` and ``Uncertain``."""

    async def picture(self, name: str) -> Image:
        """Raises ``Undelivered``, and ``BadField`` for what is no picture that a model takes."""

    async def profile(self, user: str) -> Mapping[str, str]:
        """What the vendor tells of a person: ``userid`` and, where it may, ``email`` and others.
        Raises ``Undelivered``."""

    async def check(self) -> None:
        """Is there a token to be had? Raises ``Undelivered``."""

    async def close(self) -> None: ...


@runtime_checkable
class SignsIn(Protocol):
    """A vendor in whose browser people can sign in here."""

    def sign_in_url(self, redirect: str, state: str) -> str: ...

    async def signed_in(self, code: str) -> str:
        """The vendor's name of whom a code stands for; empty for somebody from outside. Raises
        ``Undelivered`` and ``Uncertain``."""
