"""Asks for how long, and why, an alert is to be silent."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from nicegui import ui

from dazi.console import alert_texts as texts
from dazi.console import texts as common
from dazi.console.acts import button
from dazi.console.pieces import div, named_dialog
from dazi.core.language import Language

HOUR_S = 3_600.0
Made = Callable[[float, str, bool], Awaitable[None]]
"""Seconds, why, and whether for this alert only."""


def ask_silence(language: Language, title: str, has_labels: bool, made: Made) -> None:
    name = f"{texts.SILENCE(language)}: {title}"
    with named_dialog(name) as dialog, div("dz-dialog dz-alert-dialog"):
        ui.label(name).classes("dz-block-head")
        hours = ui.select(
            {h: name(language) for h, name in texts.HOURS.items()},
            value=1.0,
            label=texts.FOR_HOURS(language),
        ).props("outlined dense options-dense")
        until = ui.input(texts.UNTIL(language)).props("outlined dense maxlength=16")
        why = ui.input(texts.WHY(language)).props("outlined dense maxlength=500")
        why.classes("dz-alert-why")
        only = ui.checkbox(texts.ONLY_THIS(language), value=has_labels)
        only.set_visibility(has_labels)

        async def agreed() -> None:
            seconds = float(hours.value) * HOUR_S
            if given := str(until.value or "").strip():
                try:
                    seconds = time.mktime(time.strptime(given, "%Y-%m-%d %H:%M")) - time.time()
                except (ValueError, OverflowError):
                    until.props["error"] = True
                    until.props["error-message"] = texts.BAD_UNTIL(language)
                    until.update()
                    return
            dialog.close()
            await made(seconds, str(why.value or ""), bool(only.value) and has_labels)

        with div("dz-dialog-actions"):
            button(common.BACK(language), dialog.close, "dz-button-quiet")
            button(texts.SILENCE(language), agreed, "dz-button-main dz-alert-silence-now")
    dialog.on("hide", lambda _: dialog.delete(), args=[])
    dialog.open()
