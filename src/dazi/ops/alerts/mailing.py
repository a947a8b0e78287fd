"""Alerts by mail. Who hands it over is wired where the company's mail server is known."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from dazi.ops.alerts.message import Message, plain, subject


@dataclass(frozen=True, slots=True)
class Letter:
    """``key``: the same for the same message, so that a repeated one can be recognised."""

    to: str
    subject: str
    body: str
    key: str


class Post(Protocol):
    async def hand_over(self, letter: Letter) -> None:
        """Raises ``NotSent``."""
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    to: tuple[str, ...]
    post: Post

    async def send(self, message: Message) -> None:
        for address in self.to:
            key = f"{message.what}:{message.group}:{message.at:.0f}:{address}"
            letter = Letter(address, subject(message), plain(message), key)
            await self.post.hand_over(letter)

    async def close(self) -> None:
        return None
