"""``/plan/simulate``: how a day would go, simulated in a process of its own so that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from nicegui import ui

from dazi.console import plan_page, plan_tabs, simulate_charts, simulate_form
from dazi.console import plan_texts as plan
from dazi.console import simulate_texts as texts
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.core.language import Text

PATH = plan_tabs.SIMULATION
WITHIN_S = 60.0
log = logging.getLogger("dazi.console")
_ONE = asyncio.Semaphore(1)
"""Of a process one simulation at a time: each takes a core."""


class NotSimulated(Exception):
    def __init__(self, why: Text) -> None:
        super().__init__(why.en)
        self.why = why


async def simulated(question: dict[str, Any], within_s: float = WITHIN_S) -> dict[str, Any]:
    """Raises ``NotSimulated``."""
    if _ONE.locked():
        raise NotSimulated(texts.BUSY)
    async with _ONE:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "dazi.ops.plan.simulate",
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            async with asyncio.timeout(within_s):
                out, err = await process.communicate(msgspec.json.encode(question))
        except TimeoutError:
            raise NotSimulated(texts.LATE) from None
        finally:
            if process.returncode is None:  # late, or whoever asked has left
                process.kill()
                await process.wait()
        if process.returncode:
            log.error("a simulation failed: %s", err.decode("utf-8", "replace")[-2000:])
            raise NotSimulated(texts.BROKEN)
        found: dict[str, Any] = msgspec.json.decode(out)
        return found


async def draw(scene: Scene, given: Mapping[str, str]) -> None:
    """``given``: what the address says of the form."""
    language = scene.language
    ui.add_css(plan_page.STYLE)
    with div("dz-page dz-plan"):
        head(scene)
        if not operates(scene.principal):
            forbidden(plan.FORBIDDEN(language), "dz-plan-refused")
            return
        heading(plan.PLAN(language))
        plan_tabs.tabs(scene, PATH)
        ui.label(texts.HINT(language)).classes("dz-muted")
        _Page(scene, simulate_form.filled(given))


class _Page:
    def __init__(self, scene: Scene, given: dict[str, str]) -> None:
        self._language = scene.language
        self._given = given
        self._inputs: dict[str, Any] = {}
        with div("dz-plan-body"):
            with ui.element("form").classes("dz-plan-form dz-sim-form") as form:
                form.props["aria-label"] = texts.SIMULATE(self._language)
                form.on("submit", self._go, js_handler="(e) => { e.preventDefault(); emit(); }")
                for group, title in texts.GROUPS.items():
                    self._group(group, title)
                self._button = ui.button(texts.GO(self._language)).props(
                    "type=submit no-caps unelevated"
                )
                self._button.classes("dz-sim-go")
            with div("dz-plan-result"):
                self._said = ui.label("").classes("dz-plan-stale dz-sim-said").props("role=status")
                self._said.set_visibility(False)
                self._tiles = div("dz-figures").props("aria-live=polite")
                with div("dz-plan-charts") as charts:
                    self._charts = {
                        name: plan_page.Chart(
                            title(self._language), hint(self._language), f"sim-{name}"
                        )
                        for name, title, hint in _CHARTS
                    }
                self._frame = charts
                charts.set_visibility(False)
                self._told = div("dz-plan-told")
        ui.timer(0.1, self._go, once=True)

    def _group(self, group: str, title: Text) -> None:
        with ui.element("fieldset").classes("dz-plan-group"):
            with ui.element("legend"):
                ui.label(title(self._language))
            for field in simulate_form.FIELDS:
                if field.group == group:
                    self._inputs[field.name] = self._input(field)

    def _input(self, field: simulate_form.Field) -> Any:
        label, value = texts.LABELS[field.name](self._language), self._given[field.name]

        def changed(given: object) -> None:
            self._given[field.name] = str(given)[: simulate_form.LONGEST]
            self._check()

        if field.options:
            made: Any = ui.select(
                list(field.options), label=label, value=value, on_change=lambda e: changed(e.value)
            )
            made.props("options-dense")
        else:
            made = ui.input(label, value=value, on_change=lambda e: changed(e.value or ""))
            mode = "text" if field.text else "numeric" if field.whole else "decimal"
            made.props(f"debounce=250 inputmode={mode} maxlength={simulate_form.LONGEST}")
        made.without_auto_validation()
        return made.props("outlined dense hide-bottom-space").classes(
            f"dz-plan-field dz-plan-{field.name}"
        )

    def _check(self) -> simulate_form.Read:
        found = simulate_form.read(self._given)
        for name, field in self._inputs.items():
            wrong = found.wrong.get(name)
            field.error = wrong(self._language) if wrong else None
        self._button.set_enabled(found.parts is not None)
        return found

    async def _go(self) -> None:
        found = self._check()
        if found.parts is None:
            return
        language = self._language
        self._button.set_enabled(False)
        self._say(texts.GOING(language))
        changed = simulate_form.changed(self._given)
        ui.navigate.history.replace(f"{PATH}?{urlencode(changed)}" if changed else PATH)
        try:
            made = await simulated(simulate_form.question(found.parts, language))
        except NotSimulated as e:
            self._say(texts.FAILED(language).format(why=e.why(language)))
        else:
            self._say("")
            self._show(made)
        self._button.set_enabled(True)

    def _say(self, text: str) -> None:
        self._said.set_text(text)
        self._said.set_visibility(bool(text))

    def _show(self, made: Mapping[str, Any]) -> None:
        language, s, c = self._language, made["summary"], made["course"]
        self._tiles.clear()
        with self._tiles:
            for name, label, value in (
                ("missed", texts.MISSED, f"{s['missed']:.1%}"),
                ("refused", texts.REFUSED, f"{s['no_place'] + s['no_server']:,}"),
                ("first", texts.FIRST, f"{s['first']['p95']:.2f}"),
                ("whole", texts.WHOLE, f"{s['whole']['p95']:.1f}"),
                ("replicas", texts.REPLICAS, f"{s['replicas']:.1f}"),
                ("cost", texts.COST, f"{s['cost']:,.0f}"),
            ):
                with div(f"dz-figure dz-sim-tile-{name}"):
                    ui.label(value).classes("dz-figure-value")
                    ui.label(label(language)).classes("dz-muted")
        self._frame.set_visibility(True)
        self._charts["load"].show(simulate_charts.load_chart(c, language))
        self._charts["servers"].show(simulate_charts.servers_chart(c, language))
        self._charts["latency"].show(simulate_charts.latency_chart(c, made["wanted"], language))
        self._charts["busy"].show(simulate_charts.busy_chart(c, language))
        self._told.clear()
        with self._told:
            heading(plan.FIGURES(language), 2)
            with ui.element("dl").classes("dz-plan-lines"):
                for label, said in made["lines"]:
                    with ui.element("dt"):
                        ui.label(label)
                    with ui.element("dd"):
                        ui.label(said)
            ui.label(plan.COMMAND(language)).classes("dz-muted")
            ui.label(simulate_form.command(self._given)).classes("dz-code dz-plan-command")


_CHARTS = (
    ("load", texts.LOAD, texts.LOAD_HINT),
    ("servers", texts.SERVERS, texts.SERVERS_HINT),
    ("latency", texts.LATENCY, texts.LATENCY_HINT),
    ("busy", texts.BUSY_CHART, texts.BUSY_HINT),
)
