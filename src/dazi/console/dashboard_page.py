"""``/dashboards``: how the service does, from the history that this process keeps."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from nicegui import ui

from dazi.console import dashboard_texts as texts
from dazi.console.dashboard_charts import Charts
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.core.language import Language, Text
from dazi.observe.history import History
from dazi.observe.instruments import Registry
from dazi.observe.queries import Queries

PATH = "/dashboards"
STYLE = Path(__file__).with_name("dashboard.css")
LOOK_S = 10.0
SPAN = 3_600


async def draw(scene: Scene, given: Mapping[str, str]) -> None:
    """``given``: span, model and channel, as the address says."""
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-dashboard"):
        head(scene)
        if not operates(scene.principal):
            forbidden(texts.FORBIDDEN(language), "dz-dashboard-refused")
            return
        heading(texts.DASHBOARD(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        registry, history = scene.state.registry, scene.state.history
        if registry is None or history is None:
            ui.label(texts.OFF(language)).classes("dz-none")
            return
        page = _Page(scene, registry, history, given)
        page.refresh()
    ui.timer(LOOK_S, page.refresh)


class _Page:
    """Charts are made once and given new options: nothing flickers, and a legend stays as it is."""

    def __init__(
        self, scene: Scene, registry: Registry, history: History, given: Mapping[str, str]
    ) -> None:
        self._language = scene.language
        self._registry, self._history = registry, history
        span = given.get("span", "")
        self._span = int(span) if span.isdigit() and int(span) in texts.SPANS else SPAN
        self._chosen = {k: given.get(k, "")[:200] for k in ("model", "channel")}
        with div("dz-dashboard-choices"):
            self._choices()
        with div("dz-figures dz-dashboard-tiles"):
            self._tiles = {name: self._tile(name, said) for name, said in texts.TILES.items()}
        with div("dz-dashboard-charts"):
            self._charts = {name: _Chart(name, self._language) for name in texts.CHARTS}
        heading(texts.TABLE(self._language), 2)
        self._tools = div("dz-dashboard-tools")
        self._rows: Any = None
        ui.label(texts.EXTERNAL(self._language)).classes("dz-muted")

    def refresh(self) -> None:
        language = self._language
        queries = Queries(self._history, self._span, time.time())
        wanted = {k: v for k, v in self._chosen.items() if v}
        charts = Charts(queries, self._registry, language, wanted)
        for name, value in charts.tiles().items():
            self._tiles[name].set_text(value)
        for name, chart in self._charts.items():
            chart.show(charts.options(name))
        rows = charts.tools()
        if rows != self._rows:
            self._rows = rows
            self._tools.clear()
            with self._tools:
                self._table(rows)

    def _tile(self, name: str, said: Text) -> ui.label:
        with div(f"dz-figure dz-dashboard-tile-{name}"):
            value = ui.label("").classes("dz-figure-value")
            ui.label(said(self._language)).classes("dz-muted")
        return value

    def _choices(self) -> None:
        language = self._language
        spans = {s: name(language) for s, name in texts.SPANS.items()}
        self._select("span", texts.SPAN(language), spans, self._span)
        queries = Queries(self._history, max(texts.SPANS), time.time())
        for label, name in (("model", texts.MODEL), ("channel", texts.CHANNEL)):
            known = queries.values(label, "dazi_turns")
            options = {"": texts.ALL(language), **{v: v for v in known}}
            chosen = self._chosen[label]
            self._select(label, name(language), options, chosen if chosen in options else "")

    def _select(self, field: str, label: str, options: dict[Any, str], value: Any) -> None:
        made = ui.select(options, label=label, value=value)
        made.props("outlined dense options-dense").classes(f"dz-dashboard-{field}")
        made.on_value_change(lambda e: self._choose(field, e.value))

    def _choose(self, field: str, value: Any) -> None:
        if field == "span":
            self._span = int(value)
        else:
            self._chosen[field] = str(value or "")
        # In the address, so that a reload or a colleague sees the same.
        said = {"span": str(self._span), **self._chosen}
        ui.run_javascript(
            f"history.replaceState(null, '', '{PATH}?{urlencode({k: v for k, v in said.items() if v})}')"
        )
        self.refresh()

    def _table(self, rows: list[tuple[str, int, float, float | None]]) -> None:
        language = self._language
        if not rows:
            ui.label(texts.NONE(language)).classes("dz-muted")
            return
        with ui.element("table").classes("dz-rows"):
            with ui.element("thead"), ui.element("tr"):
                for name in (texts.TOOL, texts.CALLS, texts.WELL, texts.SLOW):
                    with ui.element("th").props("scope=col"):
                        ui.label(name(language))
            with ui.element("tbody"):
                for tool, n, well, p95 in rows:
                    with ui.element("tr"):
                        slow = "–" if p95 is None else f"{p95:,.0f}"
                        for value in (tool, f"{n:,}", f"{well:.1%}", slow):
                            with ui.element("td"):
                                ui.label(value)


class _Chart:
    def __init__(self, name: str, language: Language) -> None:
        title, hint = texts.CHARTS[name]
        with ui.element("figure").classes(f"dz-dashboard-chart dz-dashboard-{name}") as self._all:
            ui.label(title(language)).classes("dz-block-head")
            self._chart = ui.echart({}).classes("dz-chart").props("role=img")
            self._chart.props["aria-label"] = f"{title(language)}, {hint(language)}"
            self._none = ui.label(texts.NOTHING(language)).classes("dz-muted dz-dashboard-none")
            with ui.element("figcaption").classes("dz-muted"):
                ui.label(hint(language))
        # A machine without a GPU, or a company without prices, has nothing to look at there.
        self._optional = name in ("gpu", "cost")

    def show(self, options: dict[str, Any] | None) -> None:
        self._chart.set_visibility(options is not None)
        self._none.set_visibility(options is None)
        self._all.set_visibility(options is not None or not self._optional)
        if options is not None:
            self._chart.options.clear()
            self._chart.options.update(options)
            self._chart.update()
