"""Reading what is written in pictures, for models that see none."""

from __future__ import annotations

from typing import Protocol

from dazi.core.messages import Image


class PictureReader(Protocol):
    async def read(self, image: Image) -> str:
        """The text in ``image``; empty where there is none. Raises ``CallerError`` for what is no
        picture that can be opened."""
        ...
