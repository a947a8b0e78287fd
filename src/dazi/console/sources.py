"""The passages under an answer, and the dialog that shows one where it stands."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import Any

from nicegui import ui

from dazi.console import knowledge_texts as texts
from dazi.console.knowledge_routes import document_url, picture_url
from dazi.console.passages import passage_html
from dazi.console.pieces import div, icon_button, named_dialog
from dazi.console.sign_in import sign_in_url
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import DaziError
from dazi.core.language import Language
from dazi.knowledge.index import Hit
from dazi.knowledge.service import KnowledgeService, Opened, is_drawn

OpenPassage = Callable[[Mapping[str, Any], str], object]
"""Takes a passage as an attachment has it, and what is quoted of it."""
_TO_CURRENT = (
    "() => document.querySelector('.dz-passage-dialog .dz-passage-current')"
    "?.scrollIntoView({block: 'nearest'})"
)
SAME = 0.6
"""How like each other two passages are that are the same, but for what the guard hides."""

log = logging.getLogger("dazi.console")


def draw(data: Mapping[str, Any], language: Language, show: OpenPassage | None) -> None:
    """What the answer quotes or rests on, and what else was looked at below, folded."""
    passages: Sequence[Mapping[str, Any]] = data.get("passages", ())
    statements: Sequence[Mapping[str, Any]] = data.get("statements", ())
    cited = {*data.get("cited", ()), *(s["passage"] for s in statements)}
    quote = str(data.get("quote", ""))

    def one(passage: Mapping[str, Any]) -> None:
        told = quote if passage["number"] in data.get("cited", ()) else ""
        entry(passage, language, show and (lambda: show(passage, told)))

    for passage in passages:
        if passage["number"] in cited:
            one(passage)
    if statements:
        _statements(statements, passages, language, show)
    others = [p for p in passages if p["number"] not in cited]
    if others:
        with ui.element("details").classes("dz-others"):
            with ui.element("summary"):
                ui.label(texts.OTHERS(language).format(n=len(others)))
            for passage in others:
                one(passage)


def entry(
    passage: Mapping[str, Any], language: Language, on_click: Callable[[], object] | None
) -> None:
    """A line that names a passage, and opens it."""
    number = passage["number"]
    if on_click is None:
        row = div("dz-source")
    else:
        row = ui.element("button").props("type=button").classes("dz-source dz-source-link")
        row.props["title"] = texts.SHOW_PASSAGE(language).format(n=number)
        row.on("click", on_click, args=[])
    with row:
        ui.label(f"[{number}]").classes("dz-source-number")
        with div("dz-source-words"):
            ui.label(reveal(str(passage["title"] or passage["source"])))
            under = (passage["source"] if passage["title"] else "", passage["section"])
            where = " · ".join(str(part) for part in under if part)
            if where:
                ui.label(reveal(where)).classes("dz-muted")


def _statements(
    statements: Sequence[Mapping[str, Any]],
    passages: Sequence[Mapping[str, Any]],
    language: Language,
    show: OpenPassage | None,
) -> None:
    by_number = {p["number"]: p for p in passages}
    with div("dz-based"):
        ui.label(texts.BASED_ON(language)).classes("dz-muted")
        with ui.element("ul"):
            for statement in statements:
                with ui.element("li"):
                    ui.label(reveal(str(statement["text"])))
                    number = statement["passage"]
                    link = ui.element("button").props("type=button").classes("dz-cite")
                    link.props["title"] = texts.SHOW_PASSAGE(language).format(n=number)
                    if show is not None:
                        passage = by_number[number]
                        link.on("click", lambda p=passage: show(p, ""), args=[])
                    with link:
                        ui.label(f"[{number}]")


class PassageDialog:
    """Opens for whoever may read the passage at that moment, and else says why not."""

    def __init__(self, scene: Scene, knowledge: KnowledgeService) -> None:
        self._scene = scene
        self._knowledge = knowledge

    async def show(self, passage: Mapping[str, Any], quote: str) -> None:
        """``passage``: as an attachment has it."""
        language = self._scene.language
        principal = await self._scene.visit.principal()
        if principal is None:
            ui.navigate.to(sign_in_url("ended"))
            return
        number, ordinal = str(passage["document"]), int(passage["ordinal"])
        try:
            opened = await self._knowledge.around(principal, number, ordinal)
        except DaziError as e:
            log.info("a passage is not shown: %s", e)
            opened = None
        name = reveal(str(passage["title"] or passage["source"]))
        with named_dialog(name) as dialog, div("dz-dialog dz-passage-dialog"):
            with div("dz-dialog-head"):
                with div("dz-dialog-title"):
                    ui.label(reveal(str(passage["title"] or passage["source"])))
                    ui.label(reveal(str(passage["source"]))).classes("dz-muted")
                icon_button("close", texts.CLOSE(language), dialog.close).classes("dz-close")
            if opened is None:
                ui.label(texts.NOT_THERE(language)).classes("dz-muted")
            else:
                _body(opened, ordinal, (str(passage["text"]), quote), language)
        dialog.on("hide", lambda _: dialog.delete(), args=[])
        dialog.on("show", js_handler=_TO_CURRENT)
        dialog.open()


def _body(opened: Opened, ordinal: int, told: tuple[str, str], language: Language) -> None:
    """``told``: the text of the passage as it was found, and what is quoted of it."""
    text, quote = told
    here = next((h for h in opened.passages if h.chunk.ordinal == ordinal), None)
    if here is None or not _alike(here.chunk.text, text):
        ui.label(texts.CHANGED(language)).classes("dz-muted")
    with div("dz-passage-body"):
        with div("dz-passages"):
            for hit in opened.passages:
                draw_passage(hit, quote if hit is here else "", current=hit is here)
            with ui.element("a").classes("dz-open-document") as link:
                link.props["href"] = document_url(opened.document.id, ordinal)
                ui.icon("menu_book")
                ui.label(texts.OPEN_DOCUMENT(language))
        if here is not None and here.chunk.page and is_drawn(opened.document):
            draw_picture(opened.document.id, here.chunk.page, ordinal, language)


def draw_passage(hit: Hit, quote: str = "", *, current: bool = False) -> None:
    with div("dz-passage" + (" dz-passage-current" if current else "")):
        if hit.chunk.path:
            ui.label(reveal(" > ".join(hit.chunk.path))).classes("dz-muted")
        ui.html(passage_html(hit.chunk.text, quote), sanitize=False).classes("dz-passage-text")


def draw_picture(document: str, page: int, ordinal: int | None, language: Language) -> None:
    """It has its room before it comes, and gives it back if it cannot come."""
    with div("dz-picture"):
        image = ui.element("img").props("loading=lazy")
        image.props["src"] = picture_url(document, page, ordinal)
        image.props["alt"] = texts.PAGE_PICTURE(language).format(n=page)
        image.on("error", js_handler="(e) => e.target.parentElement.remove()")


def _alike(one: str, other: str) -> bool:
    return one == other or SequenceMatcher(None, one, other, autojunk=False).ratio() >= SAME
