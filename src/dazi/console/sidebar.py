"""The list of a person's threads."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from urllib.parse import quote

from nicegui import background_tasks, ui
from nicegui.element import Element

from dazi.console import texts
from dazi.console.frame import brand
from dazi.console.knowledge_texts import KNOWLEDGE
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.language import Text
from dazi.memory.threads import Thread


class Sidebar:
    """A drawer: beside the conversation on a wide screen, over it on a phone."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        language, company = scene.language, scene.state.company
        # Not value=None: then the server asks the browser, and logs a fault where none answers.
        self.drawer = ui.left_drawer(value=False, top_corner=True, bottom_corner=True)
        self.drawer.props("show-if-above width=268 breakpoint=820").classes("dz-drawer")
        with self.drawer:
            brand(language, company.name, demo=company.demo)
            with ui.element("a").props("href=/").classes("dz-new"):
                ui.icon("edit_square")
                ui.label(texts.NEW_CHAT(language))
            if scene.state.knowledge is not None:
                with ui.element("a").props("href=/knowledge").classes("dz-documents-link"):
                    ui.icon("menu_book")
                    ui.label(KNOWLEDGE(language))
            self._approvals = div()
            self._list = ui.element("nav").classes("dz-threads")
            self._list.props["aria-label"] = texts.MENU(language)

    def refresh_soon(self, current: str) -> None:
        background_tasks.create(self.refresh(current), name="console threads")

    async def refresh(self, current: str) -> None:
        scene = self._scene
        found = await scene.state.service.threads.list(scene.principal)
        if self._list.is_deleted:
            return
        await self._count_approvals()
        self._list.clear()
        with self._list:
            if not found:
                ui.label(texts.NO_CHATS(scene.language)).classes("dz-muted dz-none")
            for heading, threads in _by_day(found):
                ui.label(heading(scene.language)).classes("dz-thread-day")
                for thread in threads:
                    self._link(thread, thread.id == current)

    async def _count_approvals(self) -> None:
        """A link for those who have something to decide."""
        scene = self._scene
        waiting = await scene.state.service.approvals(scene.principal)
        self._approvals.clear()
        if not waiting:
            return
        with self._approvals, ui.element("a").props("href=/approvals").classes("dz-approvals-link"):
            ui.icon("pending_actions")
            ui.label(texts.APPROVALS(scene.language))
            ui.label(str(len(waiting))).classes("dz-count")

    def _link(self, thread: Thread, current: bool) -> Element:
        link = ui.element("a").classes("dz-thread" + (" dz-current" if current else ""))
        link.props["href"] = f"/t/{quote(thread.id, safe='')}"
        if current:
            link.props["aria-current"] = "page"
        with link:
            ui.label(reveal(" ".join(thread.title.split())) or texts.UNTITLED(self._scene.language))
        return link


def _by_day(threads: Sequence[Thread]) -> Iterator[tuple[Text, list[Thread]]]:
    """Newest first, under a heading for today, yesterday and before."""
    today = date.fromtimestamp(time.time())

    def heading(thread: Thread) -> int:
        day = date.fromtimestamp(thread.at)
        return 0 if day >= today else 1 if day == today - timedelta(days=1) else 2

    names = (texts.TODAY, texts.YESTERDAY, texts.EARLIER)
    for index, group in groupby(threads, heading):
        yield names[index], list(group)
