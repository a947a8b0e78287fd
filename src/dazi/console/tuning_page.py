"""Trainings of adapters, renewed while one looks; one that runs can be asked to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nicegui import ui

from dazi.console import tuning_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.attachments import FONTS, PALETTE, QUIET
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.system import System
from dazi.console.visible import reveal
from dazi.core.errors import AccessError
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.ops.tuning_runs import TuningRun

PATH = "/tuning"
STYLE = Path(__file__).with_name("tuning.css")
LOOK_S = 3.0
SHOWN = 20
"""Trainings; older ones are in the data folder."""


async def draw(scene: Scene, system: System) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-tuning"):
        head(scene)
        heading(texts.TUNING(language))
        if not operates(scene.principal):
            forbidden(texts.FORBIDDEN(language))
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        page = _Page(scene, system, div("dz-tuning-runs"))
    page.renew()

    async def look() -> None:
        if not scene.visit.ended:
            page.renew()

    ui.timer(LOOK_S, look)


class _Page:
    """A card for each training; cards are made anew only where trainings come or go."""

    def __init__(self, scene: Scene, system: System, place: Any) -> None:
        self._scene, self._system, self._place = scene, system, place
        self._cards: dict[str, _Card] = {}
        self._drawn = False

    def renew(self) -> None:
        found = self._system.tunings()[:SHOWN]
        if not self._drawn or [r.name for r in found] != list(self._cards):
            self._drawn = True
            self._place.clear()
            with self._place:
                if not found:
                    ui.label(texts.NONE(self._scene.language)).classes("dz-muted dz-tuning-none")
                self._cards = {r.name: _Card(self._scene, self._system, r) for r in found}
        for run in found:
            self._cards[run.name].show(run)


class _Card:
    def __init__(self, scene: Scene, system: System, run: TuningRun) -> None:
        self._scene, self._system, self._name = scene, system, run.name
        self._shown: TuningRun | None = None
        language = scene.language
        with ui.element("section").classes("dz-tuning-run") as made:
            made.props["aria-label"] = run.name
            with div("dz-tuning-head"):
                heading(reveal(run.name), 2)
                self._state = ui.label().classes("dz-tuning-state").props("role=status")
                self._stop = button(texts.STOP(language), self._ask, "dz-button-quiet")
                self._stop.classes("dz-tuning-stop")
                self._resume = button(texts.GO_ON(language), self._go_on, "dz-button-quiet")
                self._resume.classes("dz-tuning-resume")
            ui.label(reveal(f"{run.base} · {run.method}")).classes("dz-muted")
            with ui.element("dl").classes("dz-facts-list dz-tuning-facts"):
                self._values = {name: _value(name, language) for name in _FACTS}
            self._chart = ui.echart({}).classes("dz-chart").props("role=img")
            self._chart.props["aria-label"] = texts.CURVE(language).format(name=run.name)

    def show(self, run: TuningRun) -> None:
        if run == self._shown:
            return
        self._shown = run
        self._state.set_text(texts.STATES[run.state](self._scene.language))
        self._stop.set_visibility(run.state == "running")
        self._resume.set_visibility(bool(run.file))
        for name, value in _facts(run).items():
            self._values[name].set_text(value)
        self._chart.options.clear()
        self._chart.options.update(curve(run, self._scene.language))
        self._chart.update()

    async def _ask(self) -> None:
        await self._do(self._system.stop_tuning, texts.STOPPING, texts.GONE)

    async def _go_on(self) -> None:
        await self._do(self._system.resume_tuning, texts.GOING_ON, texts.CANNOT)

    async def _do(self, do: Callable[[str], bool], done: Text, not_done: Text) -> None:
        async def work(principal: Principal) -> bool:
            if not operates(principal):
                raise AccessError("forbidden", texts.FORBIDDEN.zh, texts.FORBIDDEN.en)
            return await asyncio.to_thread(do, self._name)

        found = await act(self._scene, work)
        if found is not None:
            tell((done if found else not_done)(self._scene.language), wrong=not found)


_FACTS = {
    "steps": texts.STEPS,
    "loss": texts.LOSS,
    "held": texts.HELD,
    "samples": texts.SAMPLES,
    "tokens": texts.TOKENS,
    "spent": texts.SPENT,
    "left": texts.LEFT,
}


def _value(name: str, language: Language) -> ui.label:
    with ui.element("dt"):
        ui.label(_FACTS[name](language))
    with ui.element("dd"):
        return ui.label("—").classes(f"dz-tuning-{name}")


def _facts(run: TuningRun) -> dict[str, str]:
    return {
        "steps": f"{run.step:,} / {run.steps:,}" if run.steps else "—",
        "loss": f"{run.losses[-1][1]:.4f}" if run.losses else "—",
        "held": f"{min(v for _, v in run.validations):.4f}" if run.validations else "—",
        "samples": f"{run.samples:,}",
        "tokens": f"{run.tokens_s:,}" if run.tokens_s else "—",
        "spent": _clock(run.spent),
        "left": _clock(run.left) if run.state == "running" and run.left else "—",
    }


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes}:{rest:02}"


def curve(run: TuningRun, language: Language) -> dict[str, Any]:
    """The loss of steps as a line, of validations as points."""
    axis = {"axisLabel": {"color": QUIET}, "splitLine": {"lineStyle": {"opacity": 0.2}}}
    series = [
        {
            "name": texts.LOSS(language),
            "type": "line",
            "showSymbol": False,
            "data": [list(p) for p in run.losses],
        },
        {
            "name": texts.HELD(language),
            "type": "scatter",
            "symbolSize": 9,
            "data": [list(p) for p in run.validations],
        },
    ]
    return {
        "color": PALETTE,
        "textStyle": {"fontFamily": FONTS},
        "animation": False,
        "legend": {"textStyle": {"color": QUIET}, "top": 0},
        "grid": {"left": 48, "right": 18, "top": 34, "bottom": 28},
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "xAxis": {"type": "value", "minInterval": 1, **axis},
        "yAxis": {"type": "value", "scale": True, **axis},
        "series": series,
    }
