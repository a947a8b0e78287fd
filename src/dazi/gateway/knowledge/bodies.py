"""Bodies about documents: what callers send, and what they get."""

from __future__ import annotations

from msgspec import Struct

from dazi.gateway.wire import Reader


class KnowledgeQuery(Struct, forbid_unknown_fields=True):
    """``documents``: only in these; in all that the caller may read if there are none."""

    query: str
    limit: int = 6
    documents: list[str] = []


class NewSource(Struct, forbid_unknown_fields=True):
    """``readers``: ``all``, ``role:NAME``, ``department:NAME``, ``user:NAME``; everybody if empty."""

    url: str
    readers: list[str] = []


class NewReaders(Struct, forbid_unknown_fields=True):
    """``null``: those of its source."""

    readers: list[str] | None


class DocumentView(Struct, frozen=True, omit_defaults=True):
    """``state``: ``new``, ``reading``, ``ready``, ``rights`` (ready, for other readers soon) or
    ``failed``. ``scanned``: pages that are pictures and were not read. For managers also its source,
    its readers, whether they are its own, how far it is read, and why it could not be."""

    id: str
    title: str
    place: str
    state: str
    pages: int
    chunks: int
    scanned: int = 0
    source: str = ""
    readers: list[str] = []
    own_readers: bool = False
    page: int = 0
    error: str = ""


class Documents(Struct, frozen=True):
    data: list[DocumentView]
    object: str = "list"


class PassageView(Struct, frozen=True):
    """``ordinal``: its place in the document. ``page``: 0 where a format has none. ``section``: the
    headings above it."""

    document: str
    ordinal: int
    title: str
    section: str
    page: int
    text: str


class OpenedDocument(Struct, frozen=True):
    """``next``: where the passages go on, if they do."""

    document: DocumentView
    passages: list[PassageView]
    next: int | None = None


class FoundPassages(Struct, frozen=True):
    """``quote``: the sentence that answers, word for word, out of ``passages[quoted]``; empty where none
    does."""

    passages: list[PassageView]
    quote: str = ""
    quoted: int | None = None


class SourceView(Struct, frozen=True):
    """``kind``: ``folder``, ``upload``, ``url`` or ``database``. ``declared``: in the company's file, and
    to be removed only there. ``error``: why it could not be looked through the last time."""

    id: str
    kind: str
    place: str
    readers: list[str]
    declared: bool
    documents: int
    error: str = ""


class Sources(Struct, frozen=True):
    data: list[SourceView]
    object: str = "list"


class ReadersView(Struct, frozen=True):
    readers: list[str]


class Removed(Struct, frozen=True):
    """How many documents went."""

    removed: int


KNOWLEDGE_QUERY = Reader(KnowledgeQuery)
NEW_SOURCE = Reader(NewSource)
NEW_READERS = Reader(NewReaders)
