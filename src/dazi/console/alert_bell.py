"""How many alerts fire that nobody looks after, on every page of those who may see them."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from dazi.console import alert_texts as texts
from dazi.console.state import Scene
from dazi.ops.alerts.service import may_see

STYLE = Path(__file__).with_name("alerts.css")
LOOK_S = 15.0


def bell(scene: Scene) -> None:
    """It comes and goes while the page is open."""
    service = scene.state.alerts
    if service is None or not may_see(scene.principal):
        return
    ui.add_css(STYLE)
    with ui.element("a").classes("dz-icon-button dz-bell") as link:
        link.props["href"] = "/alerts"
        ui.icon("notifications_active").props("aria-hidden=true")
        count = ui.label("").classes("dz-count").props("aria-hidden=true")

    def look() -> None:
        many = service.count(scene.principal)
        said = texts.BELL(scene.language).format(n=many)
        link.set_visibility(many > 0)
        if count.text != str(many):
            count.set_text(str(many))
            link.props["aria-label"] = link.props["title"] = said
            link.update()

    def begin() -> None:
        if not timers:
            with link:
                timers.append(ui.timer(LOOK_S, look))

    timers: list[ui.timer] = []
    look()
    # Not before the page is there: whoever waits for a connection has it sent as it is, and what was
    # still to be drawn, and its status, come too late.
    ui.context.client.on_connect(begin)
