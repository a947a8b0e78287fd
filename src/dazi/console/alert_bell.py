"""How many alerts fire that nobody looks after, on every page of those who may see them."""

from __future__ import annotations

from pathlib import Path

from nicegui import ui

from dazi.console import alert_texts as texts
from dazi.console.state import Scene

STYLE = Path(__file__).with_name("alerts.css")


def bell(scene: Scene) -> None:
    service = scene.state.alerts
    if service is None or not (many := service.count(scene.principal)):
        return
    ui.add_css(STYLE)
    with ui.element("a").classes("dz-icon-button dz-bell") as link:
        link.props["href"] = "/alerts"
        link.props["aria-label"] = link.props["title"] = texts.BELL(scene.language).format(n=many)
        ui.icon("notifications_active").props("aria-hidden=true")
        ui.label(str(many)).classes("dz-count").props("aria-hidden=true")
