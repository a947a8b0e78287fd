"""A card for one call: what is asked of which system, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import msgspec
from nicegui import ui

from dazi.console import texts
from dazi.console.abilities import short
from dazi.console.labels import Field, argument_fields, result_shown
from dazi.console.pieces import div, revealed
from dazi.core.company import Company
from dazi.core.language import Language
from dazi.core.turn import CallRecord, Outcome

Tone = Literal["running", "good", "neutral", "wait", "bad"]

TONES: Mapping[Outcome, Tone] = {
    "ok": "good",
    "not_found": "neutral",
    "unknown_tool": "neutral",
    "invalid": "neutral",
    "ungrounded": "neutral",
    "forbidden": "bad",
    "needs_confirmation": "wait",
    "rejected": "neutral",
    "timeout": "bad",
    "unavailable": "bad",
    "failed": "bad",
    "unknown": "bad",
    "client": "neutral",
}
ICONS: Mapping[Tone, str] = {
    "good": "check_circle",
    "neutral": "info",
    "wait": "pending_actions",
    "bad": "error",
}


class CallCard:
    """Draws itself where it is made; ``language`` is that of the page."""

    def __init__(
        self, company: Company, language: Language, name: str, arguments: str = ""
    ) -> None:
        self._tool = company.tools.get(name)
        self._language = language
        self._running = True
        self._message = ""
        with div("dz-card") as self._card:
            with div("dz-card-head"):
                with div("dz-card-state") as self._state:
                    ui.spinner(size="18px", thickness=6)
                with div("dz-card-title"):
                    ui.label(short(self._tool.description, language) if self._tool else name)
                    with div("dz-card-sub"):
                        if self._tool:
                            ui.label(self._tool.system(language))
                        revealed(name, "dz-mono")
                with div("dz-card-badge dz-tone-running") as self._badge:
                    ui.label(texts.RUNNING(language))
            self._fields = div("dz-fields")
            self._note = div("dz-card-note")
            self._result = div("dz-card-result")
        self._draw_arguments(_proposed(arguments))

    @property
    def system(self) -> str:
        return self._tool.system(self._language) if self._tool else ""

    def finish(self, record: CallRecord) -> None:
        """Show the outcome, and the arguments as they were executed."""
        self._running = False
        self._draw_arguments(record.arguments)
        tone = TONES[record.outcome]
        ms = f"{record.ms:,.0f} ms" if record.ms >= 0.5 else ""
        self._set_state(tone, texts.OUTCOMES[record.outcome](self._language), ms)
        self._note.clear()
        self._message = record.message
        if record.message and record.outcome not in ("ok", "needs_confirmation"):
            with self._note:
                ui.label(record.message)
        if record.outcome == "ok":
            self._draw_result(record.result)

    def close(self, said: str) -> None:
        """The turn is over; what its answer says need not stand here too."""
        self._interrupt()
        if self._message and self._message in said:
            self._note.clear()

    def _interrupt(self) -> None:
        """The turn ended before an answer came."""
        if self._running:
            self._running = False
            writes = self._tool is not None and self._tool.effect != "read"
            said = texts.INTERRUPTED_WRITE if writes else texts.INTERRUPTED
            self._set_state("bad" if writes else "neutral", said(self._language))

    def offer_review(self, on_review: Callable[[], None]) -> None:
        """A button that opens the confirmation again."""
        self._result.clear()
        with self._result:
            button = ui.button(
                texts.REVIEW(self._language), on_click=lambda _: on_review(), color=None
            )
            button.props("unelevated no-caps dense").classes("dz-button dz-review")

    def waits_for(self, role: str) -> None:
        """Somebody else decides; ``role`` in words."""
        self._set_state("wait", texts.WAITS_FOR(self._language).format(role=role))
        self._note.clear()
        with self._note:
            ui.label(texts.WAITS_NOTE(self._language).format(role=role))

    def decided(self, approved: bool | None) -> None:
        """``None``: decided elsewhere, or too late."""
        self._result.clear()
        self._note.clear()
        word = {True: texts.APPROVED, False: texts.REJECTED, None: texts.DECIDED}[approved]
        self._set_state("good" if approved else "neutral", word(self._language))

    def _set_state(self, tone: Tone, label: str, detail: str = "") -> None:
        self._state.clear()
        with self._state:
            ui.icon(ICONS[tone]).classes(f"dz-tone-{tone}")
        self._badge.clear()
        self._badge.classes(replace=f"dz-card-badge dz-tone-{tone}")
        with self._badge:
            ui.label(label)
            if detail:
                ui.label(detail).classes("dz-ms")

    def _draw_arguments(self, arguments: Mapping[str, Any]) -> None:
        self._fields.clear()
        with self._fields:
            draw_fields(argument_fields(self._tool, arguments, self._language))

    def _draw_result(self, result: Any) -> None:
        shown = result_shown(self._tool, result, self._language)
        self._result.clear()
        if not shown.fields and not shown.total:
            return
        with self._result, ui.element("details"):
            with ui.element("summary"):
                ui.label(texts.RESULT(self._language))
            with div("dz-fields"):
                draw_fields(shown.fields)
            if shown.columns:
                _draw_rows(shown.columns, shown.rows)
            if shown.total:
                said = texts.ROWS if shown.total <= len(shown.rows) else texts.ROWS_SHOWN
                count = said(self._language).format(n=shown.total, shown=len(shown.rows))
                ui.label(count).classes("dz-muted")


def draw_fields(fields: Sequence[Field]) -> None:
    for field in fields:
        with div("dz-field"):
            revealed(field.label, "dz-label")
            with div("dz-value-cell"):
                revealed(field.value, "dz-value" if field.given else "dz-value dz-absent")
                if field.note:
                    ui.label(field.note).classes("dz-muted")


def _draw_rows(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    with div("dz-scroll").props("tabindex=0"), ui.element("table").classes("dz-rows"):
        with ui.element("thead"), ui.element("tr"):
            for column in columns:
                with ui.element("th"):
                    ui.label(column)
        with ui.element("tbody"):
            for row in rows:
                with ui.element("tr"):
                    for value in row:
                        with ui.element("td"):
                            revealed(value)


def _proposed(arguments: str) -> Mapping[str, Any]:
    """What a model wrote, as far as it can be read."""
    try:
        data = msgspec.json.decode(arguments or "{}")
    except msgspec.DecodeError:
        return {"": arguments[:2000]}
    return data if isinstance(data, dict) else {"": data}
