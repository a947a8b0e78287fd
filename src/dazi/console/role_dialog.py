"""Changing somebody's roles, or asking for it: what they could do then is seen before."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from nicegui import ui

from dazi.access.accounts import Account
from dazi.access.duties import SEPARATED, may
from dazi.console import people_texts as texts
from dazi.console import texts as common
from dazi.console.acts import act, button, tell
from dazi.console.people_page import role_name
from dazi.console.pieces import div, named_dialog
from dazi.console.role_tools import draw_change
from dazi.console.state import Scene
from dazi.core.principal import Principal


class RoleDialog:
    def __init__(
        self, scene: Scene, account: Account, refresh: Callable[[], Awaitable[None]]
    ) -> None:
        self._scene, self._account, self._refresh = scene, account, refresh
        language = scene.language
        changes = may(scene.principal, "roles.change")
        label = texts.CHANGE_ROLES if changes else texts.ASK_ROLES
        title = f"{label(language)} · {account.user}"
        with named_dialog(title) as self._dialog, div("dz-dialog dz-role-dialog"):
            ui.label(title).classes("dz-dialog-title")
            hint = texts.CHANGE_HINT if changes else texts.ASK_HINT
            ui.label(hint(language)).classes("dz-muted")
            self._boxes: dict[str, ui.checkbox] = {}
            known = scene.state.access.roles.known
            with div("dz-role-boxes"):
                for role in sorted(known, key=lambda r: (r in SEPARATED, r)):
                    box = ui.checkbox(
                        role_name(scene, role),
                        value=role in account.roles,
                        on_change=lambda _: self._changed(),
                    )
                    self._boxes[role] = box.classes(f"dz-role-{role}")
            self._told = div("dz-role-told").props("aria-live=polite")
            with div("dz-dialog-actions"):
                button(common.BACK(language), self._dialog.close, "dz-button-quiet")
                button(label(language), self._save, "dz-button-main dz-role-save")
        self._dialog.on("hide", lambda _: self._dialog.delete(), args=[])
        self._changed()
        self._dialog.open()

    @property
    def _chosen(self) -> frozenset[str]:
        return frozenset(role for role, box in self._boxes.items() if box.value)

    def _changed(self) -> None:
        self._told.clear()
        with self._told:
            draw_change(self._scene, self._account, self._account.roles, self._chosen)

    async def _save(self) -> None:
        held = self._account.roles & self._boxes.keys()
        more, less = self._chosen - held, held - self._chosen
        done = await act(self._scene, lambda by: self._change(by, more, less))
        if done is None:
            return
        language = self._scene.language
        tell((texts.ASKED_NOW if done else texts.DONE)(language))
        self._dialog.close()
        await self._refresh()

    async def _change(self, by: Principal, more: frozenset[str], less: frozenset[str]) -> int:
        """How many of the changes now wait for somebody else. Administrative roles do so apart, so
        that ordinary ones need not."""
        roles, user = self._scene.state.access.roles, self._account.user
        waiting = 0
        for some, give in ((less, False), (more, True)):
            for part in (some - SEPARATED, some & SEPARATED):
                if part:
                    outcome = await roles.change(by, user, part, give=give)
                    waiting += outcome.request is not None
        return waiting
