"""``/review/gaps``: what was asked and is in no document, and what document would say it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable

from nicegui import ui

from dazi.console import review_texts as texts
from dazi.console.acts import act, button
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import forbidden
from dazi.console.review_tabs import GAPS, tabs
from dazi.console.state import Scene
from dazi.console.thumbs import STYLE
from dazi.core.principal import Principal
from dazi.ops.gaps.noticing import WHYS
from dazi.ops.gaps.service import Gap, GapService

WEEKS = 8
TALLEST = 32
"""Pixels of the largest week's bar."""


async def draw(scene: Scene, service: GapService) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-review-page"):
        head(scene)
        if not service.may(scene.principal):
            forbidden(texts.GAPS_FORBIDDEN(language), "dz-review-refused")
            return
        heading(texts.GAPS(language))
        tabs(scene, GAPS)
        ui.label(texts.GAPS_HINT(language)).classes("dz-muted")
        page = _Page(scene, service)
        await page.refresh()


class _Page:
    def __init__(self, scene: Scene, service: GapService) -> None:
        self._scene, self._service, self._language = scene, service, scene.language
        self._list = div("dz-review-list").props("aria-live=polite")

    async def refresh(self) -> None:
        found = await self._service.gaps(self._scene.principal, WEEKS, self._language)
        if self._list.is_deleted:
            return
        self._list.clear()
        with self._list:
            for gap in found:
                self._gap(gap)
            if not found:
                ui.label(texts.NO_GAPS(self._language)).classes("dz-muted dz-none")

    def _gap(self, gap: Gap) -> None:
        language = self._language
        with ui.element("section").classes("dz-gap") as section:
            section.props["data-gap"] = gap.id
            section.props["aria-label"] = gap.suggestion.title
            with div("dz-review-head"):
                heading(gap.examples[0], 2)
                counted = texts.COUNTED(language).format(n=gap.count, people=gap.people)
                ui.label(counted).classes("dz-tag")
            self._bars(gap)
            named = [f"{name or texts.NO_COLLECTION(language)} {n}" for name, n in gap.collections]
            whys = [f"{WHYS[why](language)} {n}" for why, n in gap.whys]
            for told, values in ((texts.COLLECTIONS, named), (texts.NOTICED, whys)):
                said = told(language).format(names="、".join(values), whys="、".join(values))
                ui.label(said).classes("dz-muted")
            if len(gap.examples) > 1:
                self._lines(texts.EXAMPLES(language), gap.examples)
            s = gap.suggestion
            self._lines(texts.SUGGESTED(language).format(title=s.title), s.outline)
            ui.label(texts.ASK(language).format(who="、".join(s.ask))).classes("dz-muted")
            self._acts(gap)

    def _bars(self, gap: Gap) -> None:
        """The weeks as bars, in words for who does not see them."""
        told = ", ".join(map(str, gap.weeks))
        most = max(gap.weeks, default=0) or 1
        with div("dz-gap-bars").props("role=img") as bars:
            bars.props["aria-label"] = texts.BY_WEEK(self._language).format(weeks=told)
            for n in gap.weeks:
                div("dz-gap-bar").style(f"height: {max(2, n * TALLEST // most)}px")

    def _lines(self, title: str, lines: tuple[str, ...]) -> None:
        heading(title, 3)
        with ui.element("ul"):
            for line in lines:
                with ui.element("li"):
                    revealed(line)

    def _acts(self, gap: Gap) -> None:
        language, c = self._language, gap.closed
        if c is not None:
            told = texts.CLOSED(language).format(document=c.document)
            measured = texts.MEASURED(language).format(
                asked=c.asked, answered=c.answered, when=_when(c.measured)
            )
            ui.label(f"{told}。{measured}").classes("dz-gap-closed").props("role=status")
            if gap.since:
                ui.label(texts.SINCE(language).format(n=gap.since)).classes("dz-review-down")
            with div("dz-gap-act"):
                again = self._doing(lambda by: self._service.measure(by, gap.id))
                button(texts.AGAIN(language), again, "dz-button dz-gap-again")
                reopened = self._doing(lambda by: self._service.reopen(by, gap.id))
                button(texts.REOPEN(language), reopened, "dz-button-quiet dz-gap-reopen")
            return
        with div("dz-gap-act"):
            document = ui.input(texts.DOCUMENT(language)).props("outlined dense maxlength=64")

            def number() -> str:
                return str(document.value or "").strip()

            close = self._doing(lambda by: self._service.close(by, gap.id, number()))
            button(texts.CLOSE(language), close, "dz-button dz-gap-close")

    def _doing(
        self, work: Callable[[Principal], Awaitable[object]]
    ) -> Callable[[], Awaitable[None]]:
        async def do() -> None:
            async def really(by: Principal) -> bool:
                await work(by)
                return True

            if await act(self._scene, really):
                await self.refresh()

        return do


def _when(at: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(at))
