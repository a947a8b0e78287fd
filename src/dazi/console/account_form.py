"""The dialog that an account is written in: a new one, or changes of one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType

from nicegui import ui

from dazi.access.accounts import LONGEST_TEXT, Account
from dazi.console import people_texts as texts
from dazi.console import texts as common
from dazi.console.acts import button, tell
from dazi.console.pieces import div, named_dialog
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text


class AccountForm:
    """``save`` says whether it was done: else the dialog stays, with what was typed."""

    def __init__(
        self,
        language: Language,
        title: str,
        label: str,
        save: Callable[[Account], Awaitable[bool]],
    ) -> None:
        self._language, self._save = language, save
        with named_dialog(title) as self._dialog, div("dz-dialog dz-account-form"):
            ui.label(title).classes("dz-dialog-title")
            self._fields = div("dz-account-fields")
            with div("dz-dialog-actions"):
                button(common.BACK(language), self._dialog.close, "dz-button-quiet")
                button(label, self._saved, "dz-button-main dz-account-save")
        self._dialog.on("hide", lambda _: self._dialog.delete(), args=[])

    def new(self, roles: Mapping[str, str]) -> None:
        self._draw(Account("", Text("", "")), roles)

    def edit(self, account: Account) -> None:
        self._draw(account, {})

    def _draw(self, account: Account, roles: Mapping[str, str]) -> None:
        language = self._language
        self._account = account
        with self._fields:
            self._user = self._input(texts.USER(language), account.user, "user")
            self._user.set_visibility(not account.user)
            self._zh = self._input(texts.NAME(language), account.name.zh, "name")
            self._en = self._input(texts.NAME_EN(language), account.name.en, "name-en")
            self._department = self._input(
                texts.DEPARTMENT(language), account.department, "department"
            )
            lines = "\n".join(f"{k}={v}" for k, v in account.attributes.items())
            self._attributes = ui.textarea(texts.ATTRIBUTES(language), value=lines)
            self._attributes.props("outlined dense rows=3").classes("dz-account-attributes")
            self._roles = ui.select(dict(roles), multiple=True, label=texts.WANTED_ROLES(language))
            self._roles.props("outlined dense use-chips options-dense").classes("dz-account-roles")
            self._service = ui.checkbox(texts.IS_SERVICE(language))
            for field in (self._roles, self._service):
                field.set_visibility(bool(roles))
        self._dialog.open()

    def _input(self, label: str, value: str, name: str) -> ui.input:
        made = ui.input(label, value=value).props(f"outlined dense maxlength={LONGEST_TEXT}")
        made.props("autocomplete=off")
        return made.classes(f"dz-account-{name}")

    async def _saved(self) -> None:
        try:
            account = self._given()
        except CallerError as e:
            tell(e.message(self._language), wrong=True)
            return
        if await self._save(account):
            self._dialog.close()

    def _given(self) -> Account:
        zh, en = _of(self._zh), _of(self._en)
        user = self._account.user or _of(self._user)
        return Account(
            user,
            Text(zh or en or user, en or zh or user),
            frozenset(self._roles.value or ()),
            _of(self._department),
            attributes=MappingProxyType(pairs(self._attributes.value or "")),
            kind="service" if self._service.value else "person",
        )


def _of(field: ui.input) -> str:
    return (field.value or "").strip()


def pairs(text: str) -> dict[str, str]:
    """``KEY=VALUE``, a line each. Raises ``CallerError``."""
    out: dict[str, str] = {}
    for line in filter(None, (given.strip() for given in text.splitlines())):
        key, equals, value = line.partition("=")
        if not equals:
            raise CallerError("attribute", f"应写成 键=值:{line}", f"write KEY=VALUE: {line}")
        out[key.strip()] = value.strip()
    return out
