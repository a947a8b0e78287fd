"""What a person wants remembered: what they mentioned waits for their word, the rest can be changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from dazi.console import texts
from dazi.console.acts import act, button, confirm
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, icon_button, named_dialog
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.principal import Principal
from dazi.memory.facts import LONGEST, Fact, FactStore


async def draw(scene: Scene) -> None:
    language = scene.language
    with div("dz-page dz-memory"):
        head(scene)
        heading(texts.MEMORY(language))
        ui.label(texts.MEMORY_HINT(language)).classes("dz-muted")
        await FactList(scene).refresh()


class FactList:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        language = scene.language
        with div("dz-search"):
            self._new = ui.input(placeholder=texts.REMEMBER(language))
            self._new.props(f"outlined dense maxlength={LONGEST}")
            self._new.props["aria-label"] = texts.REMEMBER(language)
            self._new.on("keydown.enter", self._add, args=[])
            button(texts.ADD(language), self._add, "dz-button-main dz-add-fact")
        self._list = div("dz-facts").props("aria-live=polite")

    @property
    def _facts(self) -> FactStore:
        return self._scene.state.service.remembering.facts

    async def refresh(self) -> None:
        found = await self._facts.list(self._scene.principal)
        language = self._scene.language
        self._list.clear()
        with self._list:
            proposed = [f for f in found if f.state == "proposed"]
            if proposed:
                ui.label(texts.PROPOSED(language)).classes("dz-thread-day")
            for fact in proposed:
                self._row(fact)
            for fact in reversed(found):
                if fact.state == "confirmed":
                    self._row(fact)
            if not found:
                ui.label(texts.NO_FACTS(language)).classes("dz-muted dz-none")

    def _row(self, fact: Fact) -> None:
        language = self._scene.language
        with div(f"dz-fact dz-fact-{fact.state}"):
            ui.label(reveal(fact.text)).classes("dz-fact-text")
            if fact.state == "proposed":
                button(
                    texts.KEEP(language),
                    self._doing(lambda by: self._facts.change(by, fact.id, confirm=True)),
                    "dz-button dz-keep-fact",
                )
            else:
                icon_button("edit", texts.EDIT(language), lambda: self._edit(fact))
            icon_button("delete", texts.DELETE(language), lambda: self._forget(fact))

    async def _add(self) -> None:
        said = str(self._new.value or "")
        if await self._do(lambda by: self._facts.keep(by, said)):
            self._new.set_value("")

    def _edit(self, fact: Fact) -> None:
        language = self._scene.language
        with named_dialog(texts.EDIT(language)) as dialog, div("dz-dialog dz-fact-dialog"):
            text = ui.textarea(value=fact.text)
            text.props(f"outlined autofocus autogrow maxlength={LONGEST}")
            text.props["aria-label"] = texts.EDIT(language)

            async def save() -> None:
                said = str(text.value or "").strip()
                if await self._do(lambda by: self._facts.change(by, fact.id, said)):
                    dialog.close()

            with div("dz-dialog-actions"):
                button(texts.BACK(language), dialog.close, "dz-button-quiet")
                button(texts.SAVE(language), save, "dz-button-main dz-save-fact")
        dialog.on("hide", lambda _: dialog.delete(), args=[])
        dialog.open()

    def _forget(self, fact: Fact) -> None:
        async def remove(by: Principal) -> None:
            await self._facts.remove(by, fact.id)

        question = texts.FORGET_ASK(self._scene.language).format(fact=fact.text)
        confirm(self._scene, question, self._doing(remove))

    def _doing(
        self, work: Callable[[Principal], Awaitable[object]]
    ) -> Callable[[], Awaitable[bool]]:
        return lambda: self._do(work)

    async def _do(self, work: Callable[[Principal], Awaitable[object]]) -> bool:
        """Whether it was done; the list then shows it."""

        async def worked(by: Principal) -> bool:
            await work(by)
            return True

        done = await act(self._scene, worked)
        if done:
            await self.refresh()
        return bool(done)
