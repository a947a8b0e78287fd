"""The list of a person's threads, and a search of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta
from itertools import groupby
from urllib.parse import quote

from nicegui import background_tasks, ui
from nicegui.element import Element

from dazi.console import texts
from dazi.console.acts import act
from dazi.console.frame import brand
from dazi.console.menu import entries, link
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.memory import thread_search
from dazi.memory.thread_search import Found
from dazi.memory.threads import Thread

BESIDE_THREADS = ("/knowledge", "/reports")
"""Pages that one goes to from a conversation; all others are in the menu."""
SHOWN = 50
FOUND = 20


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
            for entry in entries(scene, "work"):
                if entry.path in BESIDE_THREADS:
                    link(entry, scene, "dz-documents-link")
            self._approvals = div()
            self._query = ui.input(placeholder=texts.SEARCH_CHATS(language))
            self._query.props(
                f"outlined dense clearable type=search maxlength={thread_search.LONGEST_QUERY}"
            ).classes("dz-thread-search")
            self._query.props["aria-label"] = texts.SEARCH_CHATS(language)
            self._query.on("keydown.enter", self._search, args=[])
            self._query.on("clear", self._list_again, args=[])
            self._list = ui.element("nav").classes("dz-threads")
            self._list.props["aria-label"] = texts.MENU(language)
        self._current = ""
        self._archived = False
        self._shown = SHOWN

    def refresh_soon(self, current: str) -> None:
        background_tasks.create(self.refresh(current), name="console threads")

    async def refresh(self, current: str) -> None:
        """Draw the list again, unless it shows what was searched for."""
        self._current = current
        if self._list.is_deleted:
            return
        await self._count_approvals()
        if not str(self._query.value or "").strip():
            await self._draw()

    async def _draw(self) -> None:
        scene, language = self._scene, self._scene.language
        store = scene.state.service.threads
        found = await store.list(scene.principal, self._shown + 1, archived=self._archived)
        if self._list.is_deleted:
            return
        self._list.clear()
        with self._list:
            if self._archived:
                _switch("arrow_back", texts.ALL_CHATS(language), lambda: self._show(archived=False))
            if not found:
                none = texts.NO_ARCHIVED_CHATS if self._archived else texts.NO_CHATS
                ui.label(none(language)).classes("dz-muted dz-none")
            for heading, threads in _by_day(found[: self._shown]):
                ui.label(heading(language)).classes("dz-thread-day")
                for thread in threads:
                    self._link(thread)
            if len(found) > self._shown:
                _switch("expand_more", texts.OLDER_CHATS(language), self._show_more)
            if not self._archived:
                archived = texts.ARCHIVED_CHATS(language)
                _switch("archive", archived, lambda: self._show(archived=True), "dz-archived-link")

    async def _show(self, *, archived: bool) -> None:
        self._archived, self._shown = archived, SHOWN
        await self._draw()

    async def _show_more(self) -> None:
        self._shown += SHOWN
        await self._draw()

    async def _list_again(self) -> None:
        self._query.set_value("")
        await self._draw()

    async def _search(self) -> None:
        words = str(self._query.value or "").strip()
        if not words:
            await self._draw()
            return
        self._list.clear()
        await self._search_on(words, "")

    async def _search_on(self, words: str, after: str) -> None:
        """Show what is found, and where not all was looked through, a way to go on."""
        language = self._scene.language

        async def find(principal: Principal) -> Found:
            store = self._scene.state.service.threads
            return await thread_search.search(store, principal, words, FOUND, after)

        found = await act(self._scene, find)
        if found is None or self._list.is_deleted:
            return
        with self._list:
            for hit in found.hits:
                self._link(hit.thread, hit.snippet)
            if not found.hits and not found.next:
                ui.label(texts.FOUND_NO_CHATS(language)).classes("dz-muted dz-none")
            if found.next:
                more: list[Element] = []

                async def go_on() -> None:
                    more[0].delete()
                    await self._search_on(words, found.next)

                more.append(_switch("expand_more", texts.SEARCH_GOES_ON(language), go_on))

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

    def _link(self, thread: Thread, snippet: str = "") -> None:
        current = thread.id == self._current
        link = ui.element("a").classes("dz-thread" + (" dz-current" if current else ""))
        link.props["href"] = f"/t/{quote(thread.id, safe='')}"
        if current:
            link.props["aria-current"] = "page"
        with link:
            ui.label(reveal(" ".join(thread.title.split())) or texts.UNTITLED(self._scene.language))
            if snippet:
                ui.label(reveal(snippet)).classes("dz-muted dz-snippet")


def _switch(icon: str, name: str, do: Callable[[], object], classes: str = "") -> Element:
    item = ui.element("button").props("type=button").classes(f"dz-thread dz-switch {classes}")
    item.on("click", do, args=[])
    with item:
        ui.icon(icon)
        ui.label(name)
    return item


def _by_day(threads: Sequence[Thread]) -> Iterator[tuple[Text, list[Thread]]]:
    """Newest first, under a heading for today, yesterday and before."""
    today = date.fromtimestamp(time.time())

    def heading(thread: Thread) -> int:
        day = date.fromtimestamp(thread.at)
        return 0 if day >= today else 1 if day == today - timedelta(days=1) else 2

    names = (texts.TODAY, texts.YESTERDAY, texts.EARLIER)
    for index, group in groupby(threads, heading):
        yield names[index], list(group)
