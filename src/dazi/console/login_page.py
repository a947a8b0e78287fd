"""The page on which one signs in."""

from __future__ import annotations

from nicegui import ui
from nicegui.element import Element

from dazi.console import texts
from dazi.console.abilities import abilities
from dazi.console.frame import brand, switches
from dazi.console.pieces import avatar, div
from dazi.console.state import CHANNEL, ConsoleState
from dazi.core.company import DemoUser
from dazi.core.language import Language

ABILITIES_SHOWN = 5


def draw(
    state: ConsoleState, language: Language, dark: bool, *, error: str, return_to: str, user: str
) -> None:
    company = state.company
    with div("dz-login"):
        with div("dz-login-top"):
            brand(language, company.name, demo=company.demo)
            with div("dz-switches"):
                switches(language, dark)
        if error in texts.SIGN_IN_ERRORS:
            with div("dz-error").props("role=alert"):
                ui.icon("error_outline")
                ui.label(texts.SIGN_IN_ERRORS[error](language))
        if company.demo:
            with div("dz-login-intro"):
                ui.label(texts.SIGN_IN_AS(language)).classes("dz-h1")
                ui.label(texts.SIGN_IN_HINT(language)).classes("dz-muted")
            with _form(return_to).classes("dz-people"):
                for demo in state.directory.users:
                    _person(state, demo, language)
        with ui.element("details").classes("dz-login-form") as details:
            if not company.demo or error == "sign_in":
                details.props("open")
            with ui.element("summary"):
                ui.label(texts.SIGN_IN_FORM(language))
            with _form(return_to).classes("dz-form"):
                _input("user", texts.USER(language), "username", user)
                _input("password", texts.PASSWORD(language), "current-password", "")
                with ui.element("button").props("type=submit").classes("dz-submit"):
                    ui.label(texts.SIGN_IN(language))


def _form(return_to: str) -> Element:
    form = ui.element("form").props("method=post action=/login")
    with form:
        hidden = ui.element("input").props("type=hidden name=next")
        hidden.props["value"] = return_to
    return form


def _input(name: str, label: str, autocomplete: str, value: str) -> None:
    with ui.element("label").classes("dz-input"):
        ui.label(label)
        kind = "password" if name == "password" else "text"
        field = ui.element("input").props(
            f"type={kind} name={name} autocomplete={autocomplete} required"
        )
        field.props["value"] = value


def _person(state: ConsoleState, user: DemoUser, language: Language) -> None:
    """A card that is a button: one click signs in."""
    company = state.company
    principal = state.directory.principal(user.user, CHANNEL)
    names = [company.role_names[r](language) for r in user.roles if r in company.role_names]
    may = abilities(state.service.tools_for(principal), language)
    button = ui.element("button").props("type=submit name=demo").classes("dz-person")
    button.props["value"] = user.user
    with button:
        with div("dz-person-head"):
            avatar(user.name("zh"), user.user)
            with div("dz-person-name"):
                ui.label(user.name(language))
                ui.label("、".join(names) if language == "zh" else ", ".join(names)).classes(
                    "dz-muted"
                )
            ui.icon("arrow_forward").classes("dz-person-go")
        shown = may[:ABILITIES_SHOWN]
        if len(may) > len(shown):
            shown.append(texts.MORE(language).format(n=len(may) - len(shown)))
        ui.label(" · ".join(shown)).classes("dz-muted")
