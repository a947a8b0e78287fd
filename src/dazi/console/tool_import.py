"""Drafts of declarations, from an OpenAPI document or an MCP server; to look over and copy."""

from __future__ import annotations

import json
from pathlib import PurePosixPath
from typing import cast

from nicegui import ui

from dazi.console import tool_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.operators import operates
from dazi.console.page_head import head
from dazi.console.pieces import div, heading, revealed
from dazi.console.refusal import forbidden
from dazi.console.state import Scene
from dazi.console.system import Drafted, Drafting, System
from dazi.console.tools_page import STYLE
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

PATH = "/tools/import"
LONGEST = 900_000
"""Characters of a document; more would not fit into one message of the page."""


async def draw(scene: Scene, system: System) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-tools"):
        head(scene)
        heading(texts.IMPORT(language))
        if not operates(scene.principal):
            forbidden(texts.FORBIDDEN(language))
            return
        ui.label(texts.IMPORT_HINT(language)).classes("dz-muted")
        _Form(scene, system)


class _Form:
    def __init__(self, scene: Scene, system: System) -> None:
        self._scene, self._system = scene, system
        language, company = scene.language, scene.state.company
        kinds = {k: t(language) for k, t in texts.IMPORT_KINDS.items()}
        with div("dz-import-form"):
            self._kind = ui.select(kinds, label=texts.IMPORT_KIND(language), value="document")
            self._service = ui.select(
                list(system.services()), label=texts.SERVICE(language), value=None, with_input=True,
                new_value_mode="add-unique",
            )  # fmt: skip
            self._path = ui.input(texts.DOCUMENT_PATH(language), value="openapi.json")
            self._document = ui.textarea(texts.DOCUMENT(language))
            self._document.props(f"maxlength={LONGEST} input-style='max-height: 300px'")
            roles = {r: n(language) for r, n in company.role_names.items()}
            self._roles = ui.select(roles, label=texts.ROLES(language), value=[], multiple=True)
            self._only = ui.input(texts.ONLY(language))
            for field in (
                self._kind, self._service, self._path, self._document, self._roles, self._only,
            ):  # fmt: skip
                field.props("outlined dense hide-bottom-space")
                field.classes("dz-tool-field")
            with div("dz-tool-acts"):
                self._go = button(texts.DRAFT(language), self._draft, "dz-button-main dz-draft-go")
        self._service.classes("dz-import-service")
        self._document.classes("dz-import-document")
        self._kind.classes("dz-import-kind").on_value_change(lambda _: self._suit())
        self._made = div().props("aria-live=polite")
        self._suit()

    def _suit(self) -> None:
        kind = self._kind.value
        self._document.set_visibility(kind == "document")
        self._path.set_visibility(kind == "openapi")

    async def _draft(self) -> None:
        kind = str(self._kind.value)
        only = tuple(x.strip() for x in (self._only.value or "").split(",") if x.strip())
        drafting = Drafting(
            str(self._service.value or ""),
            "mcp" if kind == "mcp" else "openapi",
            (self._document.value or "") if kind == "document" else "",
            (self._path.value or "") if kind == "openapi" else "",
            only,
            tuple(cast("list[str]", self._roles.value)),
        )

        async def work(who: Principal) -> Drafted:
            if not operates(who):
                raise AccessError("forbidden", texts.FORBIDDEN.zh, texts.FORBIDDEN.en)
            return await self._system.draft(drafting)

        self._go.disable()
        try:
            found = await act(self._scene, work)
        finally:
            self._go.enable()
        if found is not None:
            self._show(found)

    def _show(self, found: Drafted) -> None:
        language = self._scene.language
        self._made.clear()
        with self._made:
            said = texts.DRAFTED(language).format(n=len(found.tools), skipped=len(found.skipped))
            ui.label(said).classes("dz-block-head dz-drafted")
            ui.label(texts.AFTER(language)).classes("dz-muted")
            for path, text in found.files.items():
                self._file(path, text)
            if found.skipped:
                heading(texts.SKIPPED(language), 2)
                with ui.element("ul"):
                    for name, why in found.skipped.items():
                        with ui.element("li"):
                            revealed(f"{name}: {why(language)}")

    def _file(self, path: str, text: str) -> None:
        language = self._scene.language

        def copy() -> None:
            ui.run_javascript(f"navigator.clipboard.writeText({json.dumps(text)})")
            tell(texts.COPIED(language))

        def save() -> None:
            ui.download.content(text, PurePosixPath(path).name, "application/octet-stream")

        with div("dz-draft-head"):
            ui.label(path).classes("dz-mono")
            button(texts.COPY(language), copy, "dz-button")
            button(texts.SAVE(language), save, "dz-button dz-draft-save")
        with ui.element("pre").classes("dz-draft dz-mono").props("tabindex=0 role=region") as box:
            box.props["aria-label"] = path
            ui.label(text)
