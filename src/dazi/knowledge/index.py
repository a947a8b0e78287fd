"""The index of all chunks, as everybody but its implementations sees it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from dazi.knowledge.chunks import Chunk


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk to be found. ``readers``: labels such as ``role:staff``, ``user:li`` or ``all``; whoever
    has one of them may know of it."""

    tenant: str
    document: str
    chunk: Chunk
    title: str
    readers: frozenset[str]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is looked for, by whom: ``labels`` are all that the person has."""

    text: str
    tenant: str
    labels: frozenset[str]
    documents: frozenset[str] = frozenset()
    """Only in these; in all where there are none."""


@dataclass(frozen=True, slots=True)
class Hit:
    """``score`` compares hits of one search only."""

    document: str
    title: str
    chunk: Chunk
    score: float


class KnowledgeIndex(Protocol):
    """Rights are part of each query: what a person may not read is neither found nor counted.

    What is added or deleted shows once ``commit`` has returned, and outlives the process.
    """

    async def add(self, entries: Sequence[Entry]) -> None: ...

    async def delete(self, tenant: str, documents: Collection[str]) -> None: ...

    async def commit(self) -> None: ...

    async def search(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        """Best first."""
        ...

    async def count(self, tenant: str, labels: frozenset[str]) -> int:
        """Chunks that whoever has ``labels`` may read."""
        ...

    async def close(self) -> None: ...
