"""Documents into the index: read, cut into chunks, embedded, added; and what is gone, deleted.

Long documents are written down every so many pages, so that whoever is stopped, even by ``kill -9``,
goes on there. A document that is read anew stays findable as it was until it is complete.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import time
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dazi.core.engine import Embedder
from dazi.core.errors import CallerError, DaziError, NotFound
from dazi.core.language import Text
from dazi.knowledge.blocks import Block
from dazi.knowledge.blocks import Progress as PageRead
from dazi.knowledge.chunks import Chunk, Chunker
from dazi.knowledge.embedding import Embedding
from dazi.knowledge.hybrid import passage_text
from dazi.knowledge.index import Entry, KnowledgeIndex
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.process import DEFAULT_LIMITS, parse
from dazi.knowledge.records import Document, Progress, Records, State

CHECKPOINT_PAGES = 50
"""After so many pages of a document what was read is committed."""
TOGETHER = 2_000
"""Chunks of several documents that are committed at once."""
TOGETHER_S = 5.0
AT_ONCE = 256
"""Chunks that are given to the index at once."""
UNKNOWN = Text("读这份文档时出错,详情在日志里", "reading it failed; the log says how")

log = logging.getLogger("dazi.knowledge")


@dataclass(frozen=True, slots=True)
class Step:
    """What happens, for whoever watches: of ``total`` documents the ``number``-th, at ``page`` of
    ``pages``. ``done`` with it, whether ``ready`` or ``failed``."""

    document: Document
    number: int
    total: int
    page: int = 0
    pages: int = 0
    done: bool = False


Watch = Callable[[Step], None]


def nobody(step: Step) -> None:
    return None


@dataclass(frozen=True, slots=True)
class Reading:
    """How files are read. ``ocr``: pictures of text are recognised (the ``ocr`` extra)."""

    limits: ParseLimits = DEFAULT_LIMITS
    ocr: bool = False
    checkpoint_pages: int = CHECKPOINT_PAGES


@dataclass(slots=True)
class _Finished:
    """Documents whose chunks are added and not yet committed."""

    documents: list[Document] = field(default_factory=list)
    chunks: int = 0
    since: float = field(default_factory=time.monotonic)

    @property
    def due(self) -> bool:
        return self.chunks >= TOGETHER or time.monotonic() - self.since >= TOGETHER_S


class Indexer:
    """Works off the documents that ``Records`` say are to be read or deleted."""

    def __init__(
        self,
        records: Records,
        index: KnowledgeIndex,
        path_of: Callable[[Document], Path | None],
        embedder: Embedder | None = None,
        reading: Reading | None = None,
    ) -> None:
        """``path_of``: where a document's file is, ``None`` if its source is gone."""
        self._records = records
        self._index = index
        self._path_of = path_of
        self._embedding = Embedding(embedder) if embedder is not None else None
        self._reading = reading or Reading()
        self.left = True
        """Chunks may have been deleted since the index was purged, by an earlier process too."""

    async def work(self, tenant: str | None = None, watch: Watch = nobody) -> int:
        """Until nothing is left to do; how many documents were read. One that cannot be read is
        ``failed`` and says why. Raises ``OperatorError`` while another process is writing."""
        await self._tidy(tenant)
        todo = await self._records.documents(tenant, states=("reading", "new"))
        todo.sort(key=lambda d: d.state != "reading")  # what was begun comes first
        finished = _Finished()
        try:
            for number, document in enumerate(todo, 1):
                watch(Step(document, number, len(todo)))

                def at(page: int, pages: int, d: Document = document, n: int = number) -> None:
                    watch(Step(d, n, len(todo), page, pages))

                done = await self._one(document, at)
                finished.documents.append(done)
                finished.chunks += done.chunks
                if finished.due:
                    await self._commit(finished)
                    finished = _Finished()
                watch(Step(done, number, len(todo), done.pages, done.pages, done=True))
        finally:
            await self._commit(finished)
            await self._tidy(tenant)
        await self._embed_left(tenant)
        return len(todo)

    async def _tidy(self, tenant: str | None) -> None:
        """What needs no reading: what is gone, and what others may read from now on."""
        await self._delete_gone(tenant)
        await self._set_rights(tenant)

    # --- one document --------------------------------------------------------------------------------

    async def _one(self, document: Document, at: Callable[[int, int], None]) -> Document:
        """As it is afterwards, ``ready`` or ``failed``; the index not yet committed."""
        path = self._path_of(document)
        try:
            if path is None:
                raise CallerError("not_a_file", "文件不在了", "the file is gone")
            digest = await asyncio.to_thread(_digest, path)
            if digest == document.digest and document.revision:
                return _ready(document)
            return await self._read(document, path, digest, at)
        except CallerError as e:
            return await self._failed(document, e.text)
        except DaziError:
            raise  # nothing is wrong with the document
        except Exception:  # others must not wait for it
            log.exception("%s could not be read", document.place)
            return await self._failed(document, UNKNOWN)

    async def _failed(self, document: Document, why: Text) -> Document:
        """What was found of it before stays; what was read of the new one goes. Where nothing of it
        counts, as of one that was deleted and came back, all goes."""
        new = document.revision + 1 if document.chunks else None
        await self._index.delete(document.tenant, [document.id], revision=new)
        return replace(
            document,
            state="failed",
            progress=Progress(),
            error_zh=why.zh,
            error_en=why.en,
            at=time.time(),
        )

    async def _read(
        self, document: Document, path: Path, digest: str, at: Callable[[int, int], None]
    ) -> Document:
        told = document.progress
        before = told if told.digest == digest else Progress(digest)
        writing = _Writing(self, replace(document, state="reading", progress=before))
        await self._index.delete(
            document.tenant,
            [document.id],
            revision=document.revision + 1,
            since=before.ordinal,
        )
        pages = scanned = 0
        async with aclosing(self._blocks(path, before.page)) as blocks:
            async for item in blocks:
                if isinstance(item, Block):
                    await writing.add(item)
                    continue
                pages = item.pages
                scanned += item.scanned
                at(item.page, item.pages)
                if item.page % self._reading.checkpoint_pages == 0 and item.page < item.pages:
                    await writing.checkpoint(item)
        await writing.close()
        if document.revision:
            self.left = True
            await self._index.delete(document.tenant, [document.id], revision=document.revision)
        done = replace(
            document,
            title=writing.title,
            digest=digest,
            revision=document.revision + 1,
            chunks=writing.chunker.ordinal,
            pages=pages,
            scanned=scanned,
        )
        return _ready(done)

    def _blocks(self, path: Path, after: int) -> AsyncGenerator[Block | PageRead]:
        if path.suffix == ROW:
            return _paragraphs(path)
        pages = (after + 1, self._reading.limits.pages) if after else None
        return parse(path, None, self._reading.limits, pages=pages, ocr=self._reading.ocr)

    async def add(self, document: Document, title: str, chunks: Sequence[Chunk]) -> None:
        """``chunks`` of the revision that is being read, with their vectors."""
        vectors = await self._vectors(title, chunks)
        await self._index.add(
            [
                Entry(
                    document.tenant,
                    document.id,
                    chunk,
                    title,
                    document.readers,
                    document.revision + 1,
                    vector,
                )
                for chunk, vector in zip(chunks, vectors, strict=True)
            ]
        )

    async def keep(self, document: Document) -> None:
        """Commit, and write down that reading goes on from here."""
        await self._index.commit()
        await self._records.note(document, "state", "progress", "pages", "title")

    async def _vectors(
        self, title: str, chunks: Sequence[Chunk]
    ) -> Sequence[Sequence[float] | None]:
        if self._embedding is None:
            return [None] * len(chunks)
        try:
            return await self._embedding.of([passage_text(title, chunk) for chunk in chunks])
        except DaziError as e:  # words find them all the same, and vectors are made later
            log.warning("added without vectors: %s", e)
            return [None] * len(chunks)

    # --- all of them ---------------------------------------------------------------------------------

    async def _delete_gone(self, tenant: str | None) -> None:
        gone = await self._records.documents(tenant, states=("gone",))
        for of in sorted({d.tenant for d in gone}):
            numbers = [d.id for d in gone if d.tenant == of]
            self.left = True
            await self._index.delete(of, numbers)
            await self._index.commit()
            await self._records.drop(numbers)

    async def _set_rights(self, tenant: str | None) -> None:
        """Rights that were changed: the same chunks for other readers."""
        for document in await self._records.documents(tenant, states=("rights",)):
            entries = await self._index.entries(document.tenant, document.id)
            await self._index.delete(document.tenant, [document.id])
            changed = [replace(e, readers=document.readers) for e in entries]
            for first in range(0, len(changed), AT_ONCE):
                await self._index.add(changed[first : first + AT_ONCE])
            await self._index.commit()
            self.left = True
            now = await self._records.document(document.id, document.tenant)
            if now.readers == document.readers:  # else they were changed once more
                state: State = "failed" if document.error_zh else "ready"
                await self._records.note(replace(document, state=state), "state")

    async def _embed_left(self, tenant: str | None) -> None:
        """Chunks that have no vector of the model that is set now, which may be another than before."""
        if self._embedding is None:
            return
        documents = await self._records.documents(tenant, states=("ready", "failed"))
        for of in sorted({d.tenant for d in documents}):
            for number in await self._index.unembedded(of):
                entries = await self._index.entries(of, number)
                try:
                    vectors = await self._embedding.of(
                        [passage_text(e.title, e.chunk) for e in entries]
                    )
                except DaziError as e:
                    log.warning("vectors are made later: %s", e)
                    return
                whole = [replace(e, vector=v) for e, v in zip(entries, vectors, strict=True)]
                await self._index.delete(of, [number])
                for first in range(0, len(whole), AT_ONCE):
                    await self._index.add(whole[first : first + AT_ONCE])
                await self._index.commit()
                self.left = True

    async def _commit(self, finished: _Finished) -> None:
        if not finished.documents:
            return
        await self._index.commit()
        for document in finished.documents:
            try:
                now = await self._records.document(document.id, document.tenant)
            except NotFound:
                continue
            if now.readers != document.readers and document.state == "ready":
                document = replace(document, state="rights")
            await self._records.note(document, *OUTCOME)


class _Writing:
    """A document's chunks on their way into the index."""

    def __init__(self, indexer: Indexer, document: Document) -> None:
        self._indexer = indexer
        self._document = document
        self._held: list[Chunk] = []
        progress = document.progress
        self.chunker = Chunker(list(progress.path), progress.ordinal)
        self.title = document.title if document.own_title or progress.page else ""

    async def add(self, block: Block) -> None:
        self._take(self.chunker.add(block))
        if len(self._held) >= AT_ONCE:
            await self._give()

    async def checkpoint(self, read: PageRead) -> None:
        await self.close()
        progress = Progress(
            self._document.progress.digest,
            read.page,
            read.pages,
            self.chunker.ordinal,
            tuple(self.chunker.path),
        )
        self._document = replace(
            self._document, progress=progress, pages=read.pages, title=self.title
        )
        await self._indexer.keep(self._document)

    async def close(self) -> None:
        self._take(self.chunker.close())
        await self._give()

    def _take(self, chunks: Iterable[Chunk]) -> None:
        for chunk in chunks:
            if not self.title:  # its first heading, else its name
                stem = Path(self._document.place).stem
                self.title = chunk.path[0] if chunk.path else stem
            self._held.append(chunk)

    async def _give(self) -> None:
        if self._held:
            await self._indexer.add(self._document, self.title, self._held)
            self._held = []


OUTCOME = (
    "state", "title", "digest", "revision", "chunks", "pages", "scanned", "progress",
    "error_zh", "error_en", "at",
)  # fmt: skip
"""What reading a document writes down."""
ROW = ".row"
"""The ending of files that hold a row of a database: our own text, which needs no parser."""


def _ready(document: Document) -> Document:
    return replace(
        document, state="ready", progress=Progress(), error_zh="", error_en="", at=time.time()
    )


def _digest(path: Path) -> str:
    """SHA-256 of a file. Raises ``CallerError`` where it cannot be read."""
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as e:
        why = e.strerror or type(e).__name__
        raise CallerError("not_a_file", f"读不了这个文件:{why}", f"cannot be read: {why}") from e


async def _paragraphs(path: Path) -> AsyncGenerator[Block | PageRead]:
    text = await asyncio.to_thread(path.read_text, "utf-8")
    for paragraph in text.split("\n"):
        yield Block("text", paragraph)
