"""The index in a Milvus server, for libraries that one machine's folder is too small for.

Words and vectors are collections of their own, so that chunks are found by words whatever model is
set. A row of words decides: what a person may read, and whether there is a chunk at all. A row of
vectors only says who is looked at more closely.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.milvus_rows import (
    Added,
    Deleted,
    Row,
    added,
    allowed,
    asked_terms,
    digest,
    expressions,
    holds,
    kept_in,
    of_document,
    slices,
    space_digest,
    with_ids,
)
from dazi.knowledge.milvus_server import ANSWER_S, WORDS, WRITE_S, MilvusAddress, MilvusServer
from dazi.knowledge.tantivy_documents import hit_of
from dazi.knowledge.vectors import VectorSpace, direction

MOST = 16_384
"""Rows of one answer, as Milvus has it."""
WRITTEN = 200
READ = 1_000
"""Rows of one request: some megabytes."""
NAMES = 4_000
CLOSER = 10
"""So many rows more than are wanted are looked at: a chunk may have changed since."""
T = TypeVar("T")


@dataclass(slots=True)
class _Pending:
    """What the next commit does. A deletion takes what was added before it at once; so all deletions
    can come together, and what is added is theirs no more."""

    added: dict[str, Added] = field(default_factory=dict)
    deleted: dict[Deleted, None] = field(default_factory=dict)


class MilvusIndex:
    """Implements ``index.KnowledgeIndex``. Several processes may write.

    ``vectors``: of which model they are; without, none are taken, and ``nearest`` finds nothing.
    Nothing is asked of the server before it is needed: what asks then raises ``OperatorError`` while
    it does not answer. What was added or deleted is in memory until ``commit``; ``release`` forgets it.
    """

    def __init__(self, address: MilvusAddress, vectors: VectorSpace | None = None) -> None:
        self._space = vectors
        self._own = space_digest(vectors)
        self._server = MilvusServer(address, vectors)
        self._pending = _Pending()
        self._alone = asyncio.Lock()

    async def add(self, entries: Sequence[Entry]) -> None:
        await self._server.call(lambda client: None)  # else much would be read for nothing
        made = await asyncio.to_thread(lambda: [added(e, self._space) for e in entries])
        async with self._alone:
            self._pending.added |= {a.row["id"]: a for a in made}

    async def delete(
        self,
        tenant: str,
        documents: Collection[str],
        *,
        revision: int | None = None,
        since: int = 0,
    ) -> None:
        async with self._alone:
            kept = self._pending.added
            for number in documents:
                gone = Deleted(digest(tenant), digest(number), revision, since)
                kept = {i: a for i, a in kept.items() if not gone.takes(a.row)}
                self._pending.deleted[gone] = None
            self._pending.added = kept

    async def commit(self) -> None:
        """New rows first, deletions then: after a kill in between there is too much, which doing the
        same again takes away, and never too little."""
        async with self._alone:
            pending = self._pending
            if pending.added or pending.deleted:
                await self._server.call(lambda client: self._commit(client, pending))
            self._pending = _Pending()

    async def search(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        expression = allowed(wanted.tenant, wanted.labels, wanted.documents)
        terms = await asyncio.to_thread(asked_terms, wanted.text)
        if expression is None or not terms or limit < 1:
            return []

        def work(client: Any) -> list[Hit]:
            (found,) = client.search(
                WORDS,
                data=[terms],
                anns_field="weights",
                filter=expression,
                limit=min(limit, MOST),
                output_fields=["kept"],
                timeout=ANSWER_S,
            )
            # Never negative in BM25, and so with Milvus; milvus-lite turns the sign around.
            return [hit_of(kept_in(f["entity"]), abs(float(f["distance"]))) for f in found]

        return await self._server.call(work)

    async def nearest(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        """By cosine, 1 at most. Raises ``OperatorError`` for a vector of another model."""
        if self._space is None or wanted.vector is None:
            return []
        asked = direction(wanted.vector, self._space)
        expression = allowed(wanted.tenant, wanted.labels, wanted.documents)
        if expression is None or limit < 1:
            return []

        def work(client: Any) -> list[Hit]:
            most = min(limit + CLOSER, MOST)
            while True:
                near = self._near(client, asked, expression, most)
                hits = self._shown(client, expression, near)
                if len(hits) >= limit or len(near) < most or most == MOST:
                    return hits[:limit]
                most = min(most * 4, MOST)

        return await self._server.call(work)

    async def read(
        self, tenant: str, document: str, labels: frozenset[str], first: int = 0, limit: int = 1000
    ) -> list[Hit]:
        rights = allowed(tenant, labels, (document,))
        if rights is None:
            return []
        rows = await self._server.call(lambda client: _in_order(client, rights, first, limit))
        return [hit_of(kept_in(r), 0.0) for r in rows]

    async def entries(self, tenant: str, document: str) -> list[Entry]:
        def work(client: Any) -> list[Entry]:
            rows = _in_order(client, of_document(tenant, document), 0, None)
            vectors = self._vectors(client, [r["id"] for r in rows if self._has_own(r)])
            return [_entry(tenant, r, vectors.get(r["id"])) for r in rows]

        return await self._server.call(work)

    async def unembedded(self, tenant: str) -> list[str]:
        if self._space is None:
            return []
        left = f'tenant == "{digest(tenant)}" and space != "{self._own}"'

        def work(client: Any) -> list[str]:
            count = _count(client, left)
            found: set[str] = set()
            for part in slices(-(-count // NAMES)) if count else ():
                rows = _rows(client, WORDS, f"{left} and {part}", ["kept"])
                found |= {kept_in(r).document for r in rows}
            return sorted(found)

        return await self._server.call(work)

    async def count(self, tenant: str, labels: frozenset[str]) -> int:
        rights = allowed(tenant, labels)
        return 0 if rights is None else await self._server.call(lambda c: _count(c, rights))

    async def size(self) -> int:
        return await self._server.call(lambda c: _count(c, ""))

    async def frequencies(
        self, tenant: str, labels: frozenset[str], terms: Collection[str]
    ) -> dict[str, int]:
        rights = allowed(tenant, labels)
        if rights is None:
            return dict.fromkeys(terms, 0)

        def counting(term: str) -> Callable[[Any], int]:
            return lambda client: _count(client, f"{rights} and {holds(term)}")

        # Milvus makes each wait until it has seen all writes: together they wait once.
        counts = await asyncio.gather(*(self._server.call(counting(t)) for t in terms))
        return dict(zip(terms, counts, strict=True))

    async def purge(self) -> None:
        """Milvus is told to write its files anew; it removes the old ones itself, after the time that
        its garbage collection is set to (``dataCoord.gc.dropTolerance``)."""

        def work(client: Any) -> None:
            for name in (WORDS, *self._server.all_vectors(client)):
                client.flush(name, timeout=WRITE_S)
                client.compact(name, timeout=WRITE_S)

        await self._server.call(work)

    async def release(self) -> None:
        async with self._alone:
            self._pending = _Pending()

    async def close(self) -> None:
        await self.release()
        await self._server.close()

    def _commit(self, client: Any, pending: _Pending) -> None:
        rows = {i: a.row for i, a in pending.added.items()}
        vectors = {i: a.vector for i, a in pending.added.items() if a.vector is not None}
        gone: dict[str, set[str]] = {}
        if pending.deleted:
            # What is there now, and not what will be when it is deleted: another process may be
            # writing the same documents.
            kept = {WORDS: rows.keys(), self._server.vectors: vectors.keys()}
            for name in (WORDS, *self._server.all_vectors(client)):
                gone[name] = _taken(client, name, pending.deleted) - kept.get(name, set())
        _write(client, self._server.vectors, list(vectors.values()))
        _write(client, WORDS, list(rows.values()))
        for name, ids in gone.items():
            _drop(client, name, sorted(ids))

    def _near(self, client: Any, asked: Any, expression: str, most: int) -> dict[str, float]:
        """Of which rows the vectors are near, nearest first, and how near."""
        (found,) = client.search(
            self._server.vectors,
            data=[asked.tolist()],
            anns_field="vector",
            filter=expression,
            limit=most,
            search_params={"metric_type": "COSINE"},
            timeout=ANSWER_S,
        )
        return {f["id"]: float(f["distance"]) for f in found}

    def _shown(self, client: Any, expression: str, near: dict[str, float]) -> list[Hit]:
        """Their chunks, as far as the rows of words still allow."""
        hits: list[Hit] = []
        ids = list(near)
        for n in range(0, len(ids), READ):
            of_them = f'{expression} and space == "{self._own}" and {with_ids(ids[n : n + READ])}'
            for row in _rows(client, WORDS, of_them, ["id", "kept"]):
                hits.append(hit_of(kept_in(row), near[row["id"]]))
        return sorted(hits, key=lambda h: (-h.score, h.document, h.revision, h.chunk.ordinal))

    def _has_own(self, row: Row) -> bool:
        return self._space is not None and row["space"] == self._own

    def _vectors(self, client: Any, ids: Sequence[str]) -> dict[str, list[float]]:
        out = {}
        for n in range(0, len(ids), READ):
            part = with_ids(ids[n : n + READ])
            for row in _rows(client, self._server.vectors, part, ["id", "vector"]):
                out[row["id"]] = [float(x) for x in row["vector"]]
        return out


def _write(client: Any, name: str, rows: Sequence[Row]) -> None:
    for n in range(0, len(rows), WRITTEN):
        client.upsert(name, rows[n : n + WRITTEN], timeout=WRITE_S)


def _drop(client: Any, name: str, ids: Sequence[str]) -> None:
    for n in range(0, len(ids), READ):
        client.delete(name, ids=list(ids[n : n + READ]), timeout=WRITE_S)


def _taken(client: Any, name: str, deleted: Collection[Deleted]) -> set[str]:
    """The ids of the rows that deletions take."""
    out: set[str] = set()
    for expression in expressions(deleted):
        found = _rows(client, name, expression, ["id"])
        if len(found) == MOST:
            parts = slices(-(-_count(client, expression, name) // NAMES))
            found = [r for p in parts for r in _rows(client, name, f"{expression} and {p}", ["id"])]
        out |= {r["id"] for r in found}
    return out


def _rows(client: Any, name: str, expression: str, fields: list[str]) -> list[Row]:
    found: list[Row] = client.query(
        name, filter=expression, output_fields=fields, limit=MOST, timeout=ANSWER_S
    )
    return found


def _count(client: Any, expression: str, name: str = WORDS) -> int:
    (row,) = client.query(name, filter=expression, output_fields=["count(*)"], timeout=ANSWER_S)
    return int(row["count(*)"])


def _in_order(client: Any, expression: str, first: int, limit: int | None) -> list[Row]:
    """Milvus gives rows in no order: a range of ordinals after the other."""
    fields = ["id", "ordinal", "revision", "space", "kept"]
    out: list[Row] = []
    while limit is None or len(out) < limit:
        after = f"{expression} and ordinal >= {first:d}"
        rows = _rows(client, WORDS, f"{after} and ordinal < {first + READ:d}", fields)
        if not rows and not _count(client, after):
            break
        out += sorted(rows, key=lambda r: (r["ordinal"], r["revision"]))
        first += READ
    return out[:limit]


def _entry(tenant: str, row: Row, vector: Sequence[float] | None) -> Entry:
    k = kept_in(row)
    return Entry(tenant, k.document, k.chunk, k.title, k.readers, k.revision, vector)
