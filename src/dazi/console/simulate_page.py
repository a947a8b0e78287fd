"""``/plan/simulate``: how a day would go, simulated in a process of its own so that nobody waits for it."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Any

import msgspec
from nicegui import ui

from dazi.console import plan_tabs, simulate_charts, simulate_form
from dazi.console import simulate_texts as texts
from dazi.console.pieces import div
from dazi.console.plan_frame import STYLE, Chart, Form, in_words, opened, tiles
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
    ui.add_css(STYLE)
    with div("dz-page dz-plan"):
        if opened(scene, PATH, texts.HINT):
            _Page(scene, simulate_form.filled(given))


class _Page:
    def __init__(self, scene: Scene, given: dict[str, str]) -> None:
        self._language = scene.language
        self._given = given
        with div("dz-plan-body"):
            with ui.element("form").classes("dz-plan-form dz-sim-form") as form:
                form.props["aria-label"] = texts.SIMULATE(self._language)
                form.on("submit", self._go, js_handler="(e) => { e.preventDefault(); emit(); }")
                words = texts.GROUPS, texts.LABELS
                self._form = Form(self._language, simulate_form.FIELDS, words, given, self._check)
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
                        name: Chart(title(self._language), hint(self._language), f"sim-{name}")
                        for name, title, hint in _CHARTS
                    }
                self._frame = charts
                charts.set_visibility(False)
                self._told = div("dz-plan-told")
        ui.timer(0.1, self._go, once=True)

    def _check(self) -> None:
        found = simulate_form.read(self._given)
        self._form.mark(found.wrong)
        self._button.set_enabled(found.parts is not None)

    async def _go(self) -> None:
        self._check()
        parts = simulate_form.read(self._given).parts
        if parts is None:
            return
        language = self._language
        self._button.set_enabled(False)
        self._say(texts.GOING(language))
        ui.navigate.history.replace(self._form.address(PATH))
        command = simulate_form.command(self._given)  # who types meanwhile asks for another day
        try:
            made = await simulated(simulate_form.question(parts, language))
        except NotSimulated as e:
            self._say(texts.FAILED(language).format(why=e.why(language)))
        else:
            self._say("")
            self._show(made, command)
        self._check()

    def _say(self, text: str) -> None:
        self._said.set_text(text)
        self._said.set_visibility(bool(text))

    def _show(self, made: Mapping[str, Any], command: str) -> None:
        language, s, c = self._language, made["summary"], made["course"]
        shown = (
            ("missed", texts.MISSED, f"{s['missed']:.1%}"),
            ("refused", texts.REFUSED, f"{s['no_place'] + s['no_server']:,}"),
            ("first", texts.FIRST, f"{s['first']['p95']:.2f}"),
            ("whole", texts.WHOLE, f"{s['whole']['p95']:.1f}"),
            ("replicas", texts.REPLICAS, f"{s['replicas']:.1f}"),
            ("cost", texts.COST, f"{s['cost']:,.0f}"),
        )
        tiles(self._tiles, ((f"dz-sim-tile-{n}", label(language), v) for n, label, v in shown))
        self._frame.set_visibility(True)
        self._charts["load"].show(simulate_charts.load_chart(c, language))
        self._charts["servers"].show(simulate_charts.servers_chart(c, language))
        self._charts["latency"].show(simulate_charts.latency_chart(c, made["wanted"], language))
        self._charts["busy"].show(simulate_charts.busy_chart(c, language))
        in_words(self._told, language, made["lines"], command)


_CHARTS = (
    ("load", texts.LOAD, texts.LOAD_HINT),
    ("servers", texts.SERVERS, texts.SERVERS_HINT),
    ("latency", texts.LATENCY, texts.LATENCY_HINT),
    ("busy", texts.BUSY_CHART, texts.BUSY_HINT),
)
