"""``/people``: the users there are, and a new one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from nicegui import ui

from dazi.access.accounts import Account
from dazi.access.administration import NewUser
from dazi.access.control import Access
from dazi.access.duties import SEPARATED, may
from dazi.access.people import FILE
from dazi.console import people_list
from dazi.console import people_texts as texts
from dazi.console.account_form import AccountForm
from dazi.console.acts import act, button, tell
from dazi.console.fields import choice, form, submit, text_field
from dazi.console.once import show_once
from dazi.console.page_head import head
from dazi.console.people_list import Asked, Part
from dazi.console.pieces import avatar, div, heading
from dazi.console.refusal import refused
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import AccessError
from dazi.core.language import Language
from dazi.core.principal import Principal

PATH = people_list.PATH
STYLE = Path(__file__).with_name("people.css")


async def draw(scene: Scene, address: Mapping[str, str]) -> None:
    language, access = scene.language, scene.state.access
    ui.add_css(STYLE)
    with div("dz-page dz-people-page"):
        head(scene)
        heading(texts.PEOPLE(language))
        try:
            accounts = await access.administration.users(scene.principal)
        except AccessError:
            refused(scene, texts.FORBIDDEN)
            return
        ui.label(texts.HINT(language)).classes("dz-muted")
        with div("dz-act-row"):
            if may(scene.principal, "accounts.create"):
                button(texts.NEW(language), lambda: _new(scene), "dz-button-main dz-new-account")
            await _requests_link(scene, access)
        wanted = people_list.asked(address)
        _form(scene, wanted)
        _listed(scene, wanted, people_list.part(accounts, wanted, access.people.expand))


async def _requests_link(scene: Scene, access: Access) -> None:
    if not may(scene.principal, "requests.read"):
        return
    n = len(await access.roles.pending(scene.principal))
    with ui.element("a").props("href=/people/requests").classes("dz-button dz-requests-link"):
        label = texts.REQUESTS_N if n else texts.REQUESTS
        ui.label(label(scene.language).format(n=n))


def _form(scene: Scene, wanted: Asked) -> None:
    language = scene.language
    nothing = ("", texts.ANY(language))
    with form(PATH, texts.LOOK_FOR(language), "dz-people-form"):
        text_field("q", texts.WORDS(language), wanted.q)
        roles = [(r, role_name(scene, r)) for r in sorted(scene.state.access.roles.known)]
        choice("role", texts.ROLE(language), wanted.role, [nothing, *roles])
        states = [(name, said(language)) for name, said in texts.STATES.items()]
        choice("state", texts.STATE(language), wanted.state, [nothing, *states])
        sorts = [(name, said(language)) for name, said in texts.SORTS.items()]
        choice("sort", texts.SORT(language), wanted.sort, sorts)
        submit(texts.FIND(language))


def _listed(scene: Scene, wanted: Asked, found: Part) -> None:
    language = scene.language
    said = texts.FOUND(language).format(n=found.total) if found.total else texts.NONE(language)
    ui.label(said).classes("dz-muted dz-people-total").props("role=status")
    with ui.element("ul").classes("dz-people-list") as listed:
        listed.props["aria-label"] = texts.PEOPLE(language)
        for account in found.accounts:
            with ui.element("li"):
                _row(scene, account)
    with div("dz-act-row dz-people-more"):
        if found.after:
            with ui.element("a").classes("dz-button dz-people-next") as link:
                link.props["href"] = wanted.address(found.after)
                n = min(found.left, people_list.SHOWN)
                ui.label(texts.MORE(language).format(n=n))
        if wanted.after:
            with ui.element("a").classes("dz-button-quiet") as link:
                link.props["href"] = wanted.address()
                ui.label(texts.FIRST(language))


def _row(scene: Scene, account: Account) -> None:
    language = scene.language
    with ui.element("a").classes("dz-people-row") as link:
        link.props["href"] = person_url(account.user)
        avatar(account.name(language) or account.user, account.user)
        with div("dz-people-who"):
            ui.label(reveal(account.name(language))).classes("dz-people-name")
            department = people_list.department(account)
            more = f" · {department}" if department else ""
            ui.label(reveal(account.user + more)).classes("dz-muted")
        roles = (", " if language == "en" else "、").join(
            role_name(scene, r) for r in sorted(account.roles)
        )
        ui.label(roles).classes("dz-people-roles")
        chips(account, language)


def chips(account: Account, language: Language) -> None:
    if account.disabled:
        ui.label(texts.DISABLED(language)).classes("dz-chip dz-chip-bad")
    if account.kind == "service":
        ui.label(texts.SERVICE(language)).classes("dz-chip dz-chip-quiet")
    if account.source == FILE:
        ui.label(texts.OF_FILE(language)).classes("dz-chip dz-chip-wait")


def person_url(user: str) -> str:
    return f"/people/u/{quote(user, safe='')}"


def role_name(scene: Scene, role: str) -> str:
    names = scene.state.company.role_names
    known = texts.DUTY_NAMES.get(role) if role in SEPARATED else names.get(role)
    return f"{known(scene.language)} ({role})" if known else role


def _new(scene: Scene) -> None:
    language = scene.language
    roles = {r: role_name(scene, r) for r in sorted(scene.state.access.roles.known)}

    async def create(account: Account) -> bool:
        async def made(by: Principal) -> NewUser:
            return await scene.state.access.administration.create(by, account)

        done = await act(scene, made)
        if done is None:
            return False
        if done.request is not None:
            tell(texts.ASKED_NOW(language))
        if done.password:
            said = texts.CREATED_NOW(language).format(user=done.account.user)
            show_once(scene, said, done.password)
        else:
            tell(texts.MADE_SERVICE(language).format(user=done.account.user))
        return True

    AccountForm(language, texts.NEW(language), texts.CREATE(language), create).new(roles)
