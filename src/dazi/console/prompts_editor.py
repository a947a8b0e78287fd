"""The editor of a new prompt version: checked while somebody types, and shown as a role would be told."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

from nicegui import ui

from dazi.console import prompts_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.pieces import div, heading, revealed
from dazi.console.prompts_diff import part_name
from dazi.console.state import Scene
from dazi.core.language import Language, Text
from dazi.core.principal import Principal
from dazi.ops.prompts.checking import LONGEST, LONGEST_NOTE, LONGEST_TOOL, Problem
from dazi.ops.prompts.model import LANGUAGES, Content
from dazi.ops.prompts.rights import may_change
from dazi.ops.prompts.service import PromptService

WAIT_MS = 250


class Editor:
    def __init__(
        self, scene: Scene, service: PromptService, saved: Callable[[], Awaitable[None]]
    ) -> None:
        self._scene, self._service, self._saved = scene, service, saved
        self._content = Content()
        self._filling = False
        self._inputs: dict[str, Any] = {}
        self._tool = next(iter(service.company.tools), "")
        language = scene.language
        changes = may_change(scene.principal)
        with (
            ui.element("section").classes("dz-editor").props(f"aria-label='{texts.EDIT(language)}'")
        ):
            if changes:
                self._form(language)
            self._preview(language)

    def begin(self, active: Content, content: Content) -> None:
        """Start from ``content``; who may only read sees ``active``."""
        self._content = content if self._inputs else active
        self._filling = True
        try:
            if self._inputs:
                self._inputs["zh"].value = content.template("zh")
                self._inputs["en"].value = content.template("en")
                self._inputs["note"].value = ""
                self._fill_tool()
        finally:
            self._filling = False
        self._check()

    # --- the form --------------------------------------------------------------------------------

    def _form(self, language: Language) -> None:
        heading(texts.EDIT(language), 2)
        ui.label(texts.EDIT_HINT(language)).classes("dz-muted")
        with div("dz-two"):
            for one, label in (("zh", texts.ZH), ("en", texts.EN)):
                self._area(one, label(language), LONGEST)
        tools = {t.name: t.name for t in self._service.company.tools.values()}
        select = ui.select(
            tools, label=texts.TOOL(language), value=self._tool, on_change=self._tool_chosen
        )
        select.props("outlined dense options-dense").classes("dz-editor-tool")
        with div("dz-two"):
            for name, label in (("tool_zh", texts.TOOL_ZH), ("tool_en", texts.TOOL_EN)):
                self._area(name, label(language), LONGEST_TOOL)
        note = ui.input(texts.NOTE(language)).props(f"outlined dense maxlength={LONGEST_NOTE}")
        self._inputs["note"] = note.classes("dz-editor-note")
        self._told = div("dz-editor-told").props("role=status")
        self._save = button(texts.SAVE(language), self._keep, "dz-button dz-save-prompt")

    def _area(self, name: str, label: str, most: int) -> None:
        area = ui.textarea(label, on_change=lambda _: self._changed())
        area.props(f"outlined dense autogrow debounce={WAIT_MS} maxlength={most * 2}")
        self._inputs[name] = area.classes(f"dz-editor-{name}")

    def _tool_chosen(self, e: Any) -> None:
        self._tool = str(e.value)
        self._filling = True
        try:
            self._fill_tool()
        finally:
            self._filling = False

    def _fill_tool(self) -> None:
        own = self._service.company.tools[self._tool].description
        told = self._content.tools.get(self._tool, own)
        self._inputs["tool_zh"].value, self._inputs["tool_en"].value = told.zh, told.en

    def _changed(self) -> None:
        if self._filling:
            return
        given = {name: str(field.value or "") for name, field in self._inputs.items()}
        tools = dict(self._content.tools)
        told, own = Text(given["tool_zh"], given["tool_en"]), self._service.shipped[self._tool]
        if told == own:
            tools.pop(self._tool, None)
        else:
            tools[self._tool] = told
        # A text that was emptied is blank, and not as shipped.
        self._content = replace(
            self._content, zh=given["zh"] or " ", en=given["en"] or " ", tools=tools
        )
        self._check()

    def _check(self) -> None:
        if self._inputs:
            found = self._service.problems(self._scene.principal, self._content)
            self._told.clear()
            with self._told:
                if not found:
                    ui.label(texts.GOOD(self._scene.language)).classes("dz-editor-good")
                for problem in found:
                    ui.label(self._said(problem)).classes("dz-error dz-editor-problem")
            self._save.set_enabled(not found)
        self._show()

    def _said(self, problem: Problem) -> str:
        language = self._scene.language
        said = texts.PROBLEM_AT if problem.line else texts.PROBLEM
        return said(language).format(
            part=part_name(problem.part, language),
            line=problem.line,
            what=problem.what(language),
        )

    async def _keep(self) -> None:
        note = str(self._inputs["note"].value or "")

        async def work(by: Principal) -> int:
            return (await self._service.add(by, self._content, note)).number

        number = await act(self._scene, work)
        if number is not None:
            tell(texts.SAVED(self._scene.language).format(n=number))
            await self._saved()

    # --- the preview -----------------------------------------------------------------------------

    def _preview(self, language: Language) -> None:
        roles = list(self._service.company.roles)
        heading(texts.PREVIEW(language), 2)
        with div("dz-compare-of"):
            self._role = ui.select(roles, label=texts.ROLE(language), value=roles[0])
            spoken = {"zh": texts.ZH(language), "en": texts.EN(language)}
            self._spoken = ui.select(spoken, label=texts.LANGUAGE(language), value=language)
            for one in (self._role, self._spoken):
                one.props("outlined dense options-dense").on_value_change(lambda _: self._show())
        self._seen = div("dz-preview").props("aria-live=polite")

    def _show(self) -> None:
        language = self._scene.language
        spoken = next(one for one in LANGUAGES if one == self._spoken.value)
        told = self._service.preview(
            self._scene.principal, self._content, str(self._role.value), spoken
        )
        self._seen.clear()
        with self._seen:
            with ui.element("pre").classes("dz-preview-text"):
                revealed(told.system)
            if told.tokens:
                ui.label(texts.TOKENS(language).format(n=told.tokens)).classes("dz-muted")
            with ui.element("details"):
                with ui.element("summary"):
                    ui.label(texts.TOOLS(language)).classes("dz-muted")
                with ui.element("dl").classes("dz-preview-tools"):
                    for name, description in told.tools:
                        with ui.element("dt").classes("dz-mono"):
                            ui.label(name)
                        with ui.element("dd"):
                            revealed(description)
