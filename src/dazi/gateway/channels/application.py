"""What a channel of any vendor is made of: its configuration, a clock, the vendor's interface and a
token for it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from base64 import b64encode
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from dazi.core.messages import Image
from dazi.gateway.channels.protocol import Forged, Limits, Uncertain, Undelivered
from dazi.gateway.channels.vendor import Answer, Token, Tokens, Vendor
from dazi.gateway.images import LARGEST, image_of

MENDED_S = 60.0
"""After a refusal of the application itself (a secret, a right, a trusted address) somebody may have
mended it by then."""
APPROVE, REJECT = "approve", "reject"
"""What the buttons of cards are called."""
MOST_PICTURE = LARGEST + 1


class Configured(Protocol):
    @property
    def name(self) -> str: ...

    @property
    def limits(self) -> Limits: ...


C = TypeVar("C", bound=Configured)


class Application(ABC, Generic[C]):
    """``clock``: seconds since the epoch."""

    def __init__(self, config: C, origins: tuple[str, ...], clock: Callable[[], float]) -> None:
        """``origins`` may be reached. Raises ``ValueError`` for an address that is none."""
        self.config = config
        self._clock = clock
        self._vendor = Vendor(*origins)
        self._tokens = Tokens(self._fetch_token)

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def limits(self) -> Limits:
        return self.config.limits

    @abstractmethod
    async def _fetch_token(self) -> Token:
        """Raises ``Undelivered``."""

    async def check(self) -> None:
        try:
            await self._tokens.get()
        except Uncertain as e:
            raise Undelivered("token", e.text.en, 5.0) from None

    async def close(self) -> None:
        await self._vendor.close()


def fresh(text: str, now: float, within: float, per_second: int = 1) -> float:
    """The time that ``text`` tells, in so many parts of a second, as seconds since the epoch. Raises
    ``Forged`` for what is none, or too far from ``now``."""
    if not (text.isascii() and text.isdigit() and len(text) < 15):
        raise Forged("timestamp")
    at = int(text) / per_second
    if abs(now - at) > within:
        raise Forged("age")
    return at


def picture_in(answer: Answer) -> Image:
    """Raises ``BadField`` for what is no picture that a model takes."""
    kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
    return image_of(f"data:{kind};base64,{b64encode(answer.body).decode()}", "picture")
