"""Chunks as tantivy's documents, and the queries that find them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec
import tantivy
from tantivy import Document, FieldType, Occur, Query

from dazi.knowledge.chunks import Chunk
from dazi.knowledge.index import Entry, Hit
from dazi.knowledge.terms import pairs, words

SPACES = "spaces"


class Kept(msgspec.Struct, frozen=True):
    """What is stored beside a chunk's terms."""

    document: str
    title: str
    chunk: Chunk
    readers: frozenset[str]
    revision: int


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Kept).decode


def make_schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    for name in ("document", "readers"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in ("tenant", "space"):
        builder.add_text_field(name, stored=True, tokenizer_name="raw", index_option="basic")
    for name in ("heads", "words", "pairs"):
        builder.add_text_field(name, tokenizer_name=SPACES, index_option="freq")
    for name in ("ordinal", "revision", "slot"):
        builder.add_unsigned_field(name, indexed=True, fast=True)
    for name in ("kept", "vector"):
        builder.add_bytes_field(name, stored=True)
    return builder.build()


def document_of(e: Entry) -> Document:
    """All but its vector."""
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
    kept = Kept(e.document, e.title, e.chunk, e.readers, e.revision)
    document.add_bytes("kept", _encode(kept))
    return document


def kept_in(document: Document) -> Kept:
    return _decode(bytes(document.get_first("kept")))  # type: ignore[arg-type]


def hit_of(kept: Kept, score: float) -> Hit:
    return Hit(kept.document, kept.title, kept.chunk, score, kept.revision)


class Queries:
    """Queries over one schema."""

    def __init__(self, schema: tantivy.Schema) -> None:
        self.schema = schema

    def allowed(
        self, tenant: str, labels: frozenset[str], documents: Collection[str] = ()
    ) -> Query:
        """What whoever has ``labels`` may read; of ``documents`` only, if any are given. Whoever has
        no label may read nothing: an empty set matches nothing."""
        must = [self.term("tenant", tenant), self.one_of("readers", labels)]
        if documents:
            must.append(self.one_of("document", documents))
        return Query.const_score_query(every(*must), 0.0)

    def term(self, field: str, value: str) -> Query:
        return Query.term_query(self.schema, field, value)

    def one_of(self, field: str, values: Collection[Any]) -> Query:
        return Query.term_set_query(self.schema, field, sorted(values))

    def number(self, field: str, least: int, most: int | None) -> Query:
        return Query.range_query(self.schema, field, FieldType.Unsigned, least, most)

    def of_document(
        self, tenant: str, number: str, revision: int | None = None, since: int = 0
    ) -> Query:
        wanted = [self.term("tenant", tenant), self.term("document", number)]
        if revision is not None:
            wanted.append(self.number("revision", revision, revision))
        if since:
            wanted.append(self.number("ordinal", since, None))
        return every(*wanted)


def every(*queries: Query) -> Query:
    return Query.boolean_query([(Occur.Must, q) for q in queries])


def without(query: Query, other: Query) -> Query:
    return Query.boolean_query([(Occur.Must, query), (Occur.MustNot, other)])


def count_of(searcher: Any, query: Query) -> int:
    return int(searcher.search(query, 1).count)
