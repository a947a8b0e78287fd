"""The company's documents wired together: library, index, search, and the tool that asks them."""

from __future__ import annotations

import asyncio
import logging
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from dazi.core.engine import Embedder, Reranker
from dazi.core.errors import ConnectorError, DaziError, OperatorError
from dazi.core.knowledge import Cited, KnowledgeAnswer, KnowledgeQuestion
from dazi.core.language import Language, Text
from dazi.knowledge.embedded import EmbeddedIndex
from dazi.knowledge.hybrid import Hybrid
from dazi.knowledge.index import KnowledgeIndex
from dazi.knowledge.indexing import Indexer, Reading, Watch, nobody
from dazi.knowledge.library import FILES, INDEX, Library
from dazi.knowledge.milvus import MilvusIndex
from dazi.knowledge.milvus_server import MilvusAddress
from dazi.knowledge.records import Records, State
from dazi.knowledge.search import Passage, Question, Search
from dazi.knowledge.service import KnowledgeService
from dazi.knowledge.vectors import VectorSpace, space_of
from dazi.main.knowledge_settings import KnowledgeSettings, roots_of
from dazi.main.settings import Settings
from dazi.packs.layers import layers_of
from dazi.store.database import Database

SPACE = "vector-space.json"
"""In the index's folder: which model its vectors are of."""
FIRST_WAIT_S = 8.0
"""How long the first question waits for documents that are being read."""
START_S = 5.0
"""After the start others go first; whoever searches before that has the sources looked through at once."""
POLL_S = 2.0
REST = 20.0
"""So many times as long as looking through all sources took they are left alone."""
FIRST_PURGE_S, PURGE_S = 3_600.0, 86_400.0
"""When after the start, and how often, deleted words are taken from the files of a very large index."""
PENDING: tuple[State, ...] = ("new", "reading", "rights", "gone")

log = logging.getLogger("dazi.knowledge")


class _Due:
    """Something that is to be done every so many seconds."""

    def __init__(self, every_s: float, first_s: float | None = None) -> None:
        self._every = every_s
        self._at = time.monotonic() + (every_s if first_s is None else first_s)

    def now(self) -> bool:
        """Is it time? Then the next comes after the whole interval."""
        if time.monotonic() < self._at:
            return False
        self._at = time.monotonic() + self._every
        return True

    def put_off(self, at_least_s: float) -> None:
        self._at = max(self._at, time.monotonic() + at_least_s)


@dataclass(slots=True)
class Documents:
    """Implements ``core.knowledge.KnowledgeSource``. ``extractive``: the model copies a sentence and
    can make nothing of passages. ``prepare`` is called once, before the sources are looked through."""

    library: Library
    search: Search
    settings: KnowledgeSettings
    extractive: bool = False
    people: KnowledgeService | None = None
    """What pages and routes work with, where there are any."""
    prepare: Callable[[], object] | None = None
    _first: asyncio.Task[None] | None = field(default=None, init=False)

    async def answer(self, question: KnowledgeQuestion) -> KnowledgeAnswer:
        await self.looked(FIRST_WAIT_S)
        asked = Question(question.text, question.principal, question.before)
        try:
            found = await self.search.answer(asked)
        except OperatorError as e:
            log.warning("documents could not be searched: %s", e)
            raise _unavailable() from e
        cited = [cited_of(n, p, question.language) for n, p in enumerate(found.passages, 1)]
        if found.quote is None or found.source is None:
            if self.extractive or not cited:
                raise await self._nothing(question, cited)
            return KnowledgeAnswer(tuple(cited))
        by_hit = {id(p.hit): c for p, c in zip(found.passages, cited, strict=True)}
        quoted = by_hit.get(id(found.source.hit))
        if quoted is None:  # the sentence stands in a passage further down
            quoted = cited_of(len(cited) + 1, found.source, question.language)
            cited.append(quoted)
        return KnowledgeAnswer(tuple(cited), found.quote.text, quoted)

    async def refresh(self, *, outside: bool = True, watch: Watch = nobody) -> int:
        """Look through the sources and read what is new; how many documents were. Raises
        ``OperatorError`` while another process is writing."""
        prepare, self.prepare = self.prepare, None
        if prepare is not None:
            await asyncio.to_thread(prepare)
        await self.library.declare(self.settings.sources)
        await self.library.look(outside=outside)
        return await self.library.index_now(watch=watch)

    async def keep_indexed(self, folders_s: float, outside_s: float) -> None:
        """Read what is new until cancelled: from folders every so many seconds, from web pages and
        databases seldomer, and from uploads at once."""
        await asyncio.sleep(START_S)
        outside, purge = _Due(outside_s), _Due(PURGE_S, FIRST_PURGE_S)
        began = time.monotonic()
        await self.looked()
        # Looking through very many files takes long itself: then it rests in proportion.
        look = _Due(folders_s, max(folders_s, REST * (time.monotonic() - began)))
        while True:
            await asyncio.sleep(POLL_S)
            try:
                if look.now():
                    began = time.monotonic()
                    await self.refresh(outside=outside.now())
                    look.put_off(REST * (time.monotonic() - began))
                elif purge.now():
                    await self.library.purge()
                elif await self.pending():
                    await self.library.index_now()
            except OperatorError as e:
                log.info("documents wait: %s", e)
            except Exception:
                log.exception("documents could not be read")

    async def pending(self, tenant: str | None = None) -> int:
        """Documents that are still to be read or deleted."""
        found = await self.library.records.documents(tenant, states=PENDING)
        return len(found)

    async def close(self) -> None:
        if self.people is not None:
            await self.people.close()
        if self._first is not None:
            self._first.cancel()
            await asyncio.gather(self._first, return_exceptions=True)
        await self.library.index.close()

    # --- the first look ------------------------------------------------------------------------------

    async def _first_look(self) -> None:
        try:
            await self.refresh()
        except DaziError as e:
            log.warning("documents could not be read: %s", e)

    async def looked(self, wait_s: float | None = None) -> None:
        """The sources have been looked through once, or that takes longer than ``wait_s``."""
        if self._first is None:
            self._first = asyncio.create_task(self._first_look())
        await asyncio.wait([self._first], timeout=wait_s)

    async def _nothing(self, question: KnowledgeQuestion, near: list[Cited]) -> ConnectorError:
        zh, en = "公司文档里没有写这一点。", "The documents do not say that."
        titles = list(dict.fromkeys(c.title or c.source for c in near))[:3]
        if titles:
            zh += f"看过:{'、'.join(f'《{t}》' for t in titles)}。"
            en += f" Looked at: {', '.join(titles)}."
        waiting = await self.pending(question.principal.tenant)
        if waiting:
            zh += f"还有 {waiting} 份文档正在读,稍后可以再问。"
            en += f" {waiting} documents are still being read; ask again in a while."
        return ConnectorError("not_found", zh, en)


def _unavailable() -> ConnectorError:
    return ConnectorError(
        "unavailable",
        "公司文档现在查不了,请稍后再试",
        "documents cannot be searched now; try again later",
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where documents are kept, and the models that are set: they are closed by whoever made them.
    ``milvus``: the server that has the index; without one, a folder in ``data``."""

    database: Database
    data: Path
    company: Path
    embedder: Embedder | None = None
    reranker: Reranker | None = None
    ocr: bool = False
    milvus: MilvusAddress | None = None


def milvus_of(settings: Settings) -> MilvusAddress | None:
    if not settings.milvus_url:
        return None
    return MilvusAddress(settings.milvus_url, settings.milvus_token)


async def open_documents(place: Place, settings: KnowledgeSettings) -> Documents:
    """Raises ``OperatorError`` for a Milvus server that cannot be one. It need not be there now:
    documents wait for it, and until then the tool says that it is unavailable."""
    records = Records(place.database)
    folder = place.data / INDEX
    space = await _space(folder, place.embedder) if place.embedder is not None else None
    index: KnowledgeIndex = (
        await asyncio.to_thread(_index, folder, space)
        if place.milvus is None
        else MilvusIndex(place.milvus, space)
    )
    hybrid = Hybrid(index, place.embedder if space is not None else None, place.reranker)
    library = Library(records, index, place.data / FILES)
    library.roots = roots_of(place.company, place.data)
    library.counts = layers_of(place.company).counts
    library.indexer = Indexer(
        records,
        index,
        library.path_of,
        place.embedder if space is not None else None,
        Reading(ocr=place.ocr),
    )
    return Documents(library, Search(records, index, hybrid), settings)


async def _space(folder: Path, embedder: Embedder) -> VectorSpace | None:
    """The space of the vectors, which the index remembers for when the model does not answer;
    ``None`` where it never has: then words alone find until the next start."""
    kept = folder / SPACE
    try:
        space = await space_of(embedder)
    except DaziError as e:
        log.warning("the embedding model does not answer: %s", e)
        return msgspec.json.decode(kept.read_bytes(), type=VectorSpace) if kept.exists() else None
    await asyncio.to_thread(_keep, kept, msgspec.json.encode(space))
    return space


def _index(folder: Path, space: VectorSpace | None) -> EmbeddedIndex:
    """The index of this version. One of another is put away: the library makes it anew."""
    try:
        return EmbeddedIndex(folder, space)
    except OperatorError as e:
        if e.code != "index_version":
            raise
        log.warning("the index is made anew: %s", e)
        shutil.rmtree(folder)
        return EmbeddedIndex(folder, space)


def _keep(path: Path, content: bytes) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.write_bytes(content)


PAGE, SHEET = Text(" 第 {} 页", ", p. {}"), Text(" 第 {} 张表", ", sheet {}")


def cited_of(number: int, passage: Passage, language: Language) -> Cited:
    chunk = passage.hit.chunk
    document = passage.document
    source = document.place.rpartition("/")[2]
    if chunk.page:
        place = SHEET if document.place.lower().endswith((".xlsx", ".xlsm")) else PAGE
        source += place(language).format(chunk.page)
    title = passage.hit.title
    above = [name for name in chunk.path if name != title]
    return Cited(
        number, chunk.text, title, source, " > ".join(above), document.id, chunk.ordinal, chunk.page
    )
