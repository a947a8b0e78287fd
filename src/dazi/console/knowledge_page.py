"""The company's documents: a search, and those that the person may read; more for managers."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import count
from typing import Any

from nicegui import ui

from dazi.console import knowledge_texts as texts
from dazi.console.acts import act, button
from dazi.console.knowledge_manager import AllDocuments, SourceList
from dazi.console.knowledge_routes import document_url
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.sources import PassageDialog, entry
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.principal import Principal
from dazi.knowledge.records import Document
from dazi.knowledge.search import Answer, Passage, Question
from dazi.knowledge.service import KnowledgeService

FOUND = 10
SHOWN = 200
"""Documents of a list that are drawn at once; a filter finds the others."""
LOOK_S = 2.0
"""How often managers' lists look while documents are being read; else every ``SELDOM``-th time."""
SELDOM = 4


async def draw(scene: Scene, knowledge: KnowledgeService) -> None:
    language = scene.language
    manages = knowledge.administration.may(scene.principal)
    with div("dz-page dz-knowledge"):
        head(scene)
        heading(texts.KNOWLEDGE(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        if not manages:
            await ReadingRoom(scene, knowledge).refresh()
        else:
            await _with_tabs(scene, knowledge)


async def _with_tabs(scene: Scene, knowledge: KnowledgeService) -> None:
    language = scene.language
    with ui.tabs().props("no-caps dense align=left").classes("dz-tabs") as tabs:
        read = ui.tab("read", texts.TAB_READ(language))
        ui.tab("all", texts.TAB_ALL(language))
        ui.tab("sources", texts.TAB_SOURCES(language))
    with ui.tab_panels(tabs, value=read, keep_alive=True).classes("dz-panels"):
        with ui.tab_panel("read"):
            room = ReadingRoom(scene, knowledge)
        with ui.tab_panel("all"):
            every = AllDocuments(scene, knowledge)
        with ui.tab_panel("sources"):
            sources = SourceList(scene, knowledge)
    for part in (room, every, sources):
        await part.refresh()

    looks = count(1)

    async def look() -> None:
        if scene.visit.ended:  # looking on its own must not keep a session from idling out
            return
        if not every.waiting and next(looks) % SELDOM:
            return
        await every.refresh()
        await sources.refresh()
        if every.settled:
            await room.refresh()

    ui.timer(LOOK_S, look)


class ReadingRoom:
    def __init__(self, scene: Scene, knowledge: KnowledgeService) -> None:
        self._scene, self._knowledge = scene, knowledge
        self._documents: Sequence[Document] = ()
        self._dialog = PassageDialog(scene, knowledge)
        language = scene.language
        with div("dz-search"):
            self._query = ui.input(placeholder=texts.SEARCH(language)).props(
                "outlined dense clearable maxlength=500 type=search"
            )
            self._query.props["aria-label"] = texts.SEARCH(language)
            self._query.on("keydown.enter", self._search, args=[])
            button(texts.SEARCH_BUTTON(language), self._search, "dz-button-main dz-search-go")
        self._found = div("dz-found").props("aria-live=polite")
        self._filter = ui.input(
            placeholder=texts.FILTER(language), on_change=lambda _: self._draw()
        ).props("outlined dense clearable")
        self._filter.props["aria-label"] = texts.FILTER(language)
        self._filter.classes("dz-filter")
        self._list = ui.element("ul").classes("dz-documents")

    async def refresh(self) -> None:
        found = await self._knowledge.library.readable(self._scene.principal)
        if found != self._documents or not found:
            self._documents = found
            self._draw()

    async def _search(self) -> None:
        text = str(self._query.value or "").strip()
        if not text:
            self._found.clear()
            return

        async def find(principal: Principal) -> Answer:
            return await self._knowledge.search.answer(Question(text, principal, limit=FOUND))

        found = await act(self._scene, find)
        self._found.clear()
        if found is None:
            return
        with self._found:
            if not found.passages:
                ui.label(texts.FOUND_NOTHING(self._scene.language)).classes("dz-muted")
            passages = list(found.passages)
            if found.quote is not None and found.source is not None:
                ui.label(reveal(found.quote.text)).classes("dz-quote")
                passages = [found.source, *(p for p in passages if p != found.source)]
            for number, passage in enumerate(passages, 1):
                quote = found.quote.text if found.quote and passage == found.source else ""
                self._entry(number, passage, quote)

    def _entry(self, number: int, passage: Passage, quote: str) -> None:
        shown = self._told(number, passage)
        entry(shown, self._scene.language, lambda: self._dialog.show(shown, quote))

    def _told(self, number: int, passage: Passage) -> dict[str, Any]:
        """A passage as an attachment has it."""
        chunk, title = passage.hit.chunk, passage.hit.title
        source = passage.document.place.rpartition("/")[2]
        if chunk.page:
            source += f" · {texts.PAGE_PICTURE(self._scene.language).format(n=chunk.page)}"
        return {
            "number": number,
            "title": title,
            "source": source,
            "section": " > ".join(name for name in chunk.path if name != title),
            "text": chunk.text,
            "document": passage.document.id,
            "ordinal": chunk.ordinal,
        }

    def _draw(self) -> None:
        language = self._scene.language
        wanted = str(self._filter.value or "").casefold().strip()
        found = [d for d in self._documents if wanted in f"{d.title}\n{d.place}".casefold()]
        self._list.clear()
        with self._list:
            for document in found[:SHOWN]:
                with ui.element("li"), ui.element("a").classes("dz-document") as link:
                    link.props["href"] = document_url(document.id)
                    ui.label(reveal(document.title or document.place))
                    ui.label(" · ".join(_about(document, self._scene))).classes("dz-muted")
            if not found:
                with ui.element("li"):
                    ui.label(texts.NO_DOCUMENTS(language)).classes("dz-muted dz-none")


def _about(document: Document, scene: Scene) -> list[str]:
    language = scene.language
    out = [reveal(document.place.rpartition("/")[2])]
    if document.pages:
        out.append(texts.PAGES(language).format(n=document.pages))
    if document.state != "ready":
        out.append(texts.STATES[document.state](language))
    return out
