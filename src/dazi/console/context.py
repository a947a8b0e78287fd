"""What the model was given, under an answer: a line that opens into a table."""

from __future__ import annotations

from nicegui import ui

from dazi.console import texts
from dazi.console.pieces import div
from dazi.core.language import Language
from dazi.core.turn import ContextReport
from dazi.prompt.reporting import COLUMNS, rows


def draw(report: ContextReport, language: Language) -> None:
    with ui.element("details").classes("dz-context"):
        with ui.element("summary"):
            ui.label(texts.CONTEXT(language).format(n=f"{report.tokens:,}"))
        draw_table(report, language)


def draw_table(report: ContextReport, language: Language, *, counted: bool = True) -> None:
    """``counted``: see ``prompt.reporting.rows``."""
    with div("dz-scroll").props("tabindex=0"), ui.element("table"):
        _row("th", [c(language) for c in COLUMNS])
        for row in rows(report, language, counted=counted):
            _row("td", row)


def _row(kind: str, cells: list[str] | tuple[str, ...]) -> None:
    with ui.element("tr"):
        for cell in cells:
            with ui.element(kind):
                ui.label(cell)
