"""Sources and documents as the database keeps them: what there is, who may read it, how far it is."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    Column,
    Float,
    Integer,
    String,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)

from dazi.core.errors import NotFound
from dazi.store.database import Database, metadata

SourceKind = Literal["folder", "upload", "url", "database"]
State = Literal["new", "reading", "ready", "failed", "rights", "gone"]
"""``new``: to be read. ``rights``: as it is, for other readers. ``gone``: no longer there, to be deleted."""

knowledge_sources = Table(
    "knowledge_sources",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("place", Text, nullable=False),
    Column("readers", Text, nullable=False),
    Column("declared", Integer, nullable=False),
    Column("by", String(200), nullable=False),
    Column("at", Float, nullable=False),
    Column("error_zh", Text, nullable=False),
    Column("error_en", Text, nullable=False),
)

knowledge_documents = Table(
    "knowledge_documents",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("tenant", String(100), nullable=False, index=True),
    Column("source", String(64), nullable=False, index=True),
    Column("place", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("own_title", Integer, nullable=False),
    Column("readers", Text, nullable=False),
    Column("own_readers", Integer, nullable=False),
    Column("state", String(16), nullable=False, index=True),
    Column("size", BigInteger, nullable=False),
    Column("changed", Float, nullable=False),
    Column("digest", String(64), nullable=False),
    Column("revision", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("pages", Integer, nullable=False),
    Column("scanned", Integer, nullable=False),
    Column("progress", Text, nullable=False),
    Column("error_zh", Text, nullable=False),
    Column("error_en", Text, nullable=False),
    Column("at", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Source:
    """``place``: a folder's path, a URL, or a database's name and its query. ``declared`` in the
    company's file, where it can be taken away only there. ``error``: why it could not be looked
    through the last time."""

    id: str
    tenant: str
    kind: SourceKind
    place: str
    readers: frozenset[str]
    declared: bool
    by: str
    at: float
    error_zh: str = ""
    error_en: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """Where reading goes on: after ``page`` of ``pages``, with ``ordinal`` as the next chunk's number
    under the headings ``path``. ``digest`` is that of the content it belongs to."""

    digest: str = ""
    page: int = 0
    pages: int = 0
    ordinal: int = 0
    path: tuple[tuple[int, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """``place`` within its source. ``own_title``: given, and not taken from its text. ``own_readers``: set
    for this document by somebody, so that the source's no longer count. ``size`` in bytes and
    ``changed`` in seconds since the epoch tell whether the file has to be looked at; ``digest``
    (SHA-256) whether it has to be read again. ``revision`` is the one that is searched, 0 for none.
    ``scanned``: pages that are pictures and were not read."""

    id: str
    tenant: str
    source: str
    place: str
    title: str
    readers: frozenset[str]
    own_title: bool = False
    own_readers: bool = False
    state: State = "new"
    size: int = 0
    changed: float = 0.0
    digest: str = ""
    revision: int = 0
    chunks: int = 0
    pages: int = 0
    scanned: int = 0
    progress: Progress = Progress()
    error_zh: str = ""
    error_en: str = ""
    at: float = 0.0


class Records:
    """Both tables. Whose rights count is for the caller: nothing here is filtered by them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # --- sources -----------------------------------------------------------------------------------

    async def sources(self, tenant: str | None = None) -> list[Source]:
        """In the order in which they came."""
        query = select(knowledge_sources).order_by(knowledge_sources.c.at, knowledge_sources.c.id)
        if tenant is not None:
            query = query.where(knowledge_sources.c.tenant == tenant)
        async with self._database.read() as connection:
            return [_source(row) for row in (await connection.execute(query)).mappings()]

    async def source(self, number: str, tenant: str) -> Source:
        """Raises ``NotFound``."""
        found = [s for s in await self.sources(tenant) if s.id == number]
        if not found:
            raise NotFound("source", f"没有来源 {number}", f"there is no source {number}")
        return found[0]

    async def put_source(self, source: Source) -> None:
        """Add it, or write over the one with its number."""
        row = {f.name: getattr(source, f.name) for f in fields(Source)}
        row |= {"readers": _listed(source.readers), "declared": int(source.declared)}
        table = knowledge_sources
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.id == source.id))
            await connection.execute(insert(table), row)

    async def drop_source(self, number: str) -> None:
        table = knowledge_sources
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.id == number))

    # --- documents ---------------------------------------------------------------------------------

    async def documents(
        self,
        tenant: str | None = None,
        *,
        source: str = "",
        states: Sequence[State] = (),
        limit: int = 1_000_000,
    ) -> list[Document]:
        """By source and place."""
        table = knowledge_documents
        query = select(table).order_by(table.c.source, table.c.place).limit(limit)
        if tenant is not None:
            query = query.where(table.c.tenant == tenant)
        if source:
            query = query.where(table.c.source == source)
        if states:
            query = query.where(table.c.state.in_(states))
        async with self._database.read() as connection:
            return [_document(row) for row in (await connection.execute(query)).mappings()]

    async def document(self, number: str, tenant: str) -> Document:
        """Raises ``NotFound``."""
        table = knowledge_documents
        query = select(table).where(table.c.id == number, table.c.tenant == tenant)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).mappings().one_or_none()
        if row is None:
            raise unknown_document(number)
        return _document(row)

    async def by_number(self, numbers: Sequence[str]) -> dict[str, Document]:
        """Those of ``numbers`` that there are."""
        table = knowledge_documents
        query = select(table).where(table.c.id.in_(numbers))
        async with self._database.read() as connection:
            found = [_document(row) for row in (await connection.execute(query)).mappings()]
        return {d.id: d for d in found}

    async def put(self, *documents: Document) -> None:
        """Add them, or write over those with their numbers."""
        if not documents:
            return
        table = knowledge_documents
        numbers = [d.id for d in documents]
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.id.in_(numbers)))
            await connection.execute(insert(table), [_row(d) for d in documents])

    async def note(self, document: Document, *names: str) -> None:
        """Write those fields of it, if it is still there: what is gone stays so, whoever was at it."""
        row = {k: v for k, v in _row(document).items() if k in names}
        table = knowledge_documents
        async with self._database.write() as connection:
            await connection.execute(
                update(table).where(table.c.id == document.id, table.c.state != "gone").values(row)
            )

    async def inherit(self, document: Document) -> None:
        """Write its readers and its state, unless somebody has set others for it meanwhile."""
        row = {k: v for k, v in _row(document).items() if k in ("readers", "state")}
        table = knowledge_documents
        there = (table.c.id == document.id, table.c.state != "gone", table.c.own_readers == 0)
        async with self._database.write() as connection:
            await connection.execute(update(table).where(*there).values(row))

    async def drop(self, numbers: Sequence[str]) -> None:
        table = knowledge_documents
        async with self._database.write() as connection:
            await connection.execute(delete(table).where(table.c.id.in_(numbers)))


def unknown_document(number: str) -> NotFound:
    return NotFound("document", f"没有文档 {number}", f"there is no document {number}")


def now() -> float:
    return time.time()


def _listed(readers: frozenset[str]) -> str:
    return json.dumps(sorted(readers), ensure_ascii=False)


def _source(row: Any) -> Source:
    values = {f.name: row[f.name] for f in fields(Source)}
    values["readers"] = frozenset(json.loads(row["readers"]))
    values["declared"] = bool(row["declared"])
    return Source(**values)


def _row(document: Document) -> dict[str, Any]:
    row = {f.name: getattr(document, f.name) for f in fields(Document)}
    p = document.progress
    progress = [p.digest, p.page, p.pages, p.ordinal, p.path]
    return row | {
        "readers": _listed(document.readers),
        "own_title": int(document.own_title),
        "own_readers": int(document.own_readers),
        "progress": json.dumps(progress, ensure_ascii=False),
    }


def _document(row: Any) -> Document:
    values = {f.name: row[f.name] for f in fields(Document)}
    values["readers"] = frozenset(json.loads(row["readers"]))
    values["own_title"] = bool(row["own_title"])
    values["own_readers"] = bool(row["own_readers"])
    digest, page, pages, ordinal, path = json.loads(row["progress"])
    headings = tuple((level, name) for level, name in path)
    values["progress"] = Progress(digest, page, pages, ordinal, headings)
    return Document(**values)
