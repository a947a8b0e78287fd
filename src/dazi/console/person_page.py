"""``/people/u/USER``: one account, and what whoever looks may do with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from nicegui import ui
from nicegui.element import Element

from dazi.access.accounts import Account, Edit
from dazi.access.administration import Locks
from dazi.access.duties import may
from dazi.access.people import FILE
from dazi.access.sessions import Session
from dazi.console import people_texts as texts
from dazi.console.account_form import AccountForm
from dazi.console.acts import act, ask, button, tell
from dazi.console.audit_page import line, moment
from dazi.console.once import show_once
from dazi.console.page_head import head
from dazi.console.people_page import STYLE, chips, role_name
from dazi.console.pieces import avatar, div, heading
from dazi.console.refusal import refused
from dazi.console.role_dialog import RoleDialog
from dazi.console.role_tools import draw_tools
from dazi.console.state import Scene
from dazi.console.visible import reveal
from dazi.core.errors import AccessError, NotFound
from dazi.core.language import Text
from dazi.core.principal import Principal


@dataclass(frozen=True, slots=True)
class _Known:
    account: Account
    factor: bool
    locks: Locks
    sessions: tuple[Session, ...]


async def draw(scene: Scene, user: str) -> None:
    """Raises ``NotFound``."""
    ui.add_css(STYLE)
    with div("dz-page dz-people-page"):
        head(scene)
        try:
            known = await _known(scene, scene.principal, user)
        except AccessError:
            refused(scene, texts.FORBIDDEN)
            return
        with ui.element("a").props("href=/people").classes("dz-back"):
            ui.icon("arrow_back").props("aria-hidden=true")
            ui.label(texts.TO_PEOPLE(scene.language))
        _Person(scene, user, div("dz-person-page")).show(known)


def draw_not_found(scene: Scene) -> None:
    with div("dz-page"):
        head(scene)
        ui.label(texts.NO_USER(scene.language)).classes("dz-none")


async def _known(scene: Scene, by: Principal, user: str) -> _Known:
    administration = scene.state.access.administration
    account = await administration.show(by, user)
    sessions = await administration.sessions(by, user) if may(by, "sessions.end") else []
    factor = await administration.second_factor(by, user)
    locks = await administration.locked(by, user)
    return _Known(account, factor, locks, tuple(sessions))


class _Person:
    def __init__(self, scene: Scene, user: str, place: Element) -> None:
        self._scene, self._user, self._place = scene, user, place

    async def refresh(self) -> None:
        try:
            known = await _known(self._scene, self._scene.principal, self._user)
        except NotFound:
            ui.navigate.to("/people")
            return
        self.show(known)

    def show(self, known: _Known) -> None:
        self._place.clear()
        with self._place:
            self._head(known.account)
            self._facts(known)
            if known.account.source == FILE:
                self._of_file()
            else:
                self._acts(known)
            self._roles(known.account)
            if may(self._scene.principal, "sessions.end"):
                self._sessions(known.sessions)

    def _head(self, a: Account) -> None:
        language = self._scene.language
        with div("dz-person-top"):
            avatar(a.name(language) or a.user, a.user)
            with div():
                heading(reveal(a.name(language) or a.user))
                ui.label(reveal(a.user)).classes("dz-muted dz-mono")
            chips(a, language)

    def _facts(self, known: _Known) -> None:
        language, a = self._scene.language, known.account
        for text, until in (
            (texts.LOCKED, known.locks.password),
            (texts.CODE_LOCKED, known.locks.code),
        ):
            if until:
                ui.label(text(language).format(at=moment(until))).classes("dz-job-waits dz-locked")
        with ui.element("dl").classes("dz-audit-fields dz-person-facts"):
            line(texts.DEPARTMENT(language), a.department or "—")
            attributes = "\n".join(f"{k}={v}" for k, v in sorted(a.attributes.items()))
            line(texts.ATTRIBUTES_SHORT(language), attributes or "—")
            line(texts.SOURCE(language), a.source)
            if a.created:
                line(texts.CREATED(language), moment(a.created))
            if a.kind == "person" and a.source != FILE:
                factor = texts.HAS if known.factor else texts.HAS_NOT
                line(texts.SECOND_FACTOR(language), factor(language))

    def _of_file(self) -> None:
        path = self._scene.state.company.folder / "dazi.toml"
        said = texts.FILE_HINT(self._scene.language)
        where = _line_of(path, self._user)
        ui.label(said.format(path=f"{path.parent.name}/{path.name}", line=where)).classes(
            "dz-verdict dz-verdict-quiet dz-of-file"
        )

    def _acts(self, known: _Known) -> None:
        by, a = self._scene.principal, known.account
        administration = self._scene.state.access.administration
        other = by.user != a.user
        person = a.kind == "person" and a.source == "local"
        locked = known.locks.password if may(by, "passwords.reset") else known.locks.code
        with div("dz-act-row dz-person-acts"):
            if may(by, "accounts.change"):
                self._button(texts.EDIT, self._edit(a), "edit")
            if may(by, "passwords.reset") and person:
                self._asked(texts.RESET, texts.RESET_ASK, self._reset, "reset")
            if locked and other:
                self._button(
                    texts.UNLOCK,
                    lambda: self._do(lambda p: administration.unlock(p, self._user)),
                    "unlock",
                )
            if may(by, "second_factor.reset") and known.factor and other:
                self._asked(
                    texts.RESET_FACTOR,
                    texts.RESET_FACTOR_ASK,
                    lambda: self._do(lambda p: administration.reset_second_factor(p, self._user)),
                    "reset-factor",
                )
            if may(by, "accounts.disable") and other and not a.disabled:
                self._asked(
                    texts.DISABLE,
                    texts.DISABLE_ASK,
                    lambda: self._do(lambda p: administration.disable(p, self._user)),
                    "disable",
                )
            if may(by, "accounts.disable") and other and a.disabled:
                self._button(
                    texts.ENABLE,
                    lambda: self._do(lambda p: administration.enable(p, self._user)),
                    "enable",
                )
            if may(by, "accounts.delete") and other:
                self._asked(
                    texts.DELETE,
                    texts.DELETE_ASK,
                    lambda: self._do(lambda p: administration.delete(p, self._user)),
                    "delete",
                )

    def _button(self, label: Text, do: Callable[[], object], name: str) -> None:
        button(label(self._scene.language), do, f"dz-button dz-person-{name}")

    def _asked(
        self, label: Text, question: Text, do: Callable[[], Awaitable[object]], name: str
    ) -> None:
        language = self._scene.language
        said = question(language).format(user=self._user)
        self._button(label, lambda: ask(self._scene, said, label(language), do), name)

    async def _do(self, work: Callable[[Principal], Awaitable[object]]) -> None:
        async def done(by: Principal) -> bool:
            await work(by)
            return True

        if await act(self._scene, done):
            tell(texts.DONE(self._scene.language))
            await self.refresh()

    async def _reset(self) -> None:
        administration = self._scene.state.access.administration
        made = await act(self._scene, lambda by: administration.reset_password(by, self._user))
        if made is not None:
            said = texts.CREATED_NOW(self._scene.language).format(user=self._user)
            show_once(self._scene, said, made)
            await self.refresh()

    def _edit(self, a: Account) -> Callable[[], None]:
        language = self._scene.language

        async def save(given: Account) -> bool:
            edit = Edit(given.name, given.department, given.attributes)

            async def edited(by: Principal) -> Account:
                administration = self._scene.state.access.administration
                return await administration.edit(by, self._user, edit)

            if await act(self._scene, edited) is None:
                return False
            await self.refresh()
            return True

        title = f"{texts.EDIT(language)} · {a.user}"
        return lambda: AccountForm(language, title, texts.EDIT(language), save).edit(a)

    def _roles(self, a: Account) -> None:
        scene, language = self._scene, self._scene.language
        heading(texts.ROLES(language), 2)
        with div("dz-chips dz-person-roles"):
            for role in sorted(a.roles):
                ui.label(role_name(scene, role)).classes("dz-chip dz-chip-good")
            if not a.roles:
                ui.label(texts.NO_ROLES(language)).classes("dz-muted")
        changes = may(scene.principal, "roles.change")
        if a.source != FILE and (changes or may(scene.principal, "roles.propose")):
            with div("dz-act-row"):
                label = texts.CHANGE_ROLES if changes else texts.ASK_ROLES
                self._button(label, lambda: RoleDialog(scene, a, self.refresh), "change-roles")
        with ui.element("details").classes("dz-others dz-person-tools"):
            with ui.element("summary"):
                ui.label(texts.MAY_USE(language))
            draw_tools(scene, a, a.roles)

    def _sessions(self, sessions: tuple[Session, ...]) -> None:
        scene, language = self._scene, self._scene.language
        administration = scene.state.access.administration
        heading(texts.SESSIONS(language), 2)
        if not sessions:
            ui.label(texts.NO_SESSIONS(language)).classes("dz-muted")
            return
        draw_sessions(
            scene,
            sessions,
            lambda id: self._do(lambda by: administration.end_sessions(by, self._user, id)),
        )
        with div("dz-act-row"):
            self._button(
                texts.END_ALL,
                lambda: self._do(lambda by: administration.end_sessions(by, self._user)),
                "end-all",
            )


def draw_sessions(
    scene: Scene, sessions: tuple[Session, ...], end: Callable[[str], Awaitable[None]]
) -> None:
    language = scene.language
    with ui.element("ul").classes("dz-session-list"):
        for s in sessions:
            with ui.element("li").classes("dz-session"):
                said = texts.SESSION(language).format(
                    channel=s.channel, address=s.address or "—", began=moment(s.began),
                    seen=moment(s.seen),
                )  # fmt: skip
                ui.label(reveal(said)).classes("dz-session-words")
                if s.id == scene.visit.session.id:
                    ui.label(texts.THIS_ONE(language)).classes("dz-chip dz-chip-good")
                else:
                    _end_button(texts.END(language), end, s.id)


def _end_button(label: str, end: Callable[[str], Awaitable[None]], id: str) -> None:
    button(label, lambda: end(id), "dz-button-quiet dz-session-end")


def _line_of(path: Path, user: str) -> int:
    """Where the company's file names a user; its first line where that cannot be told."""
    section = ""
    for number, text in enumerate(path.read_text("utf-8").splitlines(), 1):
        section = text.strip() if text.startswith("[") else section
        name, _, value = (part.strip() for part in text.partition("="))
        if section == "[[users]]" and name == "user" and value in (f'"{user}"', f"'{user}'"):
            return number
    return 1
