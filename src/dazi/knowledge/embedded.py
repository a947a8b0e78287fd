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
from tantivy import Document, Occur, Query

from dazi.core.errors import OperatorError
from dazi.knowledge.chunks import Chunk
from dazi.knowledge.index import Entry, Hit, Wanted
from dazi.knowledge.terms import pairs, words

HEAP_BYTES = 64 << 20
"""What the writer holds before it writes a segment."""
WORDS, PAIRS, HEADS = 1.0, 1.0, 1.0
"""Weights of the words of a text, of its pairs of hanzi, and of the words above it."""
_SPACES = "spaces"
T = TypeVar("T")


class _Kept(msgspec.Struct, frozen=True):
    """What is stored beside a chunk's terms."""

    document: str
    title: str
    chunk: Chunk


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

    async def delete(self, tenant: str, documents: Collection[str]) -> None:
        await self._write(partial(self._delete, tenant, documents))

    async def commit(self) -> None:
        await self._write(self._commit)

    async def search(self, wanted: Wanted, limit: int = 10) -> list[Hit]:
        return await asyncio.to_thread(self._search, wanted, limit)

    async def count(self, tenant: str, labels: frozenset[str]) -> int:
        query = self._allowed(tenant, labels)
        return await asyncio.to_thread(self._counted, query)

    async def close(self) -> None:
        async with self._alone:
            if self._writer is not None:
                await asyncio.to_thread(self._writer.wait_merging_threads)
                self._writer = None

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
            document.add_text("heads", " ".join(words(" ".join((e.title, *e.chunk.path)))))
            document.add_text("words", " ".join(words(e.chunk.text)))
            document.add_text("pairs", " ".join(pairs(e.chunk.text)))
            document.add_bytes("kept", _encode(_Kept(e.document, e.title, e.chunk)))
            self._writer.add_document(document)

    def _delete(self, tenant: str, documents: Collection[str]) -> None:
        for number in documents:
            both = [
                (Occur.Must, Query.term_query(self._schema, "tenant", tenant)),
                (Occur.Must, Query.term_query(self._schema, "document", number)),
            ]
            self._writer.delete_documents_by_query(Query.boolean_query(both))

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
        query = Query.boolean_query([(Occur.Must, q) for q in (*must, matching)])
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
        both = [
            (Occur.Must, Query.term_query(self._schema, "tenant", tenant)),
            (Occur.Must, Query.term_set_query(self._schema, "readers", sorted(labels))),
        ]
        return Query.const_score_query(Query.boolean_query(both), 0.0)

    def _counted(self, query: Query) -> int:
        return int(self._index.searcher().search(query, 1).count)  # type: ignore[attr-defined]


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("tenant", "document", "readers"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("heads", "words", "pairs"):
        builder.add_text_field(name, tokenizer_name=_SPACES, index_option="freq")
    builder.add_bytes_field("kept", stored=True)
    return builder.build()


def _hit(document: Document, score: float) -> Hit:
    kept = _decode(bytes(document.get_first("kept")))  # type: ignore[arg-type]
    return Hit(kept.document, kept.title, kept.chunk, score)
