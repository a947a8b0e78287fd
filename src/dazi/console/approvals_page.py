"""What others ask for and this person decides: drawn from the canonical arguments."""

from __future__ import annotations

import logging
from collections.abc import Callable

from nicegui import ui

from dazi.console import review_texts, texts
from dazi.console.abilities import short
from dazi.console.call_card import draw_fields
from dazi.console.labels import argument_fields
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.sign_in import sign_in_url
from dazi.console.state import Scene
from dazi.console.thumbs import STYLE
from dazi.console.visible import has_hidden
from dazi.console.visits import Visits
from dazi.core.errors import DaziError
from dazi.core.language import Language
from dazi.core.learning import Right
from dazi.core.tools import Tool
from dazi.core.turn import CallFinished
from dazi.router.approval import Ticket
from dazi.router.tickets import MAX_REASON

REFRESH_S = 5.0

log = logging.getLogger("dazi.console")


async def draw(scene: Scene, visits: Visits) -> None:
    ui.add_css(STYLE)
    page = ApprovalsPage(scene)
    await page.refresh()
    client = ui.context.client
    visits.watch(client.id, scene.principal, scene.visit, page.sign_out)
    client.on_delete(lambda: visits.forget(client.id))
    ui.timer(REFRESH_S, page.refresh)


class ApprovalsPage:
    """Cards appear as requests come in, and stay with their outcome once they are decided."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._client = ui.context.client
        self._shown: dict[str, ApprovalCard] = {}
        language = scene.language
        with div("dz-page"):
            head(scene)
            heading(texts.APPROVALS(language))
            ui.label(texts.APPROVALS_HINT(language)).classes("dz-muted")
            self._list = div("dz-approvals")
            self._none = ui.label(texts.APPROVALS_NONE(language)).classes("dz-muted dz-none")

    async def refresh(self) -> None:
        if self._scene.visit.ended:  # looking on its own must not keep a session from idling out
            return
        scene = self._scene
        waiting = await scene.state.service.approvals(scene.principal)
        current = {t.id for t in waiting}
        for ticket in waiting:
            if ticket.id not in self._shown:
                with self._list:
                    self._shown[ticket.id] = ApprovalCard(scene, ticket)
        for number, card in list(self._shown.items()):
            if number not in current and not card.decided:
                card.gone()
                del self._shown[number]
        self._none.set_visibility(not self._shown)

    def sign_out(self) -> None:
        if not self._client.is_deleted:
            self._client.open(sign_in_url("ended", return_to="/approvals"))


class ApprovalCard:
    """One request. ``decided`` once this person has."""

    def __init__(self, scene: Scene, ticket: Ticket) -> None:
        self._scene = scene
        self._ticket = ticket
        self.decided = False
        language, state = scene.language, scene.state
        tool = state.company.tools.get(ticket.tool)
        fields = argument_fields(
            tool, ticket.arguments, language, missing=True, sources=ticket.asked.untrusted
        )
        with div("dz-card dz-approval") as self._card:
            with div("dz-card-head"), div("dz-card-title"):
                ui.label(short(tool.description, language) if tool else ticket.tool)
                with div("dz-card-sub"):
                    name = state.name_of(ticket.user, ticket.asked.tenant, language)
                    ui.label(texts.ASKED_BY(language).format(user=name))
            with div("dz-fields"):
                draw_fields(fields)
            if any(has_hidden(f.value) for f in fields):
                with div("dz-warning"):
                    ui.icon("visibility_off")
                    ui.label(texts.HIDDEN_WARNING(language))
            self._right = _right_fields(tool, ticket, language)
            self._foot = div("dz-approval-foot")
            with self._foot:
                self._reason = ui.input(texts.REASON(language)).props(
                    f"dense outlined maxlength={MAX_REASON}"
                )
                self._button(texts.TURN_DOWN(language), "dz-button dz-reject", False)
                self._button(texts.APPROVE(language), "dz-button-main dz-approve", True)

    def _button(self, label: str, classes: str, approve: bool) -> None:
        button = ui.button(label, on_click=lambda: self._decide(approve), color=None)
        button.props("unelevated no-caps").classes(classes)

    async def _decide(self, approve: bool) -> None:
        principal = await self._scene.visit.principal()
        if principal is None:
            ui.navigate.to(sign_in_url("ended", return_to="/approvals"))
            return
        if self.decided:
            return
        self.decided = True
        scene, language = self._scene, self._scene.language
        reason = str(self._reason.value or "")
        self._foot.clear()
        with self._foot:
            ui.spinner(size="18px", thickness=6)
        try:
            said = texts.TURNED_DOWN_NOW(language)
            right = None if approve else self._right()
            events = scene.state.service.decide(
                principal, self._ticket.id, approve, language, reason=reason, right=right
            )
            async for event in events:
                if isinstance(event, CallFinished) and approve:
                    outcome = texts.OUTCOMES[event.record.outcome](language)
                    said = texts.APPROVED_NOW(language).format(outcome=outcome)
        except DaziError as e:
            said = e.message(language)
        except Exception:
            log.exception("an approval failed on a page")
            said = texts.UNEXPECTED(language)
        self._foot.clear()
        with self._foot:
            ui.label(said).classes("dz-approval-outcome")

    def gone(self) -> None:
        self._card.delete()


def _right_fields(
    tool: Tool | None, ticket: Ticket, language: Language
) -> Callable[[], Right | None]:
    """Fields for the arguments that would have been right; what stands in them, once something does."""
    if tool is None:
        return lambda: None
    fields = {}
    with ui.element("details").classes("dz-right"):
        with ui.element("summary"):
            ui.label(review_texts.EDIT_RIGHT(language))
        for p in tool.parameters:
            given = ticket.arguments.get(p.name)
            label = short(p.description, language) or p.name
            made = ui.input(label, value="" if given is None else str(given))
            fields[p.name] = made.props("dense outlined").classes(f"dz-right-{p.name}")
        consent = ui.checkbox(review_texts.CONSENT(language)).classes("dz-right-consent")

    def written() -> Right | None:
        said = {n: str(f.value or "").strip() for n, f in fields.items()}
        was = {n: "" if (v := ticket.arguments.get(n)) is None else str(v) for n in fields}
        changed = {n: t for n, t in said.items() if t != was[n]}
        if not changed:
            return Right(None, bool(consent.value)) if consent.value else None
        kept = {n: v for n, v in ticket.arguments.items() if n not in changed}
        numbers = {p.name for p in tool.parameters if p.type in ("integer", "number")}
        new = {n: _number(t) if n in numbers else t for n, t in changed.items() if t}
        return Right({**kept, **new}, bool(consent.value))

    return written


def _number(text: str) -> float | int | str:
    """What is no number stays text: whoever reviews sees it."""
    try:
        value = float(text)
    except ValueError:
        return text
    return int(value) if value.is_integer() else value
