"""One turn on the page: words, cards, tables and charts in the order in which they come."""

from __future__ import annotations

from collections.abc import Callable
from typing import assert_never

from nicegui import ui
from nicegui.element import Element

from dazi.console import attachments, context, texts
from dazi.console.call_card import CallCard
from dazi.console.markdown import to_html
from dazi.console.pieces import div
from dazi.console.sources import OpenPassage
from dazi.console.visible import reveal
from dazi.console.why import Fresh
from dazi.core.company import Company
from dazi.core.language import Language
from dazi.core.turn import (
    AnswerDelta,
    Attachment,
    CallFinished,
    CallProposed,
    ConfirmationNeeded,
    ReasoningStep,
    TurnEvent,
    TurnFinished,
    TurnStarted,
)


class TurnView:
    """``live`` turns show that something is going on until ``end``. ``show`` opens a passage; ``why``
    makes a button that tells of the turn, ``thumbs`` those to say what one thinks of it."""

    def __init__(
        self,
        parent: Element,
        company: Company,
        language: Language,
        *,
        live: bool = True,
        show: OpenPassage | None = None,
        why: Callable[[Fresh], object] | None = None,
        thumbs: Callable[[Fresh], object] | None = None,
    ) -> None:
        self._show_passage = show
        self._why = why
        self._thumbs = thumbs
        self._turn = ""
        self._attachments: list[Attachment] = []
        self._company = company
        self._language = language
        self.cards: dict[str, CallCard] = {}
        self._text = ""
        self._words: ui.html | None = None
        self._thoughts: ui.label | None = None
        self._thought = ""
        with parent, div("dz-turn"):
            with div("dz-mark").props("aria-hidden=true"):
                ui.label("搭")
            with div("dz-body"):
                self._blocks = div("dz-blocks")
                self._working = div("dz-working").props("role=status")
                self._foot = div("dz-foot")
        self._state: ui.label | None = None
        if live:
            with self._working:
                ui.spinner("dots", size="22px")
                self._state = ui.label(texts.WORKING(language))

    def show(self, event: TurnEvent) -> None:
        match event:
            case TurnStarted(turn=turn):
                self._turn = turn
            case ConfirmationNeeded():
                pass
            case AnswerDelta(text=text):
                self._say(text)
            case ReasoningStep(text=text):
                self._think(text)
            case CallProposed(id=call, name=name, arguments=arguments):
                self._card(call, name, arguments)
            case CallFinished(record=record):
                card = self.cards.get(record.id) or self._card(record.id, record.name, "")
                card.finish(record)
                self._set_working(texts.WORKING(self._language))
            case Attachment():
                self._attachments.append(event)
                self._block(lambda: attachments.draw(event, self._language, self._show_passage))
            case TurnFinished():
                self._finish(event)
            case _:
                assert_never(event)

    def end(self) -> None:
        """Nothing more will come."""
        self._working.clear()
        self._state = None
        for card in self.cards.values():
            card.close(self._text)

    def stopped(self) -> None:
        self.end()
        self._block(lambda: ui.label(texts.STOPPED(self._language)).classes("dz-muted dz-stopped"))
        if self._text:
            self.label_as_generated()

    def fail(self, message: str) -> None:
        """An error, told in the person's language."""
        self.end()

        def draw() -> None:
            with div("dz-error").props("role=alert"):
                ui.icon("error_outline")
                ui.label(reveal(message))

        self._block(draw)

    def label_as_generated(self, *details: str, finished: TurnFinished | None = None) -> None:
        self._foot.clear()
        with self._foot:
            ui.icon("auto_awesome").props("aria-hidden=true")
            ui.label(" · ".join((texts.AI_LABEL(self._language), *details)))
            if self._why is not None:
                self._why(Fresh(self._turn, finished, tuple(self._attachments)))
            if self._thumbs is not None:
                self._thumbs(Fresh(self._turn, finished))

    def _say(self, text: str) -> None:
        self._text += text
        if self._words is None:
            self._text = text
            with self._blocks:
                self._words = ui.html("").classes("dz-answer")
        self._words.set_content(to_html(self._text))

    def _think(self, text: str) -> None:
        self._thought += text
        if self._thoughts is None:
            self._words = None
            with self._blocks, ui.element("details").classes("dz-thoughts"):
                with ui.element("summary"):
                    ui.label(texts.THOUGHTS(self._language))
                self._thoughts = ui.label()
        self._thoughts.set_text(reveal(self._thought))

    def _card(self, call: str, name: str, arguments: str) -> CallCard:
        self._words = self._thoughts = None
        self._thought = ""
        with self._blocks:
            card = CallCard(self._company, self._language, name, arguments)
        self.cards[call] = card
        self._set_working(texts.CALLING(self._language).format(system=card.system))
        return card

    def _block(self, draw: Callable[[], object]) -> None:
        self._words = None
        with self._blocks:
            draw()

    def _set_working(self, label: str) -> None:
        if self._state is not None:
            self._state.set_text(label)

    def _finish(self, event: TurnFinished) -> None:
        self.end()
        if event.reason == "confirmation":
            return
        seconds = f"{max(event.ms, 100) / 1000:.1f}"
        details = [texts.SECONDS(self._language).format(s=seconds)]
        if event.replaced:
            details.append(texts.REPLACED(self._language).format(n=event.replaced))
        if event.cut_short:
            details.append(texts.CUT_SHORT(self._language))
        self.label_as_generated(*details, finished=event)
        if event.context is not None:
            with self._foot:
                context.draw(event.context, self._language)
