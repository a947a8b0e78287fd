"""Which tools roles let somebody use, and what a change of roles changes of that."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType

from nicegui import ui

from dazi.access.accounts import Account
from dazi.console import people_texts as texts
from dazi.console.abilities import short
from dazi.console.pieces import div
from dazi.console.state import Scene
from dazi.core.language import Language
from dazi.core.principal import Principal
from dazi.core.tools import Tool


def tools_of(scene: Scene, account: Account, roles: Iterable[str]) -> dict[str, Tool]:
    """What the policies would let ``account`` use with ``roles``, at least for some arguments."""
    attributes = dict(account.attributes)
    if account.department:
        attributes["department"] = account.department
    held = scene.state.access.people.expand(roles)
    principal = Principal(account.user, held, MappingProxyType(attributes), account.tenant, "web")
    return {t.name: t for t in scene.state.service.tools_for(principal)}


def draw_tools(scene: Scene, account: Account, roles: Iterable[str]) -> None:
    language = scene.language
    found = tools_of(scene, account, roles)
    if not found:
        ui.label(texts.MAY_NOTHING(language)).classes("dz-muted")
        return
    with ui.element("ul").classes("dz-tools-of"):
        for name, tool in sorted(found.items()):
            with ui.element("li"):
                ui.label(name).classes("dz-code")
                ui.label(short(tool.description, language)).classes("dz-muted")


def draw_change(
    scene: Scene, account: Account, before: Iterable[str], after: Iterable[str]
) -> None:
    """Which tools come and go."""
    language = scene.language
    old, new = tools_of(scene, account, before), tools_of(scene, account, after)
    gains, loses = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
    with div("dz-role-change"):
        if gains:
            ui.label(texts.GAINS(language).format(tools=_listed(gains, language))).classes(
                "dz-gains"
            )
        if loses:
            ui.label(texts.LOSES(language).format(tools=_listed(loses, language))).classes(
                "dz-loses"
            )
        if not gains and not loses:
            ui.label(texts.NO_CHANGE(language)).classes("dz-muted")


def _listed(names: list[str], language: Language) -> str:
    return ("、" if language == "zh" else ", ").join(names)
