"""One document: its passages in order, and of a PDF its pages as pictures beside them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from nicegui import ui
from nicegui.element import Element

from dazi.console import knowledge_texts as texts
from dazi.console.acts import act, button
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.sources import draw_passage, draw_picture
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.knowledge.index import Hit
from dazi.knowledge.service import KnowledgeService, Opened, is_drawn

AT_ONCE = 40
BEFORE = 3
"""Passages above the one that is asked for."""


async def draw(scene: Scene, knowledge: KnowledgeService, number: str, at: int | None) -> None:
    """From the passage ``at`` on. Raises ``NotFound``."""
    first = max((at or 0) - BEFORE, 0)
    opened = await knowledge.open(scene.principal, number, first, AT_ONCE)
    with div("dz-page dz-document-page"):
        head(scene)
        with ui.element("a").props("href=/knowledge").classes("dz-back"):
            ui.icon("arrow_back")
            ui.label(texts.KNOWLEDGE(scene.language))
        heading(reveal(opened.document.title or opened.document.place))
        ui.label(reveal(opened.document.place)).classes("dz-muted")
        _Passages(scene, knowledge, at).show(opened)


def draw_not_found(scene: Scene) -> None:
    with div("dz-page"):
        head(scene)
        with div("dz-empty"):
            ui.icon("search_off").classes("dz-empty-icon")
            heading(texts.NOT_FOUND(scene.language))
            ui.label(texts.NOT_FOUND_HINT(scene.language)).classes("dz-muted")
            with ui.element("a").props("href=/knowledge").classes("dz-new dz-new-inline"):
                ui.label(texts.KNOWLEDGE(scene.language))


class _Passages:
    def __init__(self, scene: Scene, knowledge: KnowledgeService, at: int | None) -> None:
        self._scene, self._knowledge, self._at = scene, knowledge, at
        self._list = div("dz-pages")
        self._foot: Element = div("dz-more")
        self._drawn: set[int] = set()

    def show(self, opened: Opened) -> None:
        drawn = is_drawn(opened.document)
        with self._list:
            for page, group in groupby(opened.passages, lambda h: h.chunk.page):
                self._page(opened, page if drawn else 0, list(group))
        self._foot.clear()
        if len(opened.passages) == AT_ONCE:
            following = opened.passages[-1].chunk.ordinal + 1
            with self._foot:
                button(
                    texts.MORE(self._scene.language),
                    lambda: self._more(opened.document.id, following),
                    "dz-button",
                )

    def _page(self, opened: Opened, page: int, passages: Sequence[Hit]) -> None:
        language = self._scene.language
        with div("dz-passage-body dz-document-body"):
            with div("dz-passages"):
                for hit in passages:
                    draw_passage(hit, current=hit.chunk.ordinal == self._at)
            if page and page not in self._drawn:
                self._drawn.add(page)
                here = next((h for h in passages if h.chunk.ordinal == self._at), None)
                draw_picture(opened.document.id, page, self._at if here else None, language)

    async def _more(self, number: str, first: int) -> None:
        opened = await act(self._scene, lambda by: self._knowledge.open(by, number, first, AT_ONCE))
        if opened is not None:
            self.show(opened)
