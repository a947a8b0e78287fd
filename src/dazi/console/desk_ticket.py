"""``/desk/t/T00001``: a ticket with its conversation, and what can be done with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from dazi.apps.desk.clocks import Clock
from dazi.apps.desk.desk import Desk
from dazi.apps.desk.given import LONGEST_TEXT
from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.model import ACTS, PRIORITIES, STATES, Act
from dazi.apps.desk.service import View
from dazi.apps.desk.suggesting import Suggestion
from dazi.console import desk_texts as texts
from dazi.console.acts import act, button
from dazi.console.desk_page import chip, when
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.principal import Principal

TONES = {"running": "good", "met": "good", "warning": "wait", "breached": "bad", "missed": "bad"}


async def draw(scene: Scene, desk: Desk, number: str) -> None:
    """Raises ``NotFound``, before anything is drawn."""
    view = await desk.service.view(scene.principal, number, desk.clock())
    with div("dz-page dz-desk"):
        head(scene)
        with ui.element("a").props("href=/desk").classes("dz-muted"):
            ui.label(f"← {texts.DESK(scene.language)}")
        TicketView(scene, desk, number).draw(view)


def draw_not_found(scene: Scene) -> None:
    with div("dz-page dz-desk"):
        heading(texts.NOT_FOUND(scene.language))


class TicketView:
    def __init__(self, scene: Scene, desk: Desk, number: str) -> None:
        self._scene, self._desk, self._number = scene, desk, number
        self._staff = desk.service.actor(scene.principal) != "customer"
        self._body = div("dz-ticket-view").props("aria-live=polite")
        self._text: ui.textarea | None = None

    def draw(self, view: View) -> None:
        language, card, ticket = self._scene.language, view.card, view.ticket
        self._body.clear()
        with self._body:
            heading(reveal(card.title))
            with div("dz-chips"):
                chip(STATES[card.state](language), "quiet")
                chip(PRIORITIES[card.priority](language), "quiet")
                chip(INTENTS[ticket.category](language), "quiet")
            parts = [card.id, self._desk.names(card.user, language)]
            if self._staff:
                assignee = ticket.assignee and self._desk.names(ticket.assignee, language)
                parts.append(assignee or texts.NOBODY(language))
            if ticket.orders:
                parts.append(texts.ORDERS(language).format(orders=", ".join(ticket.orders)))
            ui.label(reveal(" · ".join(parts))).classes("dz-muted")
            if view.clocks is not None:
                with div("dz-clocks"):
                    for clock in view.clocks.both:
                        self._clock(clock)
            self._summary(view)
            self._conversation(view)
            self._events(view)
            self._acts(view)

    def _clock(self, clock: Clock) -> None:
        language = self._scene.language
        name = texts.RESPONSE if clock.kind == "response" else texts.RESOLUTION
        with div("dz-clock"):
            ui.label(name(language)).classes("dz-muted")
            chip(texts.STANDINGS[clock.standing](language), TONES.get(clock.standing, "quiet"))
            used, limit = round(clock.used / 60), round(clock.limit / 60)
            ui.label(texts.OF_MINUTES(language).format(used=used, limit=limit)).classes("dz-muted")
            if clock.due is not None and clock.live:
                told = texts.DUE(language).format(time=when(clock.due, self._desk))
                ui.label(told).classes("dz-muted")

    def _summary(self, view: View) -> None:
        if view.summary is None or not view.summary.asked:
            return
        with div("dz-block dz-ticket-summary"):
            ui.label(texts.SUMMARY(self._scene.language)).classes("dz-block-head")
            for line in view.summary.text.splitlines():
                ui.label(reveal(line))

    def _conversation(self, view: View) -> None:
        said = [s for s in view.conversation if s.message.role in ("user", "assistant")]
        said = [s for s in said if s.message.content.strip()][-20:]
        if not said:
            return
        language = self._scene.language
        with div("dz-block"):
            ui.label(texts.CONVERSATION(language)).classes("dz-block-head")
            for spoken in said:
                mine = spoken.message.role == "user"
                with div(f"dz-said {'dz-said-customer' if mine else ''}"):
                    who = texts.CUSTOMER if mine else texts.ASSISTANT
                    at = when(spoken.at, self._desk)
                    ui.label(f"{who(language)} {at}").classes("dz-muted")
                    ui.label(reveal(spoken.message.content)).classes("dz-said-text")

    def _events(self, view: View) -> None:
        language = self._scene.language
        with div("dz-block"):
            ui.label(texts.HISTORY(language)).classes("dz-block-head")
            for event in view.events:
                with div("dz-event"):
                    at, by = (
                        when(event.at, self._desk),
                        self._desk.names(event.by, language),
                    )
                    ui.label(f"{at}  {by}  {ACTS[event.act](language)}").classes("dz-muted")
                    detail = {k: v for k, v in event.data.items() if k != "summary"}
                    told = " ".join(str(v) for v in detail.values())
                    if event.text or told:
                        ui.label(reveal(" ".join(p for p in (told, event.text) if p)))

    def _acts(self, view: View) -> None:
        language = self._scene.language
        offered = texts.STAFF_ACTS if self._staff else texts.CUSTOMER_ACTS
        can = [a for a in offered if a in view.possible]
        with div("dz-block dz-ticket-acts"):
            if not self._staff and "rate" in view.possible:
                self._rating()
            if not can:
                return
            hint = texts.YOUR_REPLY if self._staff else texts.WRITE
            self._text = ui.textarea(placeholder=hint(language))
            self._text.props(f"outlined autogrow maxlength={LONGEST_TEXT}")
            self._text.props["aria-label"] = hint(language)
            with div("dz-act-row"):
                for name in can:
                    main = "dz-button-main" if name == can[0] else "dz-button"
                    label = texts.DO[name](language)
                    button(label, self._doing(name), f"{main} dz-do-{name}")
            if self._staff and "reply" in can:
                self._help(view)

    def _help(self, view: View) -> None:
        language = self._scene.language
        with div("dz-act-row"):
            button(texts.SUGGEST(language), self._suggest, "dz-button dz-suggest")
            for canned in self._desk.offered(view)[:6]:
                label = canned.title(language)
                button(label, self._fill(canned.name), "dz-button-quiet dz-canned")
        self._suggested = div("dz-suggested")

    def _rating(self) -> None:
        language = self._scene.language
        with div("dz-act-row dz-rating"):
            ui.label(texts.RATE(language))
            for stars in range(1, 6):
                button(str(stars), self._doing("rate", stars=stars), f"dz-button dz-star-{stars}")

    def _doing(self, name: Act, **data: Any) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            said = str(self._text.value or "") if self._text is not None else ""

            async def work(by: Principal) -> View:
                now = self._desk.clock()
                return await self._desk.service.act(by, self._number, name, now, said, **data)

            view = await act(self._scene, work)
            if view is not None and not self._body.is_deleted:
                self.draw(view)

        return do

    def _fill(self, name: str) -> Callable[[], Awaitable[None]]:
        async def fill() -> None:
            async def work(by: Principal) -> str:
                return await self._desk.canned(by, self._number, name)

            text = await act(self._scene, work)
            if text and self._text is not None:
                self._text.set_value(text)

        return fill

    async def _suggest(self) -> None:
        async def work(by: Principal) -> Suggestion:
            return await self._desk.suggest(by, self._number)

        found = await act(self._scene, work)
        if found is None or self._suggested.is_deleted:
            return
        language = self._scene.language
        self._suggested.clear()
        with self._suggested:
            for sentence in found.sentences:
                with div("dz-sentence"):
                    ui.label(reveal(sentence.text))
                    told = texts.FROM(language).format(source=sentence.source)
                    ui.label(reveal(told)).classes("dz-muted")
            if not found.sentences:
                ui.label(texts.SUGGEST_NONE(language)).classes("dz-muted")
                return

            def use() -> None:
                if self._text is not None:
                    self._text.set_value(found.text)

            button(texts.USE(language), use, "dz-button dz-use-suggestion")
