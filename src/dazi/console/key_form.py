"""The dialog that a new API key is written in."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from nicegui import ui

from dazi.access.duties import may
from dazi.access.keys import LONGEST_NAME, Draft, Scope
from dazi.console import key_texts as texts
from dazi.console import texts as common
from dazi.console.acts import button, tell
from dazi.console.people_page import role_name
from dazi.console.pieces import div, named_dialog
from dazi.console.role_tools import tools_of
from dazi.console.state import Scene
from dazi.core.errors import DaziError

DAYS = 90
_BETWEEN = re.compile(r"[\s,;\uff0c\uff1b\u3001]+")


class KeyForm:
    """``create`` says whether it was done: else the dialog stays, with what was typed."""

    def __init__(self, scene: Scene, create: Callable[[Draft], Awaitable[bool]]) -> None:
        self._scene, self._create = scene, create
        access, language, by = scene.state.access, scene.language, scene.principal
        owners = {}
        if access.keys.possible_roles(by, by.user):
            owners[by.user] = texts.ONESELF(language).format(user=by.user)
        if may(by, "keys.create"):
            people = access.people.of_tenant(by.tenant)
            owners |= {a.user: a.user for a in people if a.kind == "service"}
        with named_dialog(texts.NEW(language)) as self._dialog, div("dz-dialog dz-key-form"):
            ui.label(texts.NEW(language)).classes("dz-dialog-title")
            with div("dz-account-fields"):
                self._name = self._input(texts.NAME(language), "name")
                self._owner = ui.select(
                    owners,
                    value=next(iter(owners), None),
                    label=texts.OWNER(language),
                    on_change=lambda _: self._owned(),
                )
                self._owner.props("outlined dense").classes("dz-key-owner")
                self._roles = self._many(texts.ROLES(language), "roles")
                self._tools = self._many(texts.TOOLS(language), "tools")
                self._models = self._input(texts.MODELS(language), "models")
                self._channels = self._input(texts.CHANNELS(language), "channels")
                self._networks = self._input(texts.NETWORKS(language), "networks")
                most = access.stores.keys.longest_days
                self._days = self._input(texts.DAYS(language).format(most=most), "days")
                self._days.set_value(f"{min(DAYS, most):g}")
            with div("dz-dialog-actions"):
                button(common.BACK(language), self._dialog.close, "dz-button-quiet")
                button(texts.CREATE(language), self._saved, "dz-button-main dz-key-save")
        self._dialog.on("hide", lambda _: self._dialog.delete(), args=[])
        self._owned()

    def open(self) -> None:
        self._dialog.open()

    def _input(self, label: str, name: str) -> ui.input:
        made = ui.input(label).props(f"outlined dense maxlength={LONGEST_NAME * 10}")
        made.props("autocomplete=off")
        return made.classes(f"dz-key-{name}")

    def _many(self, label: str, name: str) -> ui.select:
        made = ui.select({}, multiple=True, label=label)
        return made.props("outlined dense use-chips options-dense").classes(f"dz-key-{name}")

    def _owned(self) -> None:
        """What can be chosen is what the owner has."""
        scene, user = self._scene, self._owner.value
        roles: frozenset[str] = frozenset()
        tools: dict[str, str] = {}
        if user is not None:
            try:
                roles = scene.state.access.keys.possible_roles(scene.principal, user)
            except DaziError as e:
                tell(e.message(scene.language), wrong=True)
            account = scene.state.access.people.account(scene.principal.tenant, user)
            if account is not None:
                tools = {name: name for name in sorted(tools_of(scene, account, roles))}
        self._roles.set_options({r: role_name(scene, r) for r in sorted(roles)}, value=[])
        self._tools.set_options(tools, value=[])

    async def _saved(self) -> None:
        scene, user = self._scene, self._owner.value
        try:
            days = float(self._days.value or "")
        except ValueError:
            tell(texts.WRONG_DAYS(scene.language), wrong=True)
            return
        if user is None:
            return
        possible = scene.state.access.keys.possible_roles(scene.principal, user)
        scope = Scope(
            frozenset(self._roles.value or ()) or possible,
            frozenset(self._tools.value or ()),
            _each(self._models),
            _each(self._channels),
            tuple(sorted(_each(self._networks))),
        )
        name = (self._name.value or "").strip()
        if await self._create(Draft(scene.principal.tenant, user, name, scope, days)):
            self._dialog.close()


def _each(field: ui.input) -> frozenset[str]:
    return frozenset(filter(None, _BETWEEN.split(field.value or "")))
