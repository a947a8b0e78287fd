"""Vectors of many texts, a few at a time, from a model that may be busy."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from dazi.core.engine import Embedder
from dazi.core.errors import OverloadError

AT_ONCE = 32
"""Texts of one request."""
TRIES = 5


@dataclass(frozen=True, slots=True)
class Embedding:
    model: Embedder

    async def of(self, texts: Sequence[str]) -> list[Sequence[float]]:
        """A vector for each. Raises what the model raises."""
        out: list[Sequence[float]] = []
        for first in range(0, len(texts), AT_ONCE):
            out += await self._of(texts[first : first + AT_ONCE])
        return out

    async def _of(self, texts: Sequence[str]) -> Sequence[Sequence[float]]:
        """A server that is busy or starting is asked again; work is not lost by a hiccup."""
        for attempt in range(TRIES):
            try:
                return (await self.model.embed(texts)).vectors
            except OverloadError as e:
                if attempt == TRIES - 1:
                    raise
                await asyncio.sleep(e.retry_after * 2**attempt)
        raise AssertionError
