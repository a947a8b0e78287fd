"""What leads from one page of planning to the other."""

from __future__ import annotations

from nicegui import ui

from dazi.console import plan_texts, simulate_texts
from dazi.console.state import Scene

SIZES, SIMULATION = "/plan", "/plan/simulate"


def tabs(scene: Scene, here: str) -> None:
    with ui.element("nav").classes("dz-plan-tabs") as nav:
        nav.props["aria-label"] = plan_texts.PLAN(scene.language)
        for path, label in ((SIZES, simulate_texts.SIZES), (SIMULATION, simulate_texts.SIMULATE)):
            with ui.element("a").props(f"href={path}").classes("dz-plan-tab") as link:
                if path == here:
                    link.props("aria-current=page")
                ui.label(label(scene.language))
