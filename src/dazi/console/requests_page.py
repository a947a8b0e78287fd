"""``/people/requests``: changes of roles that wait for a second person's word."""

from __future__ import annotations

from nicegui import ui

from dazi.access.role_requests import RoleRequest
from dazi.console import people_texts as texts
from dazi.console.acts import act, button, tell
from dazi.console.audit_page import moment
from dazi.console.page_head import head
from dazi.console.people_page import STYLE, role_name
from dazi.console.pieces import div, heading
from dazi.console.refusal import refused
from dazi.console.role_tools import draw_change
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import AccessError
from dazi.core.principal import Principal


async def draw(scene: Scene) -> None:
    language = scene.language
    ui.add_css(STYLE)
    with div("dz-page dz-people-page"):
        head(scene)
        try:
            found = await scene.state.access.roles.pending(scene.principal)
        except AccessError:
            refused(scene, texts.FORBIDDEN)
            return
        with ui.element("a").props("href=/people").classes("dz-back"):
            ui.icon("arrow_back").props("aria-hidden=true")
            ui.label(texts.TO_PEOPLE(language))
        heading(texts.REQUESTS(language))
        ui.label(texts.REQUESTS_HINT(language)).classes("dz-muted")
        _Requests(scene).show(found)


class _Requests:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._list = div("dz-requests").props("aria-live=polite")

    async def _refresh(self) -> None:
        self.show(await self._scene.state.access.roles.pending(self._scene.principal))

    def show(self, found: list[RoleRequest]) -> None:
        self._list.clear()
        with self._list:
            for request in found:
                self._request(request)
            if not found:
                ui.label(texts.NO_REQUESTS(self._scene.language)).classes("dz-none")

    def _request(self, r: RoleRequest) -> None:
        scene, language, change = self._scene, self._scene.language, r.change
        separator = "、" if language == "zh" else ", "

        def named(roles: frozenset[str]) -> str:
            listed = separator.join(role_name(scene, role) for role in sorted(roles))
            return listed or texts.NO_ROLES(language)

        title = texts.ASKS_GIVE if change.give else texts.ASKS_TAKE
        with div("dz-block dz-request"):
            said = title(language).format(
                requester=r.requester, user=change.user, roles=named(change.roles)
            )
            ui.label(reveal(said)).classes("dz-block-head")
            account = scene.state.access.people.account(change.tenant, change.user)
            if account is not None:
                now = account.roles
                then = now | change.roles if change.give else now - change.roles
                told = texts.NOW_THEN(language).format(now=named(now), then=named(then))
                ui.label(told).classes("dz-request-roles")
                draw_change(scene, account, now, then)
            times = texts.ASKED_AT(language).format(at=moment(r.at), until=moment(r.expires))
            ui.label(times).classes("dz-muted")
            with div("dz-act-row"):
                self._acts(r)

    def _acts(self, r: RoleRequest) -> None:
        scene, language = self._scene, self._scene.language
        if scene.state.access.roles.may_confirm(scene.principal, r):
            button(
                texts.APPROVE(language), lambda: self._decide(r, True), "dz-button-main dz-confirm"
            )
            button(texts.REJECT(language), lambda: self._decide(r, False), "dz-button dz-decline")
            return
        ui.label(texts.NOT_YOU(language)).classes("dz-muted dz-not-you")
        if r.requester == scene.principal.user:
            button(
                texts.TAKE_BACK(language), lambda: self._decide(r, False), "dz-button dz-take-back"
            )

    async def _decide(self, r: RoleRequest, confirm: bool) -> None:
        async def decided(by: Principal) -> RoleRequest:
            return await self._scene.state.access.roles.decide(by, r.id, confirm=confirm)

        if await act(self._scene, decided) is not None:
            said = (texts.APPROVED if confirm else texts.REJECTED)(self._scene.language)
            tell(said.format(user=r.change.user))
        await self._refresh()
