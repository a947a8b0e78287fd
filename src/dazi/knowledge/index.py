"""The index of all chunks, as everybody but its implementations sees it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from dazi.knowledge.chunks import Chunk


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk to be found. ``readers``: labels such as ``role:staff``, ``user:li`` or ``all``; whoever
    has one of them may know of it. ``revision`` counts how often its document was read anew: an
    earlier one stays until the next is complete. ``vector``: its embedding, where there is a model."""

    tenant: str
    document: str
    chunk: Chunk
    title: str
    readers: frozenset[str]
    revision: int = 1
    vector: Sequence[float] | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, by whom: ``labels`` are all that the person has."""

    text: str
    tenant: str
    labels: frozenset[str]
    documents: frozenset[str] = frozenset()
    """Only in these; in all where there are none."""
    vector: Sequence[float] | None = None
    """The embedding of ``text``, for ``nearest``."""


@dataclass(frozen=True, slots=True)
class Hit:
    """``score`` compares hits of one search only."""

    document: str
    title: str
    chunk: Chunk
    score: float
    revision: int = 1


class KnowledgeIndex(Protocol):
    """Rights are part of each query: what a person may not read is neither found nor counted.

    What is added or deleted shows once ``commit`` has returned, and outlives the process.
    """

    async def add(self, entries: Sequence[Entry]) -> None: ...

    async def delete(
        self,
        tenant: str,
        documents: Collection[str],
        *,
        revision: int | None = None,
        since: int = 0,
    ) -> None:
        """All chunks of ``documents``; only those of ``revision``, and from the ordinal ``since`` on."""
        ...

    async def commit(self) -> None: ...

    async def search(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        """By words, best first."""
        ...

    async def nearest(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        """By vectors, nearest first; ``[]`` where ``wanted`` has none or none were added."""
        ...

    async def read(
        self, tenant: str, document: str, labels: frozenset[str], first: int = 0, limit: int = 1000
    ) -> list[Hit]:
        """The chunks of a document from the ordinal ``first`` on, in their order; score 0."""
        ...

    async def entries(self, tenant: str, document: str) -> list[Entry]:
        """All that was added of a document, whoever may read it: to add it again otherwise."""
        ...

    async def unembedded(self, tenant: str) -> list[str]:
        """Documents with chunks that have no vector of the index's model, as all have after a change
        of the model: to be added again. None where the index has no model."""
        ...

    async def count(self, tenant: str, labels: frozenset[str]) -> int:
        """Chunks that whoever has ``labels`` may read."""
        ...

    async def size(self) -> int:
        """Chunks of all tenants."""
        ...

    async def frequencies(
        self, tenant: str, labels: frozenset[str], terms: Collection[str]
    ) -> dict[str, int]:
        """Of each word or pair of hanzi (``terms.words``, ``terms.pairs``), how many readable chunks
        hold it in their text."""
        ...

    async def purge(self) -> None:
        """What was deleted is on no disk any more; takes as long as adding everything again."""
        ...

    async def release(self) -> None:
        """Let other processes write. Raises nothing if this one does not."""
        ...

    async def close(self) -> None: ...
