"""The two pages about learning from use, each with a way to the other."""

from __future__ import annotations

from nicegui import ui

from dazi.console import review_texts as texts
from dazi.console.state import Scene

PATH = "/review"
GAPS = f"{PATH}/gaps"


def tabs(scene: Scene, here: str) -> None:
    language = scene.language
    with ui.element("nav").classes("dz-review-tabs") as nav:
        nav.props["aria-label"] = texts.REVIEW(language)
        for path, name in ((PATH, texts.QUEUE), (GAPS, texts.GAPS)):
            with ui.element("a").classes("dz-review-tab") as link:
                link.props["href"] = path
                if path == here:
                    link.props["aria-current"] = "page"
                ui.label(name(language))
