"""``/limits``: what is declared, what is used of it now, and what was used today."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from nicegui import ui
from nicegui.element import Element

from dazi.access.limits.rules import lines_of
from dazi.audit.usage import Used, used_since
from dazi.console import key_texts as texts
from dazi.console.fields import choice, form, submit, text_field
from dazi.console.limit_bars import amount, draw_bars, numbers, rule_text
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.people_page import STYLE
from dazi.console.pieces import div, heading
from dazi.console.refusal import refused
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import AccessError, DaziError

PATH = "/limits"
CHANNELS = ("web", "api")
SHOWN = 100


async def draw(scene: Scene, address: Mapping[str, str]) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-people-page dz-limits-page"):
        head(scene)
        heading(texts.LIMITS(language))
        if not operates(scene.principal):
            refused(scene, texts.LIMITS_FORBIDDEN)
            return
        folder = scene.state.company.folder
        path = f"{folder.name}/dazi.toml"
        ui.label(texts.LIMITS_HINT(language).format(path=path)).classes("dz-muted")
        _declared(scene, path)
        await _now(scene, address)
        heading(texts.TODAY(language), 2)
        ui.label(texts.TODAY_HINT(language)).classes("dz-muted")
        table = div("dz-today").props("aria-live=polite")
        with table:
            ui.label(texts.COUNTING(language)).classes("dz-muted")

    async def count() -> None:
        database = scene.state.access.changes.database
        midnight = datetime.now().replace(hour=0, minute=0, second=0, microsecond=0)
        await scene.state.ledger.flush()
        _today(scene, table, await used_since(database, midnight.timestamp()))

    ui.timer(0.1, count, once=True)


def _declared(scene: Scene, path: str) -> None:
    language, rules = scene.language, scene.state.service.limiter.rules
    if not rules:
        ui.label(texts.NO_LIMITS(language)).classes("dz-none dz-no-limits")
        return
    lines = lines_of(scene.state.company.folder)
    with (
        div("dz-scroll").props("tabindex=0"),
        ui.element("table").classes("dz-rows dz-limit-rules"),
    ):
        with ui.element("thead"), ui.element("tr"):
            for title in (texts.RULE, texts.LIMITS, texts.WHERE):
                with ui.element("th").props("scope=col"):
                    ui.label(title(language))
        with ui.element("tbody"):
            for i, rule in enumerate(rules):
                said = [
                    f"{texts.UNITS[unit](language)}: {amount(unit, n)}" for unit, n in numbers(rule)
                ]
                # Rules written in another way have no line of their own.
                where = f"{path}:{lines[i]}" if len(lines) == len(rules) else path
                with ui.element("tr"):
                    for cell in (rule_text(rule, language), "; ".join(said), where):
                        with ui.element("td"):
                            ui.label(reveal(cell))


async def _now(scene: Scene, address: Mapping[str, str]) -> None:
    language, by = scene.language, scene.principal
    if not scene.state.service.limiter.rules:
        return
    user = address.get("user", "").strip()[:100] or by.user
    channel = address.get("channel", "")
    channel = channel if channel in CHANNELS else CHANNELS[0]
    heading(texts.NOW(language), 2)
    with form(PATH, texts.NOW(language), "dz-limits-form"):
        text_field("user", texts.WHOSE(language), user)
        choice("channel", texts.CHANNEL(language), channel, [(c, c) for c in CHANNELS])
        submit(texts.LOOK(language))
    try:
        who = scene.state.access.people.principal(user, channel, by.tenant)
    except AccessError:
        ui.label(reveal(texts.NO_USER(language).format(user=user))).classes("dz-none")
        return
    try:
        draw_bars(await scene.state.service.limiter.standing(who), language)
    except DaziError as e:
        ui.label(e.message(language)).classes("dz-job-error").props("role=alert")


def _today(scene: Scene, table: Element, found: Sequence[Used]) -> None:
    language = scene.language
    titles = (texts.USER, texts.MODEL, texts.TURNS, texts.READ, texts.WRITTEN, texts.YUAN)
    table.clear()
    with table:
        if not found:
            ui.label(texts.NOTHING_TODAY(language)).classes("dz-muted")
            return
        with div("dz-scroll").props("tabindex=0"), ui.element("table").classes("dz-rows"):
            with ui.element("thead"), ui.element("tr"):
                for title in titles:
                    with ui.element("th").props("scope=col"):
                        ui.label(title(language))
            with ui.element("tbody"):
                for used in found[:SHOWN]:
                    _row((used.user, used.model or "—", *_counted([used])))
            with ui.element("tfoot"):
                if len(found) > SHOWN:
                    rest = found[SHOWN:]
                    _row((texts.REST(language).format(n=len(rest)), "", *_counted(rest)))
                _row((texts.SUM(language), "", *_counted(found)))


def _row(cells: Sequence[str]) -> None:
    with ui.element("tr"):
        for cell in cells:
            with ui.element("td"):
                ui.label(reveal(cell))


def _counted(found: Sequence[Used]) -> tuple[str, ...]:
    return (
        f"{sum(u.turns for u in found):,}", f"{sum(u.prompt for u in found):,}",
        f"{sum(u.completion for u in found):,}", f"{sum(u.yuan for u in found):,.4f}",
    )  # fmt: skip
