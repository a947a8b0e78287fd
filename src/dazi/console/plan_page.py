"""``/plan``: what a model takes and costs, reckoned anew with every change of the form."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from dazi.console import plan_charts, plan_form, plan_tabs
from dazi.console import plan_texts as texts
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.core.language import Text
from dazi.ops.plan.curves import course, rates, roof, stack
from dazi.ops.plan.planning import Plan
from dazi.ops.plan.telling import lines

PATH = plan_tabs.SIZES
STYLE = Path(__file__).with_name("plan.css")
_WAIT_MS = 250
"""After the last key."""


async def draw(scene: Scene, given: Mapping[str, str]) -> None:
    """``given``: what the address says of the form."""
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-plan"):
        head(scene)
        if not operates(scene.principal):
            forbidden(texts.FORBIDDEN(language), "dz-plan-refused")
            return
        heading(texts.PLAN(language))
        plan_tabs.tabs(scene, PATH)
        ui.label(texts.HINT(language)).classes("dz-muted")
        _Page(scene, plan_form.filled(given))


class _Page:
    def __init__(self, scene: Scene, given: dict[str, str]) -> None:
        self._language = scene.language
        self._given = given
        self._inputs: dict[str, Any] = {}
        with div("dz-plan-body"):
            with ui.element("form").classes("dz-plan-form") as form:
                form.props["aria-label"] = texts.PLAN(self._language)
                form.on("submit", js_handler="(e) => e.preventDefault()")
                for group, title in texts.GROUPS.items():
                    self._group(group, title)
            with div("dz-plan-result"):
                self._stale = ui.label(texts.STALE(self._language)).classes("dz-plan-stale")
                self._stale.props("role=status")
                self._tiles = div("dz-figures").props("aria-live=polite")
                with div("dz-plan-charts"):
                    self._charts = {
                        name: Chart(title(self._language), hint(self._language), name)
                        for name, title, hint in _CHARTS
                    }
                self._told = div("dz-plan-told")
        self._reckon()

    def _group(self, group: str, title: Text) -> None:
        with ui.element("fieldset").classes("dz-plan-group"):
            with ui.element("legend"):
                ui.label(title(self._language))
            for field in plan_form.FIELDS:
                if field.group == group:
                    self._inputs[field.name] = self._input(field)

    def _input(self, field: plan_form.Field) -> Any:
        label, value = texts.LABELS[field.name](self._language), self._given[field.name]

        def changed(value: object) -> None:
            self._given[field.name] = str(value)[: plan_form.LONGEST]
            self._reckon()
            # So that another language, or whoever is sent the address, finds the same form.
            ui.navigate.history.replace(self._address())

        if field.name == "half_cache":
            made: Any = ui.checkbox(
                label, value=value == "1", on_change=lambda e: changed("1" if e.value else "")
            )
            return made.classes(f"dz-plan-{field.name}")
        if field.options:
            made = ui.select(
                list(field.options), label=label, value=value, on_change=lambda e: changed(e.value)
            )
            made.props("options-dense")
        else:
            made = ui.input(label, value=value, on_change=lambda e: changed(e.value or ""))
            mode = "numeric" if field.whole else "decimal"
            made.props(f"debounce={_WAIT_MS} inputmode={mode} maxlength={plan_form.LONGEST}")
        made.without_auto_validation()  # which would take away what we say of it
        return made.props("outlined dense hide-bottom-space").classes(
            f"dz-plan-field dz-plan-{field.name}"
        )

    def _reckon(self) -> None:
        found = plan_form.read(self._given)
        for name, field in self._inputs.items():
            if name != "half_cache":
                wrong = found.wrong.get(name)
                field.error = wrong(self._language) if wrong else None
        self._stale.set_visibility(found.plan is None)
        if found.plan is not None:
            self._show(found.plan)

    def _address(self) -> str:
        changed = plan_form.changed(self._given)
        return f"{PATH}?{urlencode(changed)}" if changed else PATH

    def _show(self, p: Plan) -> None:
        language = self._language
        s, c = p.speed, p.cost
        self._tiles.clear()
        with self._tiles:
            for name, label, value in (
                ("memory", texts.MEMORY, f"{p.memory.total / plan_charts.GB:,.1f}"),
                ("gpus", texts.CARDS, f"{p.gpus:,}"),
                ("alone", texts.ALONE, f"{s.alone:,.0f}"),
                ("together", texts.TOGETHER, f"{s.together:,.0f}"),
                ("years", texts.YEARS, f"{c.private / plan_charts.WAN:,.1f}"),
                ("thousand", texts.THOUSAND, f"{c.thousand:,.2f}"),
            ):
                with div(f"dz-figure dz-plan-tile-{name}"):
                    ui.label(value).classes("dz-figure-value")
                    ui.label(label(language)).classes("dz-muted")
        spent, measured = course(p), roof(p)
        charts = self._charts
        charts["stack"].show(plan_charts.stack_chart(stack(p), language))
        note = "" if measured.published else texts.NONE_PUBLISHED(language)
        charts["roof"].show(plan_charts.roof_chart(measured, p, language), note)
        charts["course"].show(
            plan_charts.course_chart(spent, language), plan_charts.even(spent, language)
        )
        load = p.wanted.load.requests
        found = rates(p.wanted)
        charts["rates"].show(
            plan_charts.rates_chart(found, load, language),
            plan_charts.chosen_rate(found, load, language),
        )
        self._tell(p)

    def _tell(self, p: Plan) -> None:
        language = self._language
        self._told.clear()
        with self._told:
            heading(texts.FIGURES(language), 2)
            with ui.element("dl").classes("dz-plan-lines"):
                for label, said in lines(p):
                    with ui.element("dt"):
                        ui.label(label(language))
                    with ui.element("dd"):
                        ui.label(said(language))
            ui.label(texts.COMMAND(language)).classes("dz-muted")
            ui.label(plan_form.command(self._given)).classes("dz-code dz-plan-command")


_CHARTS = (
    ("stack", texts.STACK, texts.STACK_HINT),
    ("roof", texts.ROOF, texts.ROOF_HINT),
    ("course", texts.COURSE, texts.COURSE_HINT),
    ("rates", texts.RATES, texts.RATES_HINT),
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
