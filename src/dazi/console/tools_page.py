"""The tools that one may use; for administrators all of them, with who may use each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from nicegui import ui

from dazi.console import tool_texts as texts
from dazi.console.abilities import remark, short
from dazi.console.operators import operates
from dazi.console.own_page import OwnPage
from dazi.console.page_head import head
from dazi.console.pieces import div, heading
from dazi.console.state import ConsoleState, Scene
from dazi.core.principal import Principal
from dazi.core.tools import Tool

PATH = "/tools"
STYLE = Path(__file__).with_name("tools.css")


def own_pages(state: ConsoleState) -> Iterator[OwnPage]:
    from dazi.console import tool_import, tool_page

    yield OwnPage(PATH, lambda scene, _: draw(scene))
    if state.system is not None:
        system = state.system
        yield OwnPage(tool_import.PATH, lambda scene, _: tool_import.draw(scene, system))
    yield OwnPage(
        f"{PATH}/{{name}}",
        lambda scene, r: tool_page.draw(scene, r.path_params["name"]),
        tool_page.draw_not_found,
    )


def tool_url(name: str) -> str:
    return f"{PATH}/{quote(name, safe='')}"


def visible(scene: Scene) -> list[Tool]:
    """All of them for administrators, else those that the person may use."""
    if operates(scene.principal):
        return list(scene.state.company.tools.values())
    return scene.state.service.tools_for(scene.principal)


def roles_of(scene: Scene, tool: Tool) -> list[str]:
    """Names of the roles that may use it, at least for some arguments."""
    company, policy = scene.state.company, scene.state.service.agent.router.policy
    able = (
        role
        for role, included in company.roles.items()
        if policy.possible(Principal(f"role:{role}", included), tool).allowed
    )
    return [company.role_names[role](scene.language) for role in able]


async def draw(scene: Scene) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-tools"):
        head(scene)
        with div("dz-tools-title"):
            heading(texts.TOOLS(language))
            if operates(scene.principal) and scene.state.system is not None:
                with (
                    ui.element("a").props("href=/tools/import").classes("dz-button dz-tools-import")
                ):
                    ui.label(texts.IMPORT(language))
        ui.label(texts.HINT(language)).classes("dz-muted")
        tools = visible(scene)
        if not tools:
            ui.label(texts.NONE(language)).classes("dz-none dz-muted")
            return
        wanted = ui.input(texts.FILTER(language)).props("outlined dense clearable debounce=200")
        wanted.classes("dz-find dz-tools-filter")
        listed = div("dz-tools-list").props("aria-live=polite")

        def show(text: str) -> None:
            listed.clear()
            with listed:
                _list(scene, [t for t in tools if _fits(t, text)])

        wanted.on_value_change(lambda e: show(e.value or ""))
        show("")


def _fits(tool: Tool, text: str) -> bool:
    said = (tool.name, tool.description.zh, tool.description.en, tool.system.zh, tool.system.en)
    return text.strip().casefold() in "\n".join(said).casefold()


def _list(scene: Scene, tools: Iterable[Tool]) -> None:
    language = scene.language
    by_system: dict[str, list[Tool]] = {}
    for tool in tools:
        by_system.setdefault(tool.system(language), []).append(tool)
    if not by_system:
        ui.label(texts.NO_MATCH(language)).classes("dz-none dz-muted")
    for system, some in by_system.items():
        heading(system, 2)
        with ui.element("ul").classes("dz-tools-rows"):
            for tool in some:
                with ui.element("li"), ui.element("a").classes("dz-tools-row") as row:
                    row.props["href"] = tool_url(tool.name)
                    _row(scene, tool)


def _row(scene: Scene, tool: Tool) -> None:
    language = scene.language
    with div("dz-tools-words"):
        with div("dz-tools-name"):
            ui.label(short(tool.description, language))
            ui.label(tool.name).classes("dz-mono dz-muted")
        more = remark(tool.description, language)
        if more:
            ui.label(more).classes("dz-muted")
        if operates(scene.principal):
            roles = "、".join(roles_of(scene, tool)) or texts.NOBODY(language)
            ui.label(f"{texts.USERS(language)}: {roles}").classes("dz-muted dz-tools-roles")
    ui.label(texts.EFFECTS[tool.effect](language)).classes(f"dz-tag dz-effect-{tool.effect}")
