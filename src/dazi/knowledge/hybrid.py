"""Passages for a question: by words and by meaning, in one order, none twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace

from dazi.core.engine import Embedder, Reranker
from dazi.core.errors import DaziError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.duplicates import distinct
from dazi.knowledge.fusion import fused
from dazi.knowledge.index import Hit, KnowledgeIndex, Wanted

DEPTH = 30
"""So many of each ranking are looked at."""
RERANKED = 20
"""So many of the best are read again by the reranker."""


@dataclass(frozen=True, slots=True)
class Found:
    """``missing``: why vectors or the reranker had no part in it, where they should have had."""

    hits: list[Hit]
    missing: tuple[DaziError, ...] = ()


class Hybrid:
    """Search with whatever models there are; with none, by words."""

    def __init__(
        self,
        index: KnowledgeIndex,
        embedder: Embedder | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._index = index
        self._embedder = embedder
        self._reranker = reranker

    async def find(self, wanted: Wanted, limit: int = 10) -> Found:
        """A model that does not answer leaves the order to the rest. Raises what the index raises."""
        words, near = await asyncio.gather(
            self._index.search(wanted, max(DEPTH, limit)), self._near(wanted, limit)
        )
        missing: list[DaziError] = []
        if isinstance(near, DaziError):
            missing.append(near)
            near = []
        hits = distinct(fused(words, near))
        if self._reranker is not None and len(hits) > 1:
            try:
                hits = await self._again(self._reranker, wanted.text, hits)
            except DaziError as e:
                missing.append(e)
        return Found(hits[:limit], tuple(missing))

    async def _near(self, wanted: Wanted, limit: int) -> list[Hit] | DaziError:
        if self._embedder is None or not wanted.text.strip():
            return []
        try:
            made = await self._embedder.embed([wanted.text], asked=True)
            asked = replace(wanted, vector=made.vectors[0])
            return await self._index.nearest(asked, max(DEPTH, limit))
        except DaziError as e:
            return e

    async def _again(self, reranker: Reranker, text: str, hits: Sequence[Hit]) -> list[Hit]:
        first = list(hits[:RERANKED])
        scores = await reranker.rank(text, [passage_text(h.title, h.chunk) for h in first])
        order = sorted(range(len(first)), key=lambda i: -scores[i])
        return [*(replace(first[i], score=scores[i]) for i in order), *hits[RERANKED:]]


def passage_text(title: str, chunk: Chunk) -> str:
    """What a model reads of a passage: its words under what stands above them."""
    above = " / ".join(part for part in (title, *chunk.path) if part)
    return f"{above}\n{chunk.text}" if above else chunk.text
