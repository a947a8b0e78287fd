"""The bar on top of a page: whose it is, the language, light or dark."""

from __future__ import annotations

from nicegui import ui

from dazi.console.alert_bell import bell
from dazi.console.frame import brand, switches
from dazi.console.menu import places
from dazi.console.pieces import div
from dazi.console.state import Scene


def head(scene: Scene) -> None:
    company = scene.state.company
    with div("dz-page-head"):
        with ui.element("a").props("href=/").classes("dz-plain"):
            brand(scene.language, company.name, demo=company.demo)
        bell(scene)
        places(scene)
        switches(scene.language, scene.dark)
