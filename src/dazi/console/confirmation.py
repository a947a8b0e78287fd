"""The dialog before a sensitive call: drawn from the canonical arguments, decided once."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from nicegui import ui

from dazi.console import texts
from dazi.console.abilities import short
from dazi.console.call_card import draw_fields
from dazi.console.labels import argument_fields
from dazi.console.pieces import div, named_dialog
from dazi.console.state import Scene
from dazi.console.visible import has_hidden
from dazi.core.turn import ConfirmationNeeded
from dazi.router.approval import Ticket


@dataclass(frozen=True, slots=True)
class Waiting:
    """A call that waits for a person. ``expires`` in seconds since the epoch."""

    ticket: str
    name: str
    arguments: Mapping[str, Any]
    expires: float
    sources: Mapping[str, tuple[str, ...]]
    approver: str = ""

    @classmethod
    def of_event(cls, event: ConfirmationNeeded) -> Waiting:
        expires = datetime.fromisoformat(event.expires).timestamp()
        return cls(
            event.ticket, event.name, event.arguments, expires, event.sources, event.approver
        )

    @classmethod
    def of_ticket(cls, ticket: Ticket) -> Waiting:
        asked = ticket.asked
        return cls(
            ticket.id,
            asked.tool,
            asked.arguments,
            ticket.expires,
            asked.untrusted,
            asked.approver,
        )


class ConfirmDialog:
    """``answer`` is called once: with the ticket and true, false, or ``None`` for "later"."""

    def __init__(
        self, scene: Scene, waiting: Waiting, answer: Callable[[str, bool | None], None]
    ) -> None:
        self.waiting = waiting
        self._scene = scene
        self._answer = answer
        self._answered = False
        with (
            named_dialog(texts.CONFIRM_TITLE(self._scene.language)).props(
                "persistent"
            ) as self._dialog,
            div("dz-dialog"),
        ):
            self._draw()
        self._dialog.on("hide", lambda _: self._dialog.delete(), args=[])
        self._dialog.open()

    def _draw(self) -> None:
        scene, language = self._scene, self._scene.language
        tool = scene.state.company.tools.get(self.waiting.name)
        with div("dz-dialog-head"):
            ui.icon("gpp_maybe").classes("dz-dialog-icon")
            with div("dz-dialog-title"):
                ui.label(texts.CONFIRM_TITLE(language)).classes("dz-muted")
                ui.label(short(tool.description, language) if tool else self.waiting.name)
        ui.label(texts.CONFIRM_HINT(language)).classes("dz-muted dz-dialog-hint")
        with div("dz-fields dz-dialog-fields"):
            fields = argument_fields(
                tool,
                self.waiting.arguments,
                language,
                missing=True,
                sources=self.waiting.sources,
            )
            draw_fields(fields)
        if any(has_hidden(f.value) for f in fields):
            with div("dz-warning"):
                ui.icon("visibility_off")
                ui.label(texts.HIDDEN_WARNING(language))
        ui.label(self._identity()).classes("dz-muted")
        self._expiry = ui.label().classes("dz-muted dz-expiry")
        with div("dz-dialog-actions"):
            self._buttons = [
                self._button(
                    texts.LATER(language), "dz-button-quiet dz-later", lambda: self._settle(None)
                ),
                self._button(
                    texts.CANCEL(language), "dz-button dz-reject", lambda: self._settle(False)
                ),
                self._button(
                    texts.CONFIRM(language), "dz-button-main dz-approve", lambda: self._settle(True)
                ),
            ]
        ui.timer(1.0, self._tick)
        self._tick()

    def _button(self, label: str, classes: str, on_click: Callable[[], None]) -> ui.button:
        button = ui.button(label, on_click=lambda _: on_click(), color=None)
        return button.props("unelevated no-caps").classes(classes)

    def _identity(self) -> str:
        scene, language = self._scene, self._scene.language
        name, roles = person(scene)
        return texts.CONFIRM_AS(language).format(user=name, roles=roles)

    def _tick(self) -> None:
        left = int(self.waiting.expires - time.time())
        language = self._scene.language
        if left > 0:
            shown = f"{left // 60}:{left % 60:02d}"
            self._expiry.set_text(texts.EXPIRES(language).format(time=shown))
            return
        self._expiry.set_text(texts.EXPIRED(language))
        for button in self._buttons[1:]:
            button.disable()

    def _settle(self, approve: bool | None) -> None:
        if self._answered:
            return
        self._answered = True
        for button in self._buttons:
            button.disable()
        self._dialog.close()
        self._answer(self.waiting.ticket, approve)


def person(scene: Scene) -> tuple[str, str]:
    """The signed-in person's name and roles in words."""
    company, language = scene.state.company, scene.language
    principal = scene.principal
    account = scene.state.access.people.account(principal.tenant, principal.user)
    roles = sorted(account.roles) if account else []
    names = [company.role_names[r](language) for r in roles if r in company.role_names]
    shown = "、".join(names) if language == "zh" else ", ".join(names)
    return scene.state.name_of(principal.user, principal.tenant, language), shown
