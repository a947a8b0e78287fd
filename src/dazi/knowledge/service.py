"""Documents as people meet them on pages and over HTTP: read by their rights, looked after by managers."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path, PurePath

from dazi.core.errors import DaziError, NotFound
from dazi.core.principal import Principal
from dazi.knowledge.administration import Administration
from dazi.knowledge.index import Hit
from dazi.knowledge.library import Library
from dazi.knowledge.parsing.failures import not_read
from dazi.knowledge.parsing.kinds import kind_of
from dazi.knowledge.parsing.process import DEFAULT_LIMITS, picture
from dazi.knowledge.parsing.refusals import Refused
from dazi.knowledge.records import Document, Source
from dazi.knowledge.rights import labels_of
from dazi.knowledge.search import Search

DRAWN_AT_ONCE = 2
"""Pages that are drawn at the same time; others wait."""
AROUND = 1
"""Neighbours of a passage, before it and after it."""
INCOMING = "incoming"

log = logging.getLogger("dazi.knowledge")


@dataclass(frozen=True, slots=True)
class Opened:
    """A document that somebody may read, and some of its passages in their order."""

    document: Document
    passages: tuple[Hit, ...]


@dataclass(slots=True)
class KnowledgeService:
    library: Library
    search: Search
    administration: Administration
    largest_upload: int
    """Bytes."""
    _drawing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(DRAWN_AT_ONCE))
    _looking: set[asyncio.Task[None]] = field(default_factory=set)

    async def open(
        self, principal: Principal, number: str, first: int = 0, limit: int = 50
    ) -> Opened:
        """Passages from the ordinal ``first`` on. Raises ``NotFound`` for a document that
        ``principal`` may not read, as for none."""
        document = await self.library.document(number, principal)
        # While it is read anew the next revision is there beside the one that counts.
        found = await self.library.index.read(
            principal.tenant, number, labels_of(principal), first, 2 * limit
        )
        current = [h for h in found if h.revision == document.revision]
        return Opened(document, tuple(current[:limit]))

    async def around(self, principal: Principal, number: str, ordinal: int) -> Opened:
        """A passage with its neighbours. Raises as ``open``."""
        return await self.open(principal, number, max(ordinal - AROUND, 0), 2 * AROUND + 1)

    async def picture(
        self, principal: Principal, number: str, page: int, ordinal: int | None = None
    ) -> bytes:
        """A page of a PDF as PNG, with a frame around the passage ``ordinal``. Raises ``NotFound`` as
        ``open``, and where there is no such page; ``CallerError`` for a file that cannot be drawn."""
        document = await self.library.document(number, principal)
        path = await self.library.file_of(document)
        if path is None or not is_drawn(document, path) or not 1 <= page <= document.pages:
            raise NotFound("page", f"没有第 {page} 页", f"there is no page {page}")
        box = None
        if ordinal is not None:
            found = (await self.open(principal, number, ordinal, 1)).passages
            at = found[0].chunk if found else None
            if at is not None and (at.ordinal, at.page) == (ordinal, page):
                box = at.box
        async with self._drawing:
            return await picture(path, page, box)

    async def add_url(self, by: Principal, url: str, readers: Collection[str]) -> Source:
        """It is fetched at once, behind the caller's back: its state says what came of it."""
        added = await self.administration.add_url(by, url, readers)
        task = asyncio.create_task(self._look(added))
        self._looking.add(task)
        task.add_done_callback(self._looking.discard)
        return added

    async def upload(
        self, by: Principal, name: str, path: Path, readers: Collection[str]
    ) -> Document:
        """A copy of the file at ``path``. Raises as ``Administration.upload``, and ``CallerError`` for a
        kind of file that cannot be read."""
        try:
            kind_of(PurePath(name))
        except Refused as refused:
            self.administration.check(by)
            raise not_read(PurePath(name).name, refused.reason, DEFAULT_LIMITS) from None
        return await self.administration.upload(by, name, path, readers)

    async def close(self) -> None:
        for task in self._looking:
            task.cancel()
        await asyncio.gather(*self._looking, return_exceptions=True)

    async def _look(self, source: Source) -> None:
        try:
            await self.library.look(tenant=source.tenant, only=source.id)
        except DaziError as e:
            log.warning("%s could not be looked at: %s", source.place, e)


def is_drawn(document: Document, path: PurePath | None = None) -> bool:
    """Can pages of it be pictures? ``path``: its file, where the place does not tell."""
    try:
        return kind_of(path or PurePath(document.place)) == "pdf"
    except Refused:
        return False
