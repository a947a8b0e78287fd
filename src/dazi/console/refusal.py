"""A page for whose duty it is not: it says so, with the status 403."""

from __future__ import annotations

from nicegui import ui

from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.core.language import Text

IN_DEMO = Text(
    "演示公司没有人担任这些角色;用 dazi user add 建立三位管理员,就能看到这一页。",
    "Nobody has these roles in the demo company; make the three administrators with dazi user add.",
)


def forbidden(said: str, classes: str = "") -> None:
    """In a few words."""
    ui.context.client.status_code = 403
    ui.label(said).classes(f"dz-none dz-refused {classes}").props("role=alert")


def refused(scene: Scene, said: Text) -> None:
    """For a duty of administrators, which nobody in the demo company has."""
    ui.context.client.status_code = 403
    with div("dz-refused").props("role=alert"):
        ui.label(said(scene.language)).classes("dz-none")
        if scene.state.company.demo:
            ui.label(IN_DEMO(scene.language)).classes("dz-muted dz-none")
