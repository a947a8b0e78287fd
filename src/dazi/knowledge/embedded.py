"""The index in one folder of this machine: tantivy for words, in a thread so that nobody waits.

One process writes at a time; others see what it has committed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import tantivy
from tantivy import Document, FieldType, Occur, Order, Query

from dazi.core.errors import OperatorError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.terms import pairs, words

HEAP_BYTES = 64 << 20
"""What the writer holds before it writes a segment."""
WORDS, PAIRS, HEADS = 1.0, 1.0, 1.0
"""Weights of the words of a text, of its pairs of hanzi, and of the words above it."""
MOST_ENTRIES = 1_000_000
"""Chunks of one document: more than ``parsing.ParseLimits`` lets any have."""
_SPACES = "spaces"
T = TypeVar("T")


class _Kept(msgspec.Struct, frozen=True):
    """What is stored beside a chunk's terms."""

    document: str
    title: str
    chunk: Chunk
    readers: frozenset[str]
    revision: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Kept).decode


class EmbeddedIndex:
    """Implements ``index.KnowledgeIndex``. ``folder`` is made if it is not there."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=str(folder))
        spaces = tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.whitespace()).build()
        self._index.register_tokenizer(_SPACES, spaces)
        self._writer: Any = None
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
        return []

    async def read(
        self, tenant: str, document: str, labels: frozenset[str], first: int = 0, limit: int = 1000
    ) -> list[Hit]:
        query = _all(
            self._allowed(tenant, labels),
            self._term("document", document),
            self._number("ordinal", first, None),
        )
        found = await asyncio.to_thread(self._in_order, query, limit)
        return [Hit(k.document, k.title, k.chunk, 0.0, k.revision) for k in found]

    async def entries(self, tenant: str, document: str) -> list[Entry]:
        query = _all(self._term("tenant", tenant), self._term("document", document))
        found = await asyncio.to_thread(self._in_order, query, MOST_ENTRIES)
        return [Entry(tenant, k.document, k.chunk, k.title, k.readers, k.revision) for k in found]

    async def frequencies(
        self, tenant: str, labels: frozenset[str], terms: Collection[str]
    ) -> dict[str, int]:
        return await asyncio.to_thread(self._frequencies, self._allowed(tenant, labels), terms)

    async def count(self, tenant: str, labels: frozenset[str]) -> int:
        query = self._allowed(tenant, labels)
        return await asyncio.to_thread(self._counted, query)

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

    def _open_writer(self) -> Any:
        try:
            return self._index.writer(HEAP_BYTES, 1)
        except ValueError as e:
            raise OperatorError(
                "index_busy",
                f"知识索引正由另一个进程写入,请稍后再试({e})",
                f"another process is writing to the knowledge index; try again later ({e})",
            ) from None

    def _add(self, entries: Sequence[Entry]) -> None:
        for e in entries:
            document = Document()
            document.add_text("tenant", e.tenant)
            document.add_text("document", e.document)
            for label in e.readers:
                document.add_text("readers", label)
            document.add_unsigned("ordinal", e.chunk.ordinal)
            document.add_unsigned("revision", e.revision)
            document.add_text("heads", " ".join(words(" ".join((e.title, *e.chunk.path)))))
            document.add_text("words", " ".join(words(e.chunk.text)))
            document.add_text("pairs", " ".join(pairs(e.chunk.text)))
            document.add_bytes("kept", _kept(e))
            self._writer.add_document(document)

    def _delete(
        self, tenant: str, documents: Collection[str], revision: int | None, since: int
    ) -> None:
        for number in documents:
            wanted = [self._term("tenant", tenant), self._term("document", number)]
            if revision is not None:
                wanted.append(self._number("revision", revision, revision))
            if since:
                wanted.append(self._number("ordinal", since, None))
            self._writer.delete_documents_by_query(_all(*wanted))

    def _commit(self) -> None:
        self._writer.commit()
        self._index.reload()

    def _search(self, wanted: Wanted, limit: int) -> list[Hit]:
        terms = self._terms(wanted.text)
        if not terms:
            return []
        must = [self._allowed(wanted.tenant, wanted.labels)]
        if wanted.documents:
            of = Query.term_set_query(self._schema, "document", sorted(wanted.documents))
            must.append(Query.const_score_query(of, 0.0))
        matching = Query.boolean_query([(Occur.Should, t) for t in terms])
        query = _all(*must, matching)
        searcher = self._index.searcher()
        found = searcher.search(query, limit, count=False)
        return [_hit(searcher.doc(address), score) for score, address in found.hits]

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

    def _allowed(self, tenant: str, labels: frozenset[str]) -> Query:
        """Whoever has no label may read nothing: an empty set matches nothing."""
        readable = Query.term_set_query(self._schema, "readers", sorted(labels))
        return Query.const_score_query(_all(self._term("tenant", tenant), readable), 0.0)

    def _term(self, field: str, value: str) -> Query:
        return Query.term_query(self._schema, field, value)

    def _number(self, field: str, least: int, most: int | None) -> Query:
        return Query.range_query(self._schema, field, FieldType.Unsigned, least, most)

    def _in_order(self, query: Query, limit: int) -> list[_Kept]:
        searcher = self._index.searcher()
        found = searcher.search(query, limit, order_by_field="ordinal", order=Order.Asc)
        return [_kept_in(searcher.doc(address)) for _, address in found.hits]

    def _frequencies(self, allowed: Query, terms: Collection[str]) -> dict[str, int]:
        out = {}
        for term in terms:
            held = [(Occur.Should, self._term(field, term)) for field in ("words", "pairs")]
            out[term] = self._counted(_all(allowed, Query.boolean_query(held)))
        return out

    def _counted(self, query: Query) -> int:
        return int(self._index.searcher().search(query, 1).count)  # type: ignore[attr-defined]


def _all(*queries: Query) -> Query:
    return Query.boolean_query([(Occur.Must, q) for q in queries])


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("tenant", "document", "readers"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("heads", "words", "pairs"):
        builder.add_text_field(name, tokenizer_name=_SPACES, index_option="freq")
    for name in ("ordinal", "revision"):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    builder.add_bytes_field("kept", stored=True)
    return builder.build()


def _kept(e: Entry) -> bytes:
    return _encode(_Kept(e.document, e.title, e.chunk, e.readers, e.revision))


def _kept_in(document: Document) -> _Kept:
    return _decode(bytes(document.get_first("kept")))  # type: ignore[arg-type]


def _hit(document: Document, score: float) -> Hit:
    kept = _kept_in(document)
    return Hit(kept.document, kept.title, kept.chunk, score, kept.revision)
