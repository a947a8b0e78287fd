"""Form fields that a browser sends by itself: what they hold stands in the address."""

from __future__ import annotations

from collections.abc import Iterable

from nicegui import ui
from nicegui.element import Element
from nicegui.elements.mixins.text_element import TextElement

Option = tuple[str, str]
"""A value and what it is called."""


def form(action: str, label: str, classes: str) -> Element:
    made = ui.element("form").props("method=get").classes(classes)
    made.props["action"] = action
    made.props["aria-label"] = label
    return made


def text_field(name: str, label: str, value: str, *, kind: str = "text", most: int = 200) -> None:
    with ui.element("label").classes("dz-input"):
        ui.label(label)
        made = ui.element("input").props(f"type={kind} name={name} maxlength={most}")
        made.props("autocomplete=off")
        if kind == "datetime-local":
            made.props("step=1")
        made.props["value"] = value


def choice(name: str, label: str, value: str, options: Iterable[Option]) -> None:
    with ui.element("label").classes("dz-input"):
        ui.label(label)
        with ui.element("select").props(f"name={name}"):
            for code, said in options:
                made = TextElement(tag="option", text=said)
                made.props["value"] = code
                if code == value:
                    made.props("selected")


def submit(label: str, classes: str = "dz-submit", **more: str) -> None:
    with ui.element("button").props("type=submit").classes(classes) as made:
        for name, value in more.items():
            made.props[name] = value
        ui.label(label)
