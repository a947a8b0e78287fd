"""``/prompts``: versions of what the assistant is told, compared, used, written."""

from __future__ import annotations

import time

from nicegui import ui

from dazi.console import prompts_texts as texts
from dazi.console.acts import act, ask, button, tell
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.prompts_diff import Comparing
from dazi.console.prompts_editor import Editor
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.style import EXPERIMENTS_STYLE
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.ops.prompts.model import Version
from dazi.ops.prompts.rights import may_change, may_read
from dazi.ops.prompts.service import PromptService

PATH = "/prompts"


async def draw(scene: Scene, service: PromptService) -> None:
    language = scene.language
    ui.add_css(EXPERIMENTS_STYLE)
    with div("dz-page dz-prompts"):
        head(scene)
        if not may_read(scene.principal):
            forbidden(texts.FORBIDDEN(language), "dz-prompts-refused")
            return
        heading(texts.PROMPTS(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        if service.ignored:
            ui.label(texts.IGNORED(language)).classes("dz-note-wait dz-prompts-ignored")
        if not may_change(scene.principal):
            ui.label(texts.READ_ONLY(language)).classes("dz-muted dz-prompts-read-only")
        await _Page(scene, service).refresh()


class _Page:
    def __init__(self, scene: Scene, service: PromptService) -> None:
        self._scene, self._service = scene, service
        self._language = scene.language
        self._versions: dict[int, Version] = {}
        self._active = 0
        with div("dz-two"):
            with ui.element("section").props(f"aria-label='{texts.VERSIONS(self._language)}'"):
                heading(texts.VERSIONS(self._language), 2)
                self._list = div("dz-versions")
            self._compared = Comparing(scene, service)
        self._editor = Editor(scene, service, self.refresh)

    async def refresh(self) -> None:
        by = self._scene.principal
        found = await self._service.versions(by)
        self._active = await self._service.active(by)
        self._versions = {v.number: v for v in found}
        self._list.clear()
        with self._list:
            for version in found:
                self._row(version)
        newest = found[0].number
        old = self._active if self._active != newest else 0
        await self._compared.offer(list(self._versions), old, newest)
        self._editor.begin(self._versions[self._active].content, self._versions[newest].content)

    def _row(self, v: Version) -> None:
        language = self._language
        with div("dz-version").props(f"data-version={v.number}"):
            with div("dz-version-head"):
                ui.label(texts.NUMBER(language).format(n=v.number)).classes("dz-version-name")
                if v.number == self._active:
                    ui.label(texts.ACTIVE(language)).classes("dz-chip dz-chip-good")
                told = texts.SHIPPED(language) if not v.number else _made(v, language)
                ui.label(told).classes("dz-muted")
            if v.note:
                revealed(v.note, "dz-version-note")
            if may_change(self._scene.principal):
                with div("dz-version-acts"):
                    if v.number != self._active:
                        button(
                            texts.USE(language),
                            lambda: self._use(v.number),
                            "dz-button-quiet dz-use",
                        )
                    button(
                        texts.START_FROM(language),
                        lambda: self._editor.begin(self._versions[self._active].content, v.content),
                        "dz-button-quiet dz-start-from",
                    )

    def _use(self, number: int) -> None:
        async def agreed() -> None:
            async def work(by: Principal) -> bool:
                await self._service.activate(by, number)
                return True

            if await act(self._scene, work):
                tell(texts.USED(self._language).format(n=number))
                await self.refresh()

        question = texts.USE_ASK(self._language).format(n=number)
        ask(self._scene, question, texts.USE(self._language), agreed)


def _made(v: Version, language: Language) -> str:
    when = time.strftime("%Y-%m-%d %H:%M", time.localtime(v.at))
    return texts.BY(language).format(who=v.author, when=when)
