"""The models, the servers of the pool and what goes where: renewed while one looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from nicegui import ui

from dazi.console import pool_texts as texts
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.system import System
from dazi.console.visible import reveal
from dazi.core.engine import Engine, ModelProfile
from dazi.core.language import Language
from dazi.gateway.pool import BackendView, pool_view
from dazi.inference.pool.config import RouteSpec
from dazi.inference.pool.engine import PoolEngine

PATH = "/pool"
STYLE = Path(__file__).with_name("system.css")
LOOK_S = 3.0


async def draw(scene: Scene, system: System) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-system dz-pool"):
        head(scene)
        heading(texts.POOL(language))
        if not operates(scene.principal):
            forbidden(texts.FORBIDDEN(language))
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        engine = scene.state.engine
        heading(texts.IN_USE(language), 2)
        profile = _Facts(lambda: [*_profile(engine.profile, language), *_alone(engine, language)])
        servers = _Servers(scene, system, engine) if isinstance(engine, PoolEngine) else None
        if servers is None:
            ui.label(texts.EMBEDDED(language)).classes("dz-muted dz-pool-alone")
        heading(texts.PARTS(language), 2)
        parts = _Facts(
            lambda: [
                (p.name(language), p.told(language) if p.told else texts.ABSENT(language))
                for p in system.parts()
            ]
        )
        _models(system, language)
        if servers is not None:
            await servers.renew()

    async def look() -> None:
        if scene.visit.ended:
            return
        profile.renew()
        parts.renew()
        if servers is not None:
            await servers.renew()

    ui.timer(LOOK_S, look)


def _profile(p: ModelProfile, language: Language) -> list[tuple[str, str]]:
    traits = (
        (p.bundled, texts.BUNDLED),
        (p.thinks, texts.THINKS),
        (p.vision, texts.VISION),
        (p.concise, texts.CONCISE),
    )
    return [
        (texts.NAME(language), p.name),
        (texts.VERSION(language), p.version),
        (texts.CONTEXT(language), texts.TOKENS(language).format(n=p.context_tokens)),
        (texts.OFFERED(language), str(p.offered_tools)),
        (texts.TRAITS(language), "、".join(t(language) for has, t in traits if has)),
    ]


def _alone(engine: Engine, language: Language) -> list[tuple[str, str]]:
    """Of an only server: how it is."""
    view = pool_view(engine, language)
    if not view.state:
        return []
    state, trouble = texts.COLUMNS["state"](language), texts.COLUMNS["trouble"](language)
    return [(state, texts.STATES[view.state](language)), (trouble, view.trouble)]


class _Facts:
    """Labels with values; only values that have changed are sent again."""

    def __init__(self, look: Callable[[], list[tuple[str, str]]]) -> None:
        self._look = look
        self._values: list[ui.label] = []
        with ui.element("dl").classes("dz-facts-list"):
            for label, value in look():
                with ui.element("dt"):
                    ui.label(label)
                with ui.element("dd"):
                    self._values.append(ui.label(reveal(value or "—")))

    def renew(self) -> None:
        for label, (_, value) in zip(self._values, self._look(), strict=False):
            label.set_text(reveal(value or "—"))


class _Servers:
    """A table with a row for each server. Rows are made anew only where servers come or go."""

    def __init__(self, scene: Scene, system: System, engine: PoolEngine) -> None:
        self._language, self._system, self._engine = scene.language, system, engine
        self._rows: dict[str, dict[str, ui.label]] = {}
        self._routed: tuple[RouteSpec, ...] | None = None
        language = self._language
        heading(texts.SERVERS(language), 2)
        if file := system.pool_file():
            ui.label(texts.FILE(language).format(file=file)).classes("dz-muted")
        self._mistake = ui.label("").classes("dz-error dz-pool-mistake").props("role=status")
        with (
            div("dz-table-wide").props("tabindex=0"),
            ui.element("table").classes("dz-rows dz-pool-table"),
        ):
            _head(COLUMN(language) for COLUMN in texts.COLUMNS.values())
            self._body = ui.element("tbody")
        self._foot = ui.label("").classes("dz-muted dz-pool-foot")
        heading(texts.ROUTES(language), 2)
        self._routes = div()

    async def renew(self) -> None:
        view, language = pool_view(self._engine, self._language), self._language
        if [b.name for b in view.data] != list(self._rows):
            self._anew([b.name for b in view.data])
        for backend in view.data:
            row = self._rows[backend.name]
            for name, value in _cells(backend, language).items():
                row[name].set_text(value)
            row["state"].classes(replace=f"dz-tag dz-state-{backend.state}")
        self._mistake.set_text(texts.MISTAKE(language) + view.mistake if view.mistake else "")
        self._mistake.set_visibility(bool(view.mistake))
        self._foot.set_text(" · ".join(await self._told(view.waiting)))
        if self._routed != self._engine.config.routes:
            self._routed = self._engine.config.routes
            self._draw_routes(self._routed)

    async def _told(self, waiting: int) -> list[str]:
        language, most = self._language, self._engine.config.cloud_yuan_per_day
        out = [texts.WAITING(language).format(n=waiting)]
        spent = await self._system.cloud_spent()
        if spent is not None and (most or spent):
            said = texts.SPENT_OF if most else texts.SPENT
            out.append(said(language).format(yuan=spent, most=most))
        out.append(texts.UPDATED(language).format(time=time.strftime("%H:%M:%S")))
        return out

    def _anew(self, names: Sequence[str]) -> None:
        self._body.clear()
        self._rows = {}
        with self._body:
            for name in names:
                self._rows[name] = cells = {}
                with ui.element("tr").props(f"data-server={name}"):
                    for column in texts.COLUMNS:
                        with ui.element("td"):
                            cells[column] = ui.label("")

    def _draw_routes(self, routes: Sequence[RouteSpec]) -> None:
        language = self._language
        self._routes.clear()
        with self._routes:
            if not routes:
                ui.label(texts.NO_ROUTES(language)).classes("dz-muted")
                return
            ui.label(texts.ROUTES_HINT(language)).classes("dz-muted")
            with (
                div("dz-table-wide").props("tabindex=0"),
                ui.element("table").classes("dz-rows dz-routes"),
            ):
                _head(t(language) for t in (texts.ROUTE, texts.WHEN, texts.TO, texts.LEAVING))
                with ui.element("tbody"):
                    for route in routes:
                        leaving = texts.LEAVINGS[route.leaving](language)
                        to = " → ".join(_place(t, language) for t in route.to)
                        _row((route.name, conditions(route, language), to, leaving))


def conditions(route: RouteSpec, language: Language) -> str:
    """What must hold, in words."""
    out = []
    for name, said in texts.CONDITIONS.items():
        value: Any = getattr(route.when, name)
        if not value:
            continue
        told = "、".join(value) if isinstance(value, tuple) else str(value)
        out.append(said(language).format(value=f"{value:.0%}" if name == "load" else told))
    return ("；" if language == "zh" else "; ").join(out) or texts.ALWAYS(language)


def _place(to: str, language: Language) -> str:
    known = texts.PLACES.get(to)
    return known(language) if known else to


def _cells(b: BackendView, language: Language) -> dict[str, str]:
    state = texts.STATES[b.state](language)
    if b.rests_s:
        state += f" · {texts.RESTS(language).format(s=b.rests_s)}"
    return {
        "name": b.name,
        "state": state,
        "model": b.model,
        "place": texts.PLACES[b.place](language),
        "tier": str(b.tier),
        "under_way": f"{b.under_way} / {b.at_once}",
        "served": f"{b.served:,}",
        "failed": f"{b.failed:,}",
        "moved": f"{b.moved:,}",
        "cut": f"{b.cut:,}",
        "first_ms": f"{b.first_ms:,.0f} ms" if b.first_ms else "—",
        "cached": f"{b.cached:.0%}",
        "trouble": reveal(b.trouble) or "—",
    }


def _models(system: System, language: Language) -> None:
    heading(texts.MODELS(language), 2)
    ui.label(texts.MODELS_HINT(language)).classes("dz-muted")
    with div("dz-table-wide").props("tabindex=0"), ui.element("table").classes("dz-rows dz-models"):
        _head(t(language) for t in (texts.NAME, texts.KIND, texts.PLACE, texts.CHOSEN))
        with ui.element("tbody"):
            for m in system.models():
                place = f"{m.place} + {m.adapter}" if m.adapter else m.place
                chosen = texts.CHOSEN(language) if m.chosen else ""
                _row((m.name, texts.KINDS[m.kind](language), place, chosen))


def _head(columns: Iterable[str]) -> None:
    with ui.element("thead"), ui.element("tr"):
        for column in columns:
            with ui.element("th").props("scope=col"):
                ui.label(column)


def _row(cells: Iterable[str]) -> None:
    with ui.element("tr"):
        for value in cells:
            with ui.element("td"):
                revealed(value)
