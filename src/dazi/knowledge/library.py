"""The company's library: where documents come from, which there are, who may read them."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from dazi.core.errors import CallerError, DaziError
from dazi.core.principal import Principal
from dazi.knowledge.comparing import as_kept, compared, for_others, number_of
from dazi.knowledge.folders import Listed, listing
from dazi.knowledge.index import KnowledgeIndex
from dazi.knowledge.indexing import ROW, Indexer, Watch, nobody
from dazi.knowledge.kept import LARGEST_NAME, keep, kept_if_changed
from dazi.knowledge.records import (
    Document,
    Progress,
    Records,
    Source,
    SourceKind,
    now,
    unknown_document,
)
from dazi.knowledge.rights import EVERYBODY, labels_of

UPLOADS = "uploads"
OUTSIDE = ("url", "database")
SEEN = ("title", "own_title", "size", "changed", "state", "digest")
"""What looking at a source writes of a document that was there before."""
INDEX = "knowledge-index"
FILES = "knowledge-files"
"""In the data folder: the index, which can be made anew, and what cannot: uploads, and what came from
outside."""
PURGED_AT_ONCE = 50_000
"""Chunks up to which what was deleted is taken from the disk at once; of more, by ``purge``."""


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a database as a document: ``key`` says which it is from one time to the next."""

    key: str
    title: str
    text: str


class Outside(Protocol):
    """What sources beyond this machine's folders are read with; wired where they are known."""

    async def fetch(self, url: str, *, declared: bool) -> tuple[str, bytes]:
        """What is at ``url``: a file name with the ending of its kind, and its content. ``declared``: an
        operator named it, and not somebody who uses the service. Raises ``CallerError``."""
        ...

    def rows(self, place: str) -> AsyncIterator[Row]:
        """Raises ``CallerError``."""
        ...


@dataclass(slots=True)
class Changes:
    """What looking through a source found. ``unknown``: files of kinds that are not read."""

    new: int = 0
    changed: int = 0
    gone: int = 0
    same: int = 0
    unknown: int = 0

    def __add__(self, other: Changes) -> Changes:
        mine = (self.new, self.changed, self.gone, self.same, self.unknown)
        theirs = (other.new, other.changed, other.gone, other.same, other.unknown)
        return Changes(*(a + b for a, b in zip(mine, theirs, strict=True)))


@dataclass(slots=True)
class Library:
    """Sources and documents of all tenants over one index. ``files``: where uploads and what came
    from outside are kept. ``roots``: folders that places may begin with by name (``{data}/knowledge``),
    so that documents stay the same when a company moves."""

    records: Records
    index: KnowledgeIndex
    files: Path
    indexer: Indexer = field(init=False)
    outside: Outside | None = None
    roots: Mapping[str, Path] = field(default_factory=dict)
    counts: Callable[[Path], bool] = lambda path: True
    """Whether a file of a folder is to be read; of several of one name one may be."""
    _sources: dict[str, Source] = field(default_factory=dict)

    # --- sources -------------------------------------------------------------------------------------

    async def add_source(
        self,
        kind: SourceKind,
        place: str,
        *,
        tenant: str,
        readers: frozenset[str] | None = None,
        by: str = "",
        declared: bool = False,
    ) -> Source:
        """The source at ``place``. One that is there already gets these ``readers``, or keeps its own;
        a new one without is for everybody."""
        if kind == "folder":
            place = self._folder(place)
        number = number_of("s", tenant, kind, place)
        if readers is None:
            known = await self.records.sources(tenant)
            readers = next((s.readers for s in known if s.id == number), EVERYBODY)
        return await self._put_source(
            Source(number, tenant, kind, place, readers, declared, by, now())
        )

    async def _put_source(self, source: Source) -> Source:
        known = await self.records.sources(source.tenant)
        old = next((s for s in known if s.id == source.id), None)
        if old is not None:
            kept = replace(old, readers=source.readers, declared=source.declared or old.declared)
            source = kept
        if source != old:
            await self.records.put_source(replace(source, at=source.at or now()))
        self._sources[source.id] = source
        if old is not None and old.readers != source.readers:
            await self._readers_of_source(source)
        return source

    async def remove_source(self, number: str, tenant: str) -> int:
        """It and all of its documents; how many. Raises ``NotFound``."""
        source = await self.records.source(number, tenant)
        documents = await self.records.documents(tenant, source=number)
        await self._put_away(documents)
        await self.records.drop_source(source.id)
        return len(documents)

    async def declare(self, sources: Sequence[Source]) -> None:
        """Make ``sources`` all that are declared: others of before are removed."""
        wanted = {s.id for s in sources}
        for old in await self.records.sources():
            if old.declared and old.id not in wanted:
                await self.remove_source(old.id, old.tenant)
        for source in sources:
            await self._put_source(source)

    # --- documents -----------------------------------------------------------------------------------

    async def add_upload(
        self,
        name: str,
        content: bytes | Path,
        *,
        principal: Principal,
        readers: frozenset[str] | None,
    ) -> Document:
        """A document of its own; one of the same name is replaced. Without ``readers`` that keeps those
        it had, and a new one is for everybody. Raises ``CallerError``."""
        plain = Path(name).name.strip()
        if not plain or plain.startswith(".") or len(plain) > LARGEST_NAME:
            raise CallerError(
                "name", f"文件名 “{name[:80]}” 不能用", f"“{name[:80]}” is no file name"
            )
        source = await self.add_source("upload", UPLOADS, tenant=principal.tenant)
        number = number_of("d", principal.tenant, source.id, plain)
        known = {d.id: d for d in await self.records.documents(principal.tenant, source=source.id)}
        old = known.get(number)
        if readers is None:
            readers = old.readers if old is not None and old.state != "gone" else EVERYBODY
        path = self.files / number / plain
        await asyncio.to_thread(keep, path, content)
        listed = Listed(plain, path, path.stat().st_size, now(), readers=readers)
        document = compared(source, listed, old)
        document = replace(document, readers=readers, own_readers=True, state="new", digest="")
        await self.records.put(document)
        return document

    async def remove(self, number: str, tenant: str) -> Document:
        """Delete a document that was uploaded. Raises ``NotFound``, and ``CallerError`` for one that
        would come back because its source has it."""
        document = await self._own(number, tenant)
        source = await self.records.source(document.source, tenant)
        if source.kind != "upload":
            raise CallerError(
                "from_source",
                f"{document.place} 来自 {source.place};在那里删除它,或移除这个来源 {source.id}",
                f"{document.place} comes from {source.place}: delete it there, or remove that "
                f"source, {source.id}",
            )
        await self._put_away([document])
        return document

    async def set_readers(
        self, number: str, tenant: str, readers: frozenset[str] | None
    ) -> Document:
        """Who may read a document from now on; ``None``: whom its source says. Raises ``NotFound``."""
        document = await self._own(number, tenant)
        source = await self.records.source(document.source, tenant)
        own = readers is not None
        chosen = readers if readers is not None else source.readers
        changed = replace(document, readers=chosen, own_readers=own, state=for_others(document))
        await self.records.note(changed, "readers", "own_readers", "state")
        return changed

    async def read_again(self, documents: Sequence[Document]) -> None:
        """Whether they have changed or not."""
        for document in documents:
            again = replace(document, state="new", digest="")
            await self.records.note(again, "state", "digest")

    async def readable(self, principal: Principal) -> list[Document]:
        """The documents that ``principal`` may know of, by source and place."""
        labels = labels_of(principal)
        found = await self.records.documents(principal.tenant)
        return [d for d in found if d.state != "gone" and d.readers & labels]

    async def document(self, number: str, principal: Principal) -> Document:
        """Raises ``NotFound`` for one that ``principal`` may not read, as for none."""
        document = await self._own(number, principal.tenant)
        if not document.readers & labels_of(principal):
            raise unknown_document(number)
        return document

    # --- looking through the sources -----------------------------------------------------------------

    async def look(
        self, *, tenant: str | None = None, only: str = "", outside: bool = True
    ) -> Changes:
        """What is new, changed or gone is marked for ``index_now``. ``only``: one source. ``outside``:
        web pages and databases too, which others have to answer for. A source that cannot be looked
        through keeps its documents and says why."""
        found = Changes()
        await self._look_at_index()
        for source in await self.records.sources(tenant):
            if only not in ("", source.id) or (source.kind in OUTSIDE and not outside):
                continue
            self._sources[source.id] = source
            try:
                found += await self._look(source)
                error = None
            except DaziError as e:
                error = e
            told = (error.message("zh"), error.message("en")) if error else ("", "")
            if told != (source.error_zh, source.error_en):
                await self.records.put_source(replace(source, error_zh=told[0], error_en=told[1]))
        return found

    async def index_now(self, *, tenant: str | None = None, watch: Watch = nobody) -> int:
        """Read what is marked, and delete what is gone; how many were read. Raises as
        ``Indexer.work``."""
        for source in await self.records.sources(tenant):
            self._sources[source.id] = source
        try:
            done = await self.indexer.work(tenant, watch)
            if self.indexer.left and await self.index.size() <= PURGED_AT_ONCE:
                await self.index.purge()
                self.indexer.left = False
            return done
        finally:
            await self.index.release()

    async def purge(self) -> None:
        """What was deleted is on no disk any more. Raises ``OperatorError`` while another process is
        writing."""
        try:
            await self.index.purge()
        finally:
            await self.index.release()

    def resolved(self, place: str) -> Path:
        """The folder that a source's place means."""
        name, _, rest = place.partition("/")
        root = self.roots.get(name)
        return Path(place) if root is None else root / rest

    def _folder(self, place: str) -> str:
        """As it is kept. Raises ``CallerError`` where there is none."""
        if place.partition("/")[0] not in self.roots:
            place = os.path.abspath(place)
        if not self.resolved(place).is_dir():
            raise CallerError("folder", f"没有文件夹 {place}", f"there is no folder {place}")
        return place

    async def file_of(self, document: Document) -> Path | None:
        """As ``path_of``, also of a source that was not looked through yet."""
        if document.source not in self._sources:
            for source in await self.records.sources(document.tenant):
                self._sources[source.id] = source
        return self.path_of(document)

    def path_of(self, document: Document) -> Path | None:
        """A document's file; ``None`` where its source is gone."""
        source = self._sources.get(document.source)
        if source is None:
            return None
        if source.kind == "folder":
            return self.resolved(source.place) / document.place
        if source.kind == "upload":
            return self.files / document.id / document.place
        return next(iter(sorted((self.files / document.id).glob("*"))), None)

    async def _look_at_index(self) -> None:
        """An index that has lost chunks, with its folder or to a restored database, is made anew."""
        documents = [d for d in await self.records.documents() if d.revision and d.state != "gone"]
        if await self.index.size() < sum(d.chunks for d in documents):
            lost = [replace(d, revision=0, progress=Progress()) for d in documents]
            for document in lost:
                await self.records.note(document, "revision", "progress")
            await self.read_again(lost)

    async def _look(self, source: Source) -> Changes:
        found, unknown = await self._found(source)
        old = {d.id: d for d in await self.records.documents(source.tenant, source=source.id)}
        changes = Changes(unknown=unknown)
        new: list[Document] = []
        for listed in found:
            number = number_of("d", source.tenant, source.id, listed.place)
            before = old.pop(number, None)
            document = compared(source, listed, before)
            if before is None or before.state == "gone":
                changes.new += 1
                new.append(document)
            elif document == before:
                changes.same += 1
            else:
                changes.changed += document.state == "new" and before.state != "new"
                await self.records.note(document, *SEEN)
                if document.readers != before.readers:
                    await self.records.inherit(document)
        await self.records.put(*new)
        gone = [d for d in old.values() if d.state != "gone"]
        changes.gone = len(gone)
        await self._put_away(gone)
        return changes

    async def _found(self, source: Source) -> tuple[Sequence[Listed], int]:
        """A source's files, those from outside brought here first."""
        if source.kind == "folder":
            found = await asyncio.to_thread(listing, self.resolved(source.place))
            return [f for f in found.files if self.counts(f.path)], found.unknown
        if source.kind == "upload":
            old = await self.records.documents(source.tenant, source=source.id)
            kept = [d for d in old if d.state != "gone"]
            return [as_kept(d, self.files / d.id / d.place) for d in kept], 0
        if self.outside is None:
            raise CallerError(
                "source", "这里读不了这种来源", "sources of this kind cannot be read here"
            )
        if source.kind == "url":
            name, content = await self.outside.fetch(source.place, declared=source.declared)
            return [await self._brought(source, source.place, name, content)], 0
        rows = []
        async for row in self.outside.rows(source.place):
            name = f"row{ROW}"
            brought = await self._brought(source, row.key, name, row.text.encode())
            rows.append(replace(brought, title=row.title))
        return rows, 0

    async def _brought(self, source: Source, place: str, name: str, content: bytes) -> Listed:
        """Kept here; its time is that of its latest change, so that the same content is the same."""
        folder = self.files / number_of("d", source.tenant, source.id, place)
        path = folder / name
        status = await asyncio.to_thread(kept_if_changed, path, content)
        return Listed(place, path, len(content), status)

    async def _readers_of_source(self, source: Source) -> None:
        for document in await self.records.documents(source.tenant, source=source.id):
            if not document.own_readers and document.readers != source.readers:
                changed = replace(document, readers=source.readers, state=for_others(document))
                await self.records.inherit(changed)

    async def _put_away(self, documents: Sequence[Document]) -> None:
        """Nobody finds them from now on; the index follows with the next ``index_now``."""
        for document in documents:
            await self.records.note(replace(document, state="gone"), "state")
            kept = self.files / document.id
            await asyncio.to_thread(shutil.rmtree, kept, ignore_errors=True)

    async def _own(self, number: str, tenant: str) -> Document:
        document = await self.records.document(number, tenant)
        if document.state == "gone":
            raise unknown_document(number)
        return document
