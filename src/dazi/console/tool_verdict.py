"""Why a call is allowed or not, for a person or a role, without making it."""

from __future__ import annotations

from nicegui import ui

from dazi.access.cedar import CedarPolicy
from dazi.console import tool_texts as texts
from dazi.console.account_view import shortened
from dazi.console.acts import act, button
from dazi.console.operators import operates
from dazi.console.pieces import div, revealed
from dazi.console.state import Scene
from dazi.console.tool_form import ToolForm
from dazi.core.messages import CallText
from dazi.core.principal import Principal
from dazi.core.tools import Tool
from dazi.router.explaining import WHY, Asked, Explanation, explained

ROLE = "role:"


class Verdict:
    """Others than administrators ask for themselves only."""

    def __init__(self, scene: Scene, tool: Tool, form: ToolForm) -> None:
        self._scene, self._tool, self._form = scene, tool, form
        language = scene.language
        ui.label(texts.EXPLAIN_HINT(language)).classes("dz-muted")
        with div("dz-tool-acts"):
            self._names = self._people()
            self._who = ui.select(self._names, label=texts.WHO(language), value="")
            self._who.props("outlined dense options-dense").classes("dz-verdict-who")
            button(texts.ASK(language), self._ask, "dz-button dz-verdict-ask")
        self._told = div().props("aria-live=polite")

    def _people(self) -> dict[str, str]:
        scene, language = self._scene, self._scene.language
        out = {"": texts.MYSELF(language)}
        if operates(scene.principal):
            for role, name in scene.state.company.role_names.items():
                out[ROLE + role] = texts.ROLE(language).format(name=name(language))
            people = scene.state.access.people.of_tenant(scene.principal.tenant)
            out |= {a.user: f"{a.name(language)} ({a.user})" for a in people}
        return out

    def _principal(self, who: Principal) -> Principal:
        """Whom it is asked for; ``who`` as they are now."""
        chosen = str(self._who.value or "")
        if not chosen or not operates(who):
            return who
        if chosen.startswith(ROLE):
            role = chosen.removeprefix(ROLE)
            included = self._scene.state.company.roles[role]
            return Principal(role, included, tenant=who.tenant, channel=who.channel)
        return self._scene.state.access.people.principal(chosen, who.channel, who.tenant)

    async def _ask(self) -> None:
        arguments = self._form.json()
        state = self._scene.state
        policy = state.service.agent.router.policy
        if arguments is None or not isinstance(policy, CedarPolicy):
            return
        call = CallText("explain", self._tool.name, arguments)

        async def work(who: Principal) -> Explanation:
            asked = Asked(self._principal(who), call, state.service.today(), self._scene.language)
            return explained(state.company, policy, asked)

        found = await act(self._scene, work)
        if found is not None:
            self._show(found)

    def _show(self, e: Explanation) -> None:
        language = self._scene.language
        self._told.clear()
        with self._told, div(f"dz-verdict dz-verdict-{'yes' if e.allowed else 'no'}"):
            revealed(f"{self._names[self._who.value or '']}: ", "dz-muted")
            ui.label(e.told(language)).classes("dz-verdict-word")
            if e.message:
                revealed(e.message)
            if e.policy:
                path, _, line = e.where.rpartition(":")
                where = f"{shortened(self._scene.state, path)}:{line}" if path else ""
                said = WHY(language).format(policy=e.policy)
                ui.label(f"{said} ({where})" if where else said).classes("dz-muted dz-verdict-why")
            if e.text and operates(self._scene.principal):
                with ui.element("pre").classes("dz-statement dz-code"):
                    ui.label(e.text)
