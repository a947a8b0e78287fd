"""``/plan``: what a model takes and costs, reckoned anew with every change of the form."""

from __future__ import annotations

from collections.abc import Mapping

from nicegui import ui

from dazi.console import plan_charts, plan_form, plan_tabs
from dazi.console import plan_texts as texts
from dazi.console.pieces import div
from dazi.console.plan_frame import STYLE, Chart, Form, in_words, opened, tiles
from dazi.console.state import Scene
from dazi.ops.plan.curves import course, rates, roof, stack
from dazi.ops.plan.planning import Plan
from dazi.ops.plan.telling import lines

PATH = plan_tabs.SIZES


async def draw(scene: Scene, given: Mapping[str, str]) -> None:
    """``given``: what the address says of the form."""
    ui.add_css(STYLE)
    with div("dz-page dz-plan"):
        if opened(scene, PATH, texts.HINT):
            _Page(scene, plan_form.filled(given))


class _Page:
    def __init__(self, scene: Scene, given: dict[str, str]) -> None:
        self._language = scene.language
        self._given = given
        with div("dz-plan-body"):
            with ui.element("form").classes("dz-plan-form") as form:
                form.props["aria-label"] = texts.PLAN(self._language)
                form.on("submit", js_handler="(e) => e.preventDefault()")
                words = texts.GROUPS, texts.LABELS
                self._form = Form(self._language, plan_form.FIELDS, words, given, self._changed)
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

    def _changed(self) -> None:
        self._reckon()
        # So that another language, or whoever is sent the address, finds the same form.
        ui.navigate.history.replace(self._form.address(PATH))

    def _reckon(self) -> None:
        found = plan_form.read(self._given)
        self._form.mark(found.wrong)
        self._stale.set_visibility(found.plan is None)
        if found.plan is not None:
            self._show(found.plan)

    def _show(self, p: Plan) -> None:
        language = self._language
        s, c = p.speed, p.cost
        shown = (
            ("memory", texts.MEMORY, f"{p.memory.total / plan_charts.GB:,.1f}"),
            ("gpus", texts.CARDS, f"{p.gpus:,}"),
            ("alone", texts.ALONE, f"{s.alone:,.0f}"),
            ("together", texts.TOGETHER, f"{s.together:,.0f}"),
            ("years", texts.YEARS, f"{c.private / plan_charts.WAN:,.1f}"),
            ("thousand", texts.THOUSAND, f"{c.thousand:,.2f}"),
        )
        tiles(self._tiles, ((f"dz-plan-tile-{n}", label(language), v) for n, label, v in shown))
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
        said = ((label(language), value(language)) for label, value in lines(p))
        in_words(self._told, language, said, plan_form.command(self._given))


_CHARTS = (
    ("stack", texts.STACK, texts.STACK_HINT),
    ("roof", texts.ROOF, texts.ROOF_HINT),
    ("course", texts.COURSE, texts.COURSE_HINT),
    ("rates", texts.RATES, texts.RATES_HINT),
)
