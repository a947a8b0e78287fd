"""What the owner of the conversation on the page can do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from nicegui import ui
from nicegui.element import Element

from dazi.console import texts
from dazi.console.acts import act, button, confirm, tell
from dazi.console.pieces import div, named_dialog
from dazi.console.state import Scene
from dazi.console.thread_routes import export_url
from dazi.core.principal import Principal
from dazi.memory.threads import LONGEST_TITLE, Thread

if TYPE_CHECKING:
    from dazi.memory.export import Format

FORMS: tuple[tuple[Format, str], ...] = (("markdown", "description"), ("json", "data_object"))


class ThreadMenu:
    """A button with a menu, there once there is something to rename, archive, export or delete.

    ``on_change`` is called after the thread looks different in the list.
    """

    def __init__(self, scene: Scene, on_change: Callable[[], object]) -> None:
        self._scene, self._on_change = scene, on_change
        self._thread = ""
        label = texts.CHAT_MENU(scene.language)
        self._button = ui.button(icon="more_horiz", color=None)
        self._button.props("flat round dense").classes("dz-icon-button dz-thread-menu")
        self._button.props["aria-label"] = self._button.props["title"] = label
        self._button.set_visibility(False)
        with self._button:
            self._menu = ui.menu().props("auto-close").classes("dz-menu")
        self._menu.on("before-show", self._fill, args=[])

    def of(self, thread: str) -> None:
        self._thread = thread
        self._button.set_visibility(True)

    async def _fill(self) -> None:
        """With what can be done now: somebody else's tab may have archived it."""
        found = await act(self._scene, self._kept)
        self._menu.clear()
        if found is None:
            return
        language = self._scene.language
        with self._menu:
            _item("edit", texts.RENAME(language), lambda: self._rename(found), "dz-rename")
            if found.archived is None:
                _item(
                    "archive",
                    texts.ARCHIVE(language),
                    lambda: self._archive(out=True),
                    "dz-archive",
                )
            else:
                _item(
                    "unarchive",
                    texts.UNARCHIVE(language),
                    lambda: self._archive(out=False),
                    "dz-unarchive",
                )
            names = (texts.EXPORT_MARKDOWN(language), texts.EXPORT_JSON(language))
            for (form, icon), name in zip(FORMS, names, strict=True):
                with ui.element("a").classes(f"dz-menu-item dz-export-{form}") as link:
                    link.props["href"] = export_url(self._thread, form)
                    link.props["download"] = ""
                    ui.icon(icon)
                    ui.label(name)
            _item("delete", texts.DELETE_CHAT(language), self._ask_to_delete, "dz-delete-chat")

    async def _kept(self, principal: Principal) -> Thread:
        return await self._scene.state.service.threads.get(self._thread, principal)

    def _rename(self, thread: Thread) -> None:
        language = self._scene.language
        with named_dialog(texts.RENAME(language)) as dialog, div("dz-dialog dz-rename-dialog"):
            title = ui.input(texts.NEW_TITLE(language), value=thread.title)
            title.props(f"outlined autofocus maxlength={LONGEST_TITLE}")

            async def save() -> None:
                async def work(principal: Principal) -> Thread:
                    store = self._scene.state.service.threads
                    return await store.rename(self._thread, principal, str(title.value or ""))

                if await act(self._scene, work) is not None:
                    dialog.close()
                    self._on_change()

            title.on("keydown.enter", save, args=[])
            with div("dz-dialog-actions"):
                button(texts.BACK(language), dialog.close, "dz-button-quiet")
                button(texts.SAVE(language), save, "dz-button-main dz-save-title")
        dialog.on("hide", lambda _: dialog.delete(), args=[])
        dialog.open()

    async def _archive(self, *, out: bool) -> None:
        async def work(principal: Principal) -> Thread:
            return await self._scene.state.service.threads.archive(self._thread, principal, out=out)

        if await act(self._scene, work) is not None:
            said = texts.ARCHIVED_NOW if out else texts.UNARCHIVED_NOW
            tell(said(self._scene.language))
            self._on_change()

    def _ask_to_delete(self) -> None:
        async def delete() -> None:
            async def work(principal: Principal) -> bool:
                await self._scene.state.service.delete_thread(principal, self._thread)
                return True

            if await act(self._scene, work):
                ui.navigate.to("/")

        confirm(self._scene, texts.DELETE_CHAT_ASK(self._scene.language), delete)


def _item(icon: str, name: str, do: Callable[[], object], classes: str) -> Element:
    item = ui.element("button").props("type=button").classes(f"dz-menu-item {classes}")
    item.on("click", do, args=[])
    with item:
        ui.icon(icon)
        ui.label(name)
    return item
