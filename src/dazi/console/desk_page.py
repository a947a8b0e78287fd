"""``/desk``: the queue with what is due, and for supervisors the figures; for customers their tickets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nicegui import ui

from dazi.apps.desk.desk import Desk
from dazi.apps.desk.intents.kinds import INTENTS
from dazi.apps.desk.model import PRIORITIES, STATES
from dazi.apps.desk.records import ALIVE, Card, Wanted
from dazi.apps.desk.statistics import Figures, Statistics
from dazi.console import desk_texts as texts
from dazi.console.attachments import FONTS, PALETTE, QUIET
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.language import Language

DAYS = 28
SHOWN = 100


async def draw(scene: Scene, desk: Desk, show: str) -> None:
    language, service = scene.language, desk.service
    actor = service.actor(scene.principal)
    staff = actor != "customer"
    with div("dz-page dz-desk"):
        head(scene)
        heading((texts.DESK if staff else texts.MY_TICKETS)(language))
        ui.label((texts.DESK_HINT if staff else texts.MY_HINT)(language)).classes("dz-muted")
        if staff:
            _filters(language, show)
        wanted = _wanted(show if staff else "all", scene.principal.user)
        cards = await service.find(scene.principal, wanted)
        with div("dz-tickets"):
            for card in cards:
                _row(card, desk, language, staff=staff)
            if not cards:
                ui.label(texts.NO_TICKETS(language)).classes("dz-muted dz-none")
        if actor == "supervisor":
            since = desk.clock() - DAYS * 86_400
            _statistics(await desk.statistics(scene.principal, since), language)


def _wanted(show: str, user: str) -> Wanted:
    match show:
        case "all":
            return Wanted(limit=SHOWN)
        case "mine":
            return Wanted(states=ALIVE, assignee=user, limit=SHOWN)
        case "unassigned":
            return Wanted(states=ALIVE, unassigned=True, limit=SHOWN)
        case "done":
            return Wanted(states=("resolved", "closed"), limit=SHOWN)
    return Wanted(states=ALIVE, limit=SHOWN)


def _filters(language: Language, show: str) -> None:
    with ui.element("nav").classes("dz-filters"):
        for name, label in texts.FILTERS.items():
            link = ui.element("a").classes("dz-filter").props(f"href=/desk?show={name}")
            if name == show:
                link.props("aria-current=page")
            with link:
                ui.label(label(language))


def _row(card: Card, desk: Desk, language: Language, *, staff: bool) -> None:
    with ui.element("a").classes("dz-ticket").props(f"href=/desk/t/{card.id}"):
        with div("dz-ticket-main"):
            ui.label(reveal(card.title)).classes("dz-ticket-title")
            parts = [card.id, INTENTS[card.category](language)]
            if staff:
                assignee = card.assignee and desk.names(card.assignee, language)
                parts += [desk.names(card.user, language), assignee or texts.NOBODY(language)]
            ui.label(reveal(" · ".join(parts))).classes("dz-muted")
        with div("dz-ticket-side"):
            if staff and card.priority in ("urgent", "high"):
                chip(PRIORITIES[card.priority](language), "wait")
            chip(STATES[card.state](language), "quiet")
            if card.due is not None:
                due(card, desk, language)


def chip(text: str, tone: str) -> None:
    ui.label(text).classes(f"dz-chip dz-chip-{tone}")


def due(card: Card, desk: Desk, language: Language) -> None:
    """When the clock that ends first does, in the colour of how near that is."""
    assert card.due is not None
    now = desk.clock()
    if card.due < now:
        chip(texts.LATE(language).format(time=span(now - card.due)), "bad")
        return
    tone = "wait" if card.warn is None or card.warn <= now else "good"
    chip(texts.DUE(language).format(time=when(card.due, desk)), tone)


def when(at: float, desk: Desk) -> str:
    """With the day, where that is not today."""
    local, now = desk.local(at), desk.local(desk.clock())
    return local.strftime("%H:%M" if local.date() == now.date() else "%m-%d %H:%M")


def span(seconds: float) -> str:
    minutes = int(seconds // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"


def _statistics(found: Statistics, language: Language) -> None:
    total = found.total
    heading(texts.STATISTICS(language).format(days=DAYS), 2)
    with div("dz-figures"):
        for label, value in (
            (texts.OPENED, str(total.opened)),
            (texts.RESOLVED, str(total.resolved)),
            (texts.BACKLOG, str(total.backlog)),
            (texts.MEDIAN, _number(total.response.median)),
            (texts.WITHIN, percent(total.resolution.within)),
            (texts.DEFLECTION, percent(total.deflection)),
            (texts.REOPENED, percent(total.reopened)),
            (texts.RATING, _number(total.rating)),
        ):
            with div("dz-figure"):
                ui.label(value).classes("dz-figure-value")
                ui.label(label(language)).classes("dz-muted")
    with div("dz-charts"):
        ui.echart(_weeks(found.weeks, language)).classes("dz-chart")
        ui.echart(_intents(total.intents, language)).classes("dz-chart")


def _weeks(weeks: Mapping[str, Figures], language: Language) -> dict[str, Any]:
    series = (
        (texts.OPENED(language), [f.opened for f in weeks.values()]),
        (texts.RESOLVED(language), [f.resolved for f in weeks.values()]),
    )
    return _bars(texts.BY_WEEK(language), [w[5:] for w in weeks], series)


def _intents(intents: Mapping[str, int], language: Language) -> dict[str, Any]:
    names = [INTENTS[n](language) for n in intents][:8]
    series = [(texts.OPENED(language), list(intents.values())[:8])]
    return _bars(texts.BY_INTENT(language), names, series)


def _bars(
    title: str, names: Sequence[str], series: Sequence[tuple[str, Sequence[int]]]
) -> dict[str, Any]:
    return {
        "animation": False,
        "color": list(PALETTE),
        "textStyle": {"fontFamily": FONTS, "color": QUIET},
        "title": {"text": title, "textStyle": {"fontSize": 13, "color": QUIET}},
        "grid": {"left": 36, "right": 12, "top": 44, "bottom": 56},
        "legend": {"show": len(series) > 1, "top": 0, "right": 0, "textStyle": {"color": QUIET}},
        "xAxis": {
            "type": "category",
            "data": list(names),
            "axisLabel": {"rotate": 30 if len(names) > 4 else 0},
        },
        "yAxis": {"type": "value", "minInterval": 1},
        "series": [
            {"type": "bar", "name": n, "data": list(v), "barMaxWidth": 28} for n, v in series
        ],
    }


def percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:g}"
