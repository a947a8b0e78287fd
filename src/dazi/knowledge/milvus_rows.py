"""Chunks as Milvus's rows, and the expressions that find them.

Names and labels are data that anybody may choose, and Milvus's expressions are text. So none of them
is ever part of an expression: a digest stands for each, of letters and digits alone. What they read
like is in the row's ``kept``, which is only read.
"""

from __future__ import annotations

from base64 import b32encode
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Any, TypeAlias

import msgspec
import numpy as np

from dazi.knowledge.index import Entry
from dazi.knowledge.tantivy_documents import Kept
from dazi.knowledge.terms import pairs, words
from dazi.knowledge.vectors import VectorSpace, direction

Row: TypeAlias = dict[str, Any]
DIGEST = 32
"""Characters of a digest."""
MOST_READERS = 4096
LONGEST_TEXT = 65_535
"""Of an array's values and of a text's bytes, as Milvus has it."""
_TERM = 8
_MOST_TERMS = LONGEST_TEXT // (_TERM + 2)
"""Three times as many as a chunk of ``chunks.LONGEST`` characters can have."""
_LONGEST_HEADING = 200
_TOGETHER = 500
_kept = msgspec.json.Decoder(Kept).decode


@dataclass(frozen=True, slots=True)
class Added:
    """``row`` of the words, and of the vectors where there is one."""

    row: Row
    vector: Row | None


@dataclass(frozen=True, slots=True)
class Deleted:
    """What a deletion takes. ``document`` and ``tenant`` are digests."""

    tenant: str
    document: str
    revision: int | None
    since: int

    def takes(self, row: Row) -> bool:
        return (
            (row["tenant"], row["document"]) == (self.tenant, self.document)
            and self.revision in (None, row["revision"])
            and row["ordinal"] >= self.since
        )


def expressions(deleted: Iterable[Deleted]) -> Iterator[str]:
    """What finds all that they take; many documents in one."""
    alike: dict[tuple[str, int | None, int], list[str]] = {}
    for d in deleted:
        alike.setdefault((d.tenant, d.revision, d.since), []).append(d.document)
    for (tenant, revision, since), documents in alike.items():
        for n in range(0, len(documents), _TOGETHER):
            parts = [
                f'tenant == "{tenant}"',
                f"document in {_listed(documents[n : n + _TOGETHER])}",
            ]
            if revision is not None:
                parts.append(f"revision == {revision:d}")
            if since:
                parts.append(f"ordinal >= {since:d}")
            yield " and ".join(parts)


def digest(*parts: str) -> str:
    """The same for the same parts only."""
    return blake2b(msgspec.json.encode(parts), digest_size=DIGEST // 2).hexdigest()


def space_digest(space: VectorSpace | None) -> str:
    return "" if space is None else digest(space.name, str(space.dimensions))


def added(entry: Entry, space: VectorSpace | None) -> Added:
    """Raises ``OperatorError`` for a vector that is not of ``space``."""
    tenant, document = digest(entry.tenant), digest(entry.document)
    ordinal = entry.chunk.ordinal
    common: Row = {
        "id": digest(entry.tenant, entry.document, str(entry.revision), str(ordinal)),
        "tenant": tenant,
        "document": document,
        "readers": sorted(map(digest, entry.readers)),
        "revision": entry.revision,
        "ordinal": ordinal,
    }
    vector = None
    if entry.vector is not None and space is not None:
        direction(entry.vector, space)
        vector = common | {"vector": np.asarray(entry.vector, np.float32)}
    own = space_digest(space) if vector is not None else ""
    row = common | {"space": own, "terms": terms_of(entry), "kept": _encoded(entry)}
    return Added(row, vector)


def kept_in(row: Row) -> Kept:
    return _kept(row["kept"])


def terms_of(entry: Entry) -> str:
    """All that a chunk is found by, as one text that any analysis of words cuts the same way."""
    heads = words(" ".join((entry.title, *entry.chunk.path)))
    text = entry.chunk.text
    terms = [*_marked("w", words(text)), *_marked("p", pairs(text)), *_marked("h", heads)]
    return " ".join(terms[:_MOST_TERMS])


def asked_terms(text: str) -> str:
    """What ``text`` asks for, each term once."""
    found = words(text)
    terms = [*_marked("w", found), *_marked("p", pairs(text)), *_marked("h", found)]
    return " ".join(dict.fromkeys(terms))


def holds(term: str) -> str:
    """Chunks with ``term``, a word or a pair, in their text."""
    return f'text_match(terms, "{" ".join((*_marked("w", [term]), *_marked("p", [term])))}")'


def allowed(tenant: str, labels: Iterable[str], documents: Collection[str] = ()) -> str | None:
    """What whoever has ``labels`` may read, of ``documents`` only, if any are given; ``None``: nothing,
    as for whoever has no label."""
    readers = sorted(map(digest, labels))
    if not readers:
        return None
    parts = [f'tenant == "{digest(tenant)}"', f"array_contains_any(readers, {_listed(readers)})"]
    if documents:
        parts.append(f"document in {_listed(sorted(map(digest, documents)))}")
    return " and ".join(parts)


def of_document(tenant: str, document: str) -> str:
    return f'tenant == "{digest(tenant)}" and document == "{digest(document)}"'


def with_ids(ids: Iterable[str]) -> str:
    return f"id in {_listed(ids)}"


def slices(number: int) -> Iterator[str]:
    """Expressions that part all rows into ``number`` of about the same size, each row in one."""
    ends = [f"{(1 << 32) * n // number:08x}" for n in range(number)]
    for begin, end in zip(ends, [*ends[1:], "g"], strict=True):
        yield f'id >= "{begin}" and id < "{end}"'


def _listed(values: Iterable[str]) -> str:
    return "[" + ", ".join(f'"{v}"' for v in values) + "]"


def _marked(field: str, terms: Iterable[str]) -> Iterator[str]:
    for term in terms:
        made = blake2b(term.encode(), digest_size=5).digest()
        yield field + b32encode(made).decode().lower()


def _encoded(entry: Entry) -> str:
    """A heading may be as long as a document, and a row may not."""
    chunk, title = entry.chunk, entry.title
    text = _json(entry, entry.title)
    if len(text) > LONGEST_TEXT:
        path = tuple(name[:_LONGEST_HEADING] for name in chunk.path)
        short = replace(entry, chunk=replace(chunk, path=path))
        text = _json(short, title[:_LONGEST_HEADING])
    return text.decode()


def _json(entry: Entry, title: str) -> bytes:
    return msgspec.json.encode(
        Kept(entry.document, title, entry.chunk, entry.readers, entry.revision)
    )
