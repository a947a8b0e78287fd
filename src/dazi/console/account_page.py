"""``/account``: one's own password, second factor, sessions, keys and use."""

from __future__ import annotations

import time
from collections.abc import Mapping

from nicegui import ui
from nicegui.element import Element

from dazi.access.accounts import LOCAL, Account
from dazi.access.people import FILE
from dazi.access.sessions import Session
from dazi.access.totp import Enrolment
from dazi.console import key_texts as texts
from dazi.console import sign_in_texts
from dazi.console.account_routes import CODE, PASSWORD, PATH
from dazi.console.acts import act, button, tell
from dazi.console.audit_page import line
from dazi.console.limit_bars import draw_bars
from dazi.console.login_page import draw_enrolment, field, submit
from dazi.console.page_head import head
from dazi.console.people_page import STYLE, role_name
from dazi.console.person_page import draw_sessions
from dazi.console.pieces import div, heading
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.console.visits import Visits
from dazi.core.principal import Principal

_DONE = {"password": texts.CHANGED, "factor": texts.ENROLLED}


async def draw(scene: Scene, visits: Visits, address: Mapping[str, str]) -> None:
    language, by, access = scene.language, scene.principal, scene.state.access
    ui.add_css(STYLE)
    with div("dz-page dz-people-page dz-account-page"):
        head(scene)
        heading(texts.ACCOUNT(language))
        account = access.people.account(by.tenant, by.user)
        if account is None:
            return
        _told(scene, visits, address.get("done", ""))
        with ui.element("dl").classes("dz-audit-fields dz-person-facts"):
            line(sign_in_texts.USER(language), by.user)
            line(texts.SCOPE_ROLES(language), ", ".join(role_name(scene, r) for r in account.roles))
        _password(scene, account)
        if account.source != FILE:
            await _factor(scene)
        heading(texts.SESSIONS(language), 2)
        sessions = _Sessions(scene)
        sessions.show(await sessions.read(by))
        await _keys(scene)
        # What everybody together has used is no business of each.
        standing = await scene.state.service.limiter.standing(by)
        own = [s for s in standing if s.rule.per == "user"]
        if own:
            heading(texts.USAGE(language), 2, "dz-usage")
            draw_bars(own, language)


def _told(scene: Scene, visits: Visits, done: str) -> None:
    """What came of the form that led here."""
    wrong = visits.noted(scene.visit.token) if done == "no" else None
    if wrong is not None:
        with div("dz-error").props("role=alert"):
            ui.icon("error_outline").props("aria-hidden=true")
            ui.label(reveal(wrong(scene.language)))
    elif done in _DONE:
        ui.label(_DONE[done](scene.language)).classes("dz-verdict dz-verdict-good").props(
            "role=status"
        )


def _password(scene: Scene, account: Account) -> None:
    language = scene.language
    heading(texts.PASSWORD(language), 2)
    if account.source != LOCAL:
        elsewhere = texts.OF_FILE if account.source == FILE else texts.ELSEWHERE
        ui.label(elsewhere(language).format(source=account.source)).classes("dz-muted")
        return
    rules = scene.state.access.rules.passwords
    hint = sign_in_texts.NEW_HINT(language).format(length=rules.min_length, classes=rules.classes)
    ui.label(f"{hint} {texts.CHANGE_HINT(language)}").classes("dz-muted")
    with _form(PASSWORD, texts.CHANGE(language)):
        field("old", texts.OLD(language), "current-password")
        field("password", sign_in_texts.NEW_PASSWORD(language), "new-password")
        field("again", sign_in_texts.NEW_AGAIN(language), "new-password")
        submit(texts.CHANGE(language))


async def _factor(scene: Scene) -> None:
    language, by = scene.language, scene.principal
    heading(texts.FACTOR(language), 2)
    if await scene.state.access.administration.second_factor(by, by.user):
        ui.label(texts.HAS_FACTOR(language)).classes("dz-muted dz-has-factor")
        return
    ui.label(texts.FACTOR_HINT(language)).classes("dz-muted")
    place = div("dz-own-enrolment")

    async def begin() -> None:
        async def enrolled(_: Principal) -> Enrolment:
            return await scene.state.access.sign_in.enrol(scene.visit.token)

        made = await act(scene, enrolled)
        if made is not None:
            place.clear()
            with place:
                draw_enrolment(language, made)
                with _form(CODE, texts.ENROL(language)):
                    field("code", texts.CODE(language), "one-time-code")
                    submit(texts.CONFIRM(language))

    with place, div("dz-act-row"):
        button(texts.ENROL(language), begin, "dz-button dz-enrol-begin")


def _form(action: str, label: str) -> Element:
    made = ui.element("form").props("method=post").classes("dz-form")
    made.props["action"] = action
    made.props["aria-label"] = label
    with made:
        ui.element("input").props("type=hidden name=tab").props["value"] = ui.context.client.id
    return made


class _Sessions:
    def __init__(self, scene: Scene) -> None:
        self._scene = scene
        self._list = div("dz-own-sessions")

    async def read(self, by: Principal) -> list[Session]:
        return await self._scene.state.access.administration.sessions(by, by.user)

    def show(self, found: list[Session]) -> None:
        scene = self._scene
        others = [s.id for s in found if s.id != scene.visit.session.id]
        self._list.clear()
        with self._list:
            draw_sessions(scene, tuple(found), lambda id: self._end([id]))
            if others:
                with div("dz-act-row"):
                    label = texts.END_OTHERS(scene.language)
                    button(label, lambda: self._end(others), "dz-button dz-end-others")

    async def _end(self, ids: list[str]) -> None:
        scene = self._scene

        async def end(by: Principal) -> list[Session]:
            administration = scene.state.access.administration
            ended = [await administration.end_sessions(by, by.user, id) for id in ids]
            tell(texts.ENDED(scene.language).format(n=sum(ended)))
            return await self.read(by)

        left = await act(scene, end)
        if left is not None:
            self.show(left)


async def _keys(scene: Scene) -> None:
    language, by = scene.language, scene.principal
    heading(texts.OWN(language), 2)
    found = await scene.state.access.keys.keys(by, by.user)
    standing = sum(k.revoked_at is None and time.time() < k.expires for k in found)
    ui.label(texts.KEYS_N(language).format(n=standing)).classes("dz-muted")
    with ui.element("a").props("href=/keys").classes("dz-job-link dz-to-keys"):
        ui.icon("key").props("aria-hidden=true")
        ui.label(texts.MY_KEYS(language))


__all__ = ["PATH", "draw"]
