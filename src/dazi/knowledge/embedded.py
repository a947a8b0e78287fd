"""The index in one folder of this machine: tantivy for words and rows of bytes for vectors, in a
thread so that nobody waits.

One process writes at a time; others see what it has committed.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import tantivy
from tantivy import Document, Occur, Order, Query

from dazi.core.errors import OperatorError
from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.tantivy_documents import (
    SPACES,
    Kept,
    Queries,
    count_of,
    document_of,
    every,
    hit_of,
    kept_in,
    make_schema,
    without,
)
from dazi.knowledge.terms import pairs, words
from dazi.knowledge.vector_part import VectorPart
from dazi.knowledge.vectors import VectorSpace

HEAP_BYTES = 64 << 20
"""What the writer holds before it writes a segment."""
WORDS, PAIRS, HEADS = 1.0, 1.0, 1.0
"""Weights of the words of a text, of its pairs of hanzi, and of the words above it."""
MOST_ENTRIES = 1_000_000
"""Chunks of one document: more than ``parsing.ParseLimits`` lets any have."""
_AT_ONCE = 1000
T = TypeVar("T")


class EmbeddedIndex:
    """Implements ``index.KnowledgeIndex``. ``folder`` is made if it is not there.

    ``vectors``: of which model they are; without, none are taken, and ``nearest`` finds nothing.
    After a change of the model words find all that they found, and vectors what has been added
    again (``unembedded``). Raises ``OperatorError`` for a folder that another version wrote.
    """

    def __init__(self, folder: Path, vectors: VectorSpace | None = None) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._schema = make_schema()
        self._queries = Queries(self._schema)
        self._index = _opened(self._schema, folder)
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer(SPACES, spaces)
        self._vectors = (
            VectorPart(folder / "vectors", vectors, self._queries) if vectors is not None else None
        )
        self._meta = folder / "meta.json"
        self._seen = 0
        self._writer: Any = None
        self._looked = False
        self._alone = asyncio.Lock()

    async def add(self, entries: Sequence[Entry]) -> None:
        await self._write(partial(self._add, entries))

    async def delete(
        self,
        tenant: str,
        documents: Collection[str],
        *,
        revision: int | None = None,
        since: int = 0,
    ) -> None:
        await self._write(partial(self._delete, tenant, documents, revision, since))

    async def commit(self) -> None:
        await self._write(self._commit)

    async def search(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        return await asyncio.to_thread(self._search, wanted, limit)

    async def nearest(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        """Exact: by cosine, 1 at most. Raises ``OperatorError`` for a vector of another model."""
        if self._vectors is None:
            return []
        if not self._looked:
            await self._mend(self._vectors)
        return await asyncio.to_thread(
            lambda part: part.nearest(self._fresh(), wanted, limit), self._vectors
        )

    async def unembedded(self, tenant: str) -> list[str]:
        if self._vectors is None:
            return []
        return await asyncio.to_thread(self._unembedded, tenant, self._vectors.own)

    async def read(
        self, tenant: str, document: str, labels: frozenset[str], first: int = 0, limit: int = 1000
    ) -> list[Hit]:
        query = every(
            self._queries.allowed(tenant, labels),
            self._queries.of_document(tenant, document, since=first),
        )
        found = await asyncio.to_thread(self._in_order, query, limit)
        return [hit_of(kept_in(d), 0.0) for d in found]

    async def entries(self, tenant: str, document: str) -> list[Entry]:
        query = self._queries.of_document(tenant, document)
        found = await asyncio.to_thread(self._in_order, query, MOST_ENTRIES)
        return [self._entry(tenant, kept_in(d), d) for d in found]

    async def frequencies(
        self, tenant: str, labels: frozenset[str], terms: Collection[str]
    ) -> dict[str, int]:
        return await asyncio.to_thread(
            self._frequencies, self._queries.allowed(tenant, labels), terms
        )

    async def count(self, tenant: str, labels: frozenset[str]) -> int:
        query = self._queries.allowed(tenant, labels)
        return await asyncio.to_thread(self._counted, query)

    async def size(self) -> int:
        return int(await asyncio.to_thread(lambda: self._fresh().num_docs))

    async def purge(self) -> None:
        if await asyncio.to_thread(self._leftovers):
            await self._write(self._purge)

    async def release(self) -> None:
        async with self._alone:
            if self._writer is not None:
                await asyncio.to_thread(self._writer.wait_merging_threads)
                self._writer = None

    async def close(self) -> None:
        await self.release()

    async def _write(self, work: Callable[[], T]) -> T:
        async with self._alone:
            if self._writer is None:
                self._writer = await asyncio.to_thread(self._open_writer)
            return await asyncio.to_thread(work)

    async def _mend(self, vectors: VectorPart) -> None:
        """Rows are made again where the files are gone, unless another process is writing: then they
        are there, or it does so."""
        self._looked = True
        searcher = self._fresh()
        if self._writer is None and not await asyncio.to_thread(vectors.whole, searcher):
            try:
                await self._write(lambda: None)
            except OperatorError:
                return
            await self.release()

    def _open_writer(self) -> Any:
        try:
            writer = self._index.writer(HEAP_BYTES, 1)
        except ValueError as e:
            raise OperatorError(
                "index_busy",
                f"知识索引正由另一个进程写入,请稍后再试({e})",
                f"another process is writing to the knowledge index; try again later ({e})",
            ) from None
        if self._vectors is not None:
            self._index.reload()
            self._vectors.begin(self._fresh())
        return writer

    def _add(self, entries: Sequence[Entry]) -> None:
        documents = [document_of(e) for e in entries]
        if self._vectors is not None:
            for document, entry in zip(documents, entries, strict=True):
                self._vectors.add(document, entry)
        for document in documents:
            self._writer.add_document(document)

    def _delete(
        self, tenant: str, documents: Collection[str], revision: int | None, since: int
    ) -> None:
        for number in documents:
            query = self._queries.of_document(tenant, number, revision, since)
            self._writer.delete_documents_by_query(query)
            if self._vectors is not None:
                searcher = self._fresh()
                self._vectors.delete(searcher, tenant, number, revision, since)

    def _commit(self) -> None:
        if self._vectors is not None:
            self._vectors.before()
        self._writer.commit()
        self._index.reload()
        if self._vectors is not None:
            self._vectors.after()

    def _fresh(self) -> tantivy.Searcher:
        """What has been committed up to now, by whatever process."""
        changed = self._meta.stat().st_mtime_ns if self._meta.exists() else 0
        if changed != self._seen:
            self._index.reload()
            self._seen = changed
        return self._index.searcher()

    def _leftovers(self) -> int:
        """Chunks that are deleted and still in the files."""
        if not self._meta.exists():
            return 0
        segments = json.loads(self._meta.read_bytes())["segments"]
        return sum((s.get("deletes") or {}).get("num_deleted_docs", 0) for s in segments)

    def _purge(self) -> None:
        """All that is there is written anew, into files of its own. Before the commit nothing has
        changed; until then the old files stay readable."""
        self._commit()
        searcher = self._fresh()
        every_one = searcher.search(Query.all_query(), max(searcher.num_docs, 1), count=False).hits
        self._writer.delete_all_documents()
        if self._vectors is not None:
            self._vectors.leave_all(searcher)
        for first in range(0, len(every_one), _AT_ONCE):
            kept = [searcher.doc(a) for _, a in every_one[first : first + _AT_ONCE]]
            self._add([self._entry(str(d.get_first("tenant")), kept_in(d), d) for d in kept])
        self._commit()
        self._writer.garbage_collect_files()

    def _search(self, wanted: Wanted, limit: int) -> list[Hit]:
        terms = self._terms(wanted.text)
        if not terms:
            return []
        allowed = self._queries.allowed(wanted.tenant, wanted.labels, wanted.documents)
        matching = Query.boolean_query([(Occur.Should, t) for t in terms])
        query = every(allowed, matching)
        searcher = self._fresh()
        found = searcher.search(query, limit, count=False)
        return [hit_of(kept_in(searcher.doc(a)), score) for score, a in found.hits]

    def _terms(self, text: str) -> list[Query]:
        out = []
        for field, given, weight in (
            ("words", words(text), WORDS),
            ("pairs", pairs(text), PAIRS),
            ("heads", words(text), HEADS),
        ):
            for term in dict.fromkeys(given):
                query = Query.term_query(self._schema, field, term, "freq")
                out.append(Query.boost_query(query, weight))
        return out

    def _in_order(self, query: Query, limit: int) -> list[Document]:
        searcher = self._fresh()
        found = searcher.search(query, limit, order_by_field="ordinal", order=Order.Asc)
        return [searcher.doc(address) for _, address in found.hits]

    def _entry(self, tenant: str, k: Kept, document: Document) -> Entry:
        vector = self._vectors.vector_of(document) if self._vectors is not None else None
        return Entry(tenant, k.document, k.chunk, k.title, k.readers, k.revision, vector)

    def _unembedded(self, tenant: str, own: Query) -> list[str]:
        searcher = self._fresh()
        left = without(self._queries.term("tenant", tenant), own)
        found: set[str] = set()
        while hits := searcher.search(left, _AT_ONCE, count=False).hits:
            new = {kept_in(searcher.doc(address)).document for _, address in hits}
            found |= new
            left = without(left, self._queries.one_of("document", new))
        return sorted(found)

    def _frequencies(self, allowed: Query, terms: Collection[str]) -> dict[str, int]:
        out = {}
        for term in terms:
            held = [(Occur.Should, self._queries.term(field, term)) for field in ("words", "pairs")]
            out[term] = self._counted(every(allowed, Query.boolean_query(held)))
        return out

    def _counted(self, query: Query) -> int:
        return count_of(self._fresh(), query)


def _opened(schema: tantivy.Schema, folder: Path) -> tantivy.Index:
    try:
        return tantivy.Index(schema, path=str(folder))
    except ValueError as e:
        raise OperatorError(
            "index_version",
            f"{folder} 里的知识索引是另一个版本写的({e});移走这个文件夹,重新索引文档",
            f"the knowledge index in {folder} was written by another version ({e}); move the folder "
            "away and index the documents again",
        ) from None
