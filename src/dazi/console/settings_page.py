"""Settings in use, each with where it came from; and whether another value, or the folder, would do."""

from __future__ import annotations

from collections.abc import Iterable

from nicegui import ui

from dazi.console import setting_page_texts as texts
from dazi.console.acts import act, button
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.pool_page import STYLE
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.system import Checked, SettingView, System
from dazi.console.visible import reveal
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

PATH = "/settings"
LONGEST = 2_000


async def draw(scene: Scene, system: System) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-system dz-settings"):
        head(scene)
        heading(texts.SETTINGS(language))
        if not operates(scene.principal):
            forbidden(texts.FORBIDDEN(language))
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        found = list(system.settings())
        _Folder(scene, system)
        _Trial(scene, system, [s.name for s in found])
        heading(texts.SETTINGS(language), 2)
        _Listed(scene, found)


class _Listed:
    def __init__(self, scene: Scene, found: list[SettingView]) -> None:
        self._scene, self._found = scene, found
        language = scene.language
        with div("dz-system-acts"):
            self._wanted = ui.input(texts.FILTER(language))
            self._wanted.props("outlined dense clearable debounce=200").classes("dz-find")
            self._changed = ui.checkbox(texts.CHANGED_ONLY(language)).classes("dz-settings-changed")
        self._list = div().props("aria-live=polite")
        self._wanted.on_value_change(lambda _: self._show())
        self._changed.on_value_change(lambda _: self._show())
        self._show()

    def _show(self) -> None:
        text = (self._wanted.value or "").strip().casefold()
        shown = [
            s
            for s in self._found
            if text in f"{s.name}\n{s.value}\n{s.told.zh}\n{s.told.en}".casefold()
            and (not self._changed.value or s.source != "default")
        ]
        self._list.clear()
        with self._list:
            if not shown:
                ui.label(texts.NO_MATCH(self._scene.language)).classes("dz-muted dz-none")
            with ui.element("ul").classes("dz-settings-rows"):
                self._rows(shown)

    def _rows(self, shown: Iterable[SettingView]) -> None:
        language = self._scene.language
        for s in shown:
            with ui.element("li").classes("dz-setting").props(f"data-setting={s.name}"):
                with div("dz-setting-head"):
                    ui.label(s.name).classes("dz-setting-name dz-mono")
                    value = s.value
                    if s.secret and s.is_set:
                        value = texts.SECRET_SET(language)
                    revealed(value or texts.UNSET(language), "dz-setting-value")
                    if s.default and s.source != "default":
                        said = texts.DEFAULT(language).format(value=s.default)
                        ui.label(said).classes("dz-muted")
                    ui.label(texts.SOURCES[s.source](language)).classes(
                        f"dz-tag dz-source-{s.source}"
                    )
                revealed(s.told(language), "dz-muted")


class _Trial:
    def __init__(self, scene: Scene, system: System, names: list[str]) -> None:
        self._scene, self._system = scene, system
        language = scene.language
        heading(texts.TRY(language), 2)
        ui.label(texts.TRY_HINT(language)).classes("dz-muted")
        with ui.element("form").classes("dz-setting-try") as form:
            form.on("submit", self._check, js_handler="(e) => { e.preventDefault(); emit(); }")
            self._name = ui.select(names, label=texts.NAME(language), with_input=True)
            self._name.props("outlined dense options-dense").classes("dz-try-name")
            self._value = ui.input(texts.VALUE(language)).classes("dz-try-value")
            self._value.props(f"outlined dense maxlength={LONGEST}")
            ui.button(texts.CHECK(language), color=None).props(
                "type=submit unelevated no-caps dense"
            ).classes("dz-button dz-try-check")
        self._told = ui.label("").classes("dz-told-good").props("role=status")

    def _check(self) -> None:
        language = self._scene.language
        name, value = str(self._name.value or ""), str(self._value.value or "")
        if not name:
            return
        wrong = self._system.setting_error(name, value)
        good = texts.GOOD(language).format(name=name, value=value)
        self._told.set_text(reveal(wrong(language) if wrong else good))
        self._told.classes(replace="dz-told-bad" if wrong else "dz-told-good")


class _Folder:
    def __init__(self, scene: Scene, system: System) -> None:
        self._scene, self._system = scene, system
        language = scene.language
        heading(texts.FOLDER(language), 2)
        revealed(str(scene.state.company.folder), "dz-mono dz-folder-path")
        ui.label(texts.FOLDER_HINT(language)).classes("dz-muted")
        with div("dz-system-acts"):
            label = texts.CHECK_FOLDER(language)
            self._go = button(label, self._check, "dz-button dz-check-folder")
        self._told = ui.label("").classes("dz-told-good").props("role=status")

    async def _check(self) -> None:
        language = self._scene.language
        self._go.disable()
        self._told.classes(replace="dz-muted")
        self._told.set_text(texts.CHECKING(language))

        async def work(who: Principal) -> Checked:
            if not operates(who):
                raise AccessError("forbidden", texts.FORBIDDEN.zh, texts.FORBIDDEN.en)
            return await self._system.check(language)

        try:
            found = await act(self._scene, work)
        finally:
            self._go.enable()
        self._told.set_text(reveal(found.told) if found is not None else "")
        self._told.classes(replace="dz-told-good" if found and found.ok else "dz-told-bad")
