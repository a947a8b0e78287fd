"""Why an answer is as it is: a quiet button under it, and what the ledger holds of its turn.

Only the owner's own turns are opened: the rights are looked at anew whenever the panel opens.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec
from nicegui import ui

from dazi.console import context, pool_texts
from dazi.console import texts as words
from dazi.console import why_texts as texts
from dazi.console.abilities import short
from dazi.console.account import TurnAccount, own_account, unknown
from dazi.console.account_view import remarks
from dazi.console.acts import act
from dazi.console.given import beside, considered
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, icon_button, named_dialog, revealed
from dazi.console.state import Scene
from dazi.console.system import System
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.core.turn import Attachment, TurnFinished

STYLE = Path(__file__).with_name("why.css")
FindTurn = Callable[[Principal], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class Fresh:
    """What a turn told as it ended, while that is still known."""

    turn: str = ""
    finished: TurnFinished | None = None
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True)
class Past:
    """A turn of a kept thread: what was said, and how often the same was said after it, until
    ``before`` (seconds since the epoch)."""

    said: str
    later: int
    before: float


class Why:
    """Makes the buttons of one conversation."""

    def __init__(self, scene: Scene, system: System, thread: str) -> None:
        self._scene, self._system, self._thread = scene, system, thread

    def button(self, fresh: Fresh, past: Past | None = None) -> None:
        """Where it is called."""
        made = ui.element("button").props("type=button aria-haspopup=dialog").classes("dz-why")
        made.on("click", lambda: self._open(fresh, past), args=[])
        with made:
            ui.label(texts.WHY(self._scene.language))

    async def _open(self, fresh: Fresh, past: Past | None) -> None:
        async def work(who: Principal) -> TurnAccount:
            turn = await self.turn(who, fresh, past)
            return await own_account(self._system, self._scene.state.service.threads, who, turn)

        found = await act(self._scene, work)
        if found is not None:
            self._dialog(found, fresh)

    async def turn(self, who: Principal, fresh: Fresh, past: Past | None) -> str:
        """Raises ``NotFound`` for one that cannot be told apart."""
        return fresh.turn or await self._found(who, past)

    async def _found(self, who: Principal, past: Past | None) -> str:
        """The number of a turn that is only known by what was said."""
        if past is None:
            raise unknown()
        begun = await self._system.turns(who, self._thread)
        return turn_of(past, [(r.turn, r.at, said_in(r.body)) for r in begun])

    def _dialog(self, found: TurnAccount, fresh: Fresh) -> None:
        language = self._scene.language
        ui.add_css(STYLE)
        with named_dialog(texts.WHY(language)) as dialog, div("dz-dialog dz-why-dialog"):
            with div("dz-dialog-head"):
                heading(texts.WHY(language), 2, "dz-dialog-title")
                icon_button("close", texts.CLOSE(language), dialog.close).classes("dz-close")
            draw_account(self._scene, found, fresh, 3)
            with ui.element("a").classes("dz-back") as link:
                link.props["href"] = why_url(found.turn)
                ui.label(texts.OWN_PAGE(language))
        dialog.on("hide", lambda _: dialog.delete(), args=[])
        dialog.open()


def why_url(turn: str) -> str:
    return f"/why/{quote(turn, safe='')}"


def said_in(body: str) -> str:
    found = msgspec.json.decode(body)
    return str(found.get("said", "")) if isinstance(found, dict) else ""


def turn_of(past: Past, begun: Sequence[tuple[str, float, str]]) -> str:
    """``begun``: number, time and words of each turn, oldest first. Raises ``NotFound``."""
    turns: dict[str, str] = {}
    for turn, at, said in begun:
        if at < past.before:
            turns.setdefault(turn, said)  # one that waited begins twice
    same = [turn for turn, said in turns.items() if said == past.said]
    if len(same) <= past.later:
        raise unknown()
    return same[-1 - past.later]


async def draw(scene: Scene, system: System, turn: str) -> None:
    """As a page of its own. Raises ``NotFound``."""
    found = await own_account(system, scene.state.service.threads, scene.principal, turn)
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-why-page"):
        head(scene)
        with ui.element("a").classes("dz-back") as link:
            link.props["href"] = f"/t/{quote(found.thread, safe='')}"
            ui.icon("arrow_back").props("aria-hidden=true")
            ui.label(texts.CHAT(language))
        heading(texts.WHY(language))
        draw_account(scene, found, Fresh(turn), 2)


def draw_not_found(scene: Scene) -> None:
    with div("dz-page"):
        head(scene)
        heading(texts.NOT_FOUND(scene.language))


def draw_account(scene: Scene, a: TurnAccount, fresh: Fresh, level: int) -> None:
    """``level``: of its headings."""
    language = scene.language
    if not a.ended:
        ui.label(texts.UNFINISHED(language)).classes("dz-muted")
    _part(level, texts.RESTS(language), _rests(scene, a, fresh))
    _part(level, texts.MODEL(language), _model(scene, a, fresh))
    heading(texts.CONTEXT(language), level)
    report = fresh.finished.context if fresh.finished is not None else None
    counted = report is not None or (a.given is not None and a.given.counted)
    report = report or (a.given.report if a.given is not None else None)
    if report is not None:
        context.draw_table(report, language, counted=counted)
    _lines(_given(a, language))
    decided = [f"{_tool(scene, c.tool)}: {line}" for c in a.calls for line in remarks(scene, c)]
    if decided:
        _part(level, texts.DECISIONS(language), decided)
    _part(level, texts.GUARD(language), _guard(scene, a) or [texts.CLEAN(language)])
    _part(level, texts.FIGURES(language), _figures(scene, a))


def _part(level: int, title: str, lines: Sequence[str]) -> None:
    heading(title, level)
    _lines(lines)


def _given(a: TurnAccount, language: Language) -> list[str]:
    out = [] if a.given is None else beside(a.given, language)
    tools = "、".join(a.offered) or texts.NO_TOOLS(language)
    out.append(texts.TOOLS_GIVEN(language).format(tools=tools))
    if said := considered(a.considered, language):
        out.append(said)
    return out


def _lines(lines: Sequence[str]) -> None:
    with ui.element("ul").classes("dz-why-lines"):
        for line in lines:
            with ui.element("li"):
                revealed(line)


def _rests(scene: Scene, a: TurnAccount, fresh: Fresh) -> list[str]:
    language, out = scene.language, []
    if a.approved:
        out.append(texts.APPROVED(language).format(name=a.approved))
    for call in a.calls:
        outcome = next(
            (words.OUTCOMES[o](language) for o in words.OUTCOMES if o == call.outcome), ""
        )
        out.append(f"{_tool(scene, call.tool)} — {outcome or call.outcome}")
    for attachment in fresh.attachments:
        if attachment.kind == "sources":
            for p in attachment.data.get("passages", ()):
                title = str(p.get("title") or p.get("source", ""))
                out.append(texts.PASSAGE(language).format(number=p["number"], title=title))
    if a.replaced:
        out.append(texts.REPLACED(language).format(n=a.replaced))
    return out or [texts.NOTHING(language)]


def _model(scene: Scene, a: TurnAccount, fresh: Fresh) -> list[str]:
    language = scene.language
    by = fresh.finished.by if fresh.finished is not None else None
    model = by.model if by is not None else " ".join(x for x in (a.model, a.version) if x)
    out = [texts.ANSWERED(language).format(model=model)]
    last = a.routes[-1] if a.routes else None
    backend = by.backend if by is not None else a.backend or (last.backend if last else "")
    place = by.place if by is not None else (last.place if last else "")
    if backend:
        known = pool_texts.PLACES.get(place)
        where = known(language) if known else place
        out.append(texts.AT_SERVER(language).format(backend=backend, place=where))
    if (by is not None and by.fallback) or (last is not None and last.tier > 0):
        out.append(texts.LESSER(language))
    for route in a.routes:
        told = [texts.RULE(language).format(rule=route.rule)] if route.rule else []
        if route.place == "cloud" and route.leaving in texts.LEFT:
            told.append(texts.LEFT[route.leaving](language))
        if route.tried:
            told.append(texts.CHANGED(language).format(tried="、".join(route.tried)))
        line = " · ".join(told)
        if line and line not in out:
            out.append(line)
    return out


def _guard(scene: Scene, a: TurnAccount) -> list[str]:
    language, out = scene.language, []
    labels = sorted({label for r in a.routes for label in r.labels})
    if labels:
        out.append(texts.LABELS(language).format(labels="、".join(labels)))
    for call in a.calls:
        if call.signals:
            said = texts.SIGNALS(language)
            signs = "、".join(call.signals)
            out.append(said.format(tool=_tool(scene, call.tool), labels=signs, score=call.score))
    return out


def _figures(scene: Scene, a: TurnAccount) -> list[str]:
    language = scene.language
    read, written = a.tokens
    told = [
        texts.TOKENS(language).format(read=read, written=written),
        texts.TOOK(language).format(s=a.ms / 1000),
    ]
    if a.cost is not None:
        told.append(texts.COST(language).format(yuan=a.cost))
    at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(a.at))
    return [" · ".join(told), at, texts.NUMBER(language).format(turn=a.turn)]


def _tool(scene: Scene, name: str) -> str:
    tool = scene.state.company.tools.get(name)
    return short(tool.description, scene.language) if tool else name
