"""What the pages of planning are made of: their head, a form, figures, plots, and lines in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from dazi.console import plan_fields, plan_tabs
from dazi.console import plan_texts as texts
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.plan_fields import LONGEST, Field
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.core.language import Language, Text

STYLE = Path(__file__).with_name("plan.css")
_WAIT_MS = 250
"""After the last key."""
_MODES = {"whole": "numeric", "number": "decimal", "text": "text"}


def opened(scene: Scene, path: str, hint: Text) -> bool:
    """The head of the page at ``path``; False for who may see no more of it."""
    language = scene.language
    head(scene)
    if not operates(scene.principal):
        forbidden(texts.FORBIDDEN(language), "dz-plan-refused")
        return False
    heading(texts.PLAN(language))
    plan_tabs.tabs(scene, path)
    ui.label(hint(language)).classes("dz-muted")
    return True


class Form:
    """``given`` changes with what is typed; ``changed`` is called after each."""

    def __init__(
        self,
        language: Language,
        fields: Sequence[Field],
        words: tuple[Mapping[str, Text], Mapping[str, Text]],
        given: dict[str, str],
        changed: Callable[[], None],
    ) -> None:
        """``words``: of groups, in their order, and of fields."""
        self._language, self._fields, self._given = language, fields, given
        self._changed = changed
        self._inputs: dict[str, Any] = {}
        groups, labels = words
        for group, title in groups.items():
            with ui.element("fieldset").classes("dz-plan-group"):
                with ui.element("legend"):
                    ui.label(title(language))
                for field in fields:
                    if field.group == group:
                        self._inputs[field.name] = self._input(field, labels[field.name](language))

    def mark(self, wrong: Mapping[str, Text]) -> None:
        """Say beside each field what is wrong with it."""
        for field in self._fields:
            if field.kind != "tick":
                said = wrong.get(field.name)
                self._inputs[field.name].error = said(self._language) if said else None

    def address(self, path: str) -> str:
        changed = plan_fields.changed(self._fields, self._given)
        return f"{path}?{urlencode(changed)}" if changed else path

    def _input(self, field: Field, label: str) -> Any:
        value = self._given[field.name]

        def took(given: object) -> None:
            self._given[field.name] = str(given)[:LONGEST]
            self._changed()

        if field.kind == "tick":
            made: Any = ui.checkbox(
                label, value=value == "1", on_change=lambda e: took("1" if e.value else "")
            )
            return made.classes(f"dz-plan-{field.name}")
        if field.kind == "choice":
            made = ui.select(
                list(field.options), label=label, value=value, on_change=lambda e: took(e.value)
            )
            made.props("options-dense")
        else:
            made = ui.input(label, value=value, on_change=lambda e: took(e.value or ""))
            made.props(f"debounce={_WAIT_MS} inputmode={_MODES[field.kind]} maxlength={LONGEST}")
        made.without_auto_validation()  # which would take away what we say of it
        return made.props("outlined dense hide-bottom-space").classes(
            f"dz-plan-field dz-plan-{field.name}"
        )


class Chart:
    """A plot with its title, what it shows, and a line that changes with it."""

    def __init__(self, title: str, hint: str, name: str) -> None:
        with ui.element("figure").classes("dz-plan-chart"):
            ui.label(title).classes("dz-block-head")
            self._chart = ui.echart({}).classes(f"dz-chart dz-plan-{name}-chart")
            self._chart.props("role=img")
            self._chart.props["aria-label"] = title
            with ui.element("figcaption").classes("dz-muted"):
                ui.label(hint)
                self._note = ui.label("").classes(f"dz-plan-note dz-plan-{name}-note")

    def show(self, options: dict[str, Any], note: str = "") -> None:
        self._chart.options.clear()
        self._chart.options.update(options)
        self._chart.update()
        self._note.set_text(note)
        self._note.set_visibility(bool(note))


def tiles(into: ui.element, shown: Iterable[tuple[str, str, str]]) -> None:
    """``shown``: the class, the label and the value of each figure."""
    into.clear()
    with into:
        for name, label, value in shown:
            with div(f"dz-figure {name}"):
                ui.label(value).classes("dz-figure-value")
                ui.label(label).classes("dz-muted")


def in_words(
    into: ui.element, language: Language, said: Iterable[tuple[str, str]], command: str
) -> None:
    """All figures with their names, and the command that prints the same."""
    into.clear()
    with into:
        heading(texts.FIGURES(language), 2)
        with ui.element("dl").classes("dz-plan-lines"):
            for label, value in said:
                with ui.element("dt"):
                    ui.label(label)
                with ui.element("dd"):
                    ui.label(value)
        ui.label(texts.COMMAND(language)).classes("dz-muted")
        ui.label(command).classes("dz-code dz-plan-command")
