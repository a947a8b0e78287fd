"""The pages on which one signs in: who it is, then what steps remain."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import segno
from nicegui import ui
from nicegui.element import Element

from dazi.access.sessions import Session
from dazi.access.totp import Enrolment
from dazi.console import sign_in_texts as texts
from dazi.console.abilities import abilities
from dazi.console.frame import brand, switches
from dazi.console.pieces import avatar, div, heading
from dazi.console.sign_in import CHANNEL_PATH, OIDC_PATH
from dazi.console.state import ConsoleState
from dazi.console.texts import MORE
from dazi.console.visits import CHANNEL
from dazi.core.company import DemoUser
from dazi.core.language import Language, Text

ABILITIES_SHOWN = 5
QR_DOTS = 5
"""Points of the screen for one dot of a QR code."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address of the page says, and what is to be told."""

    error: str
    return_to: str
    user: str
    minutes: str
    note: Text | None = None


def draw(state: ConsoleState, language: Language, dark: bool, asked: Asked) -> None:
    company = state.company
    with _page(state, language, dark, asked):
        if company.demo:
            with div("dz-login-intro"):
                heading(texts.SIGN_IN_AS(language))
                ui.label(texts.SIGN_IN_HINT(language)).classes("dz-muted")
            with _form(asked, "/login").classes("dz-people"):
                for demo in company.users:
                    _person(state, demo, language)
        providers = _providers(state, language)
        if providers:
            with div("dz-providers"):
                for path, name in providers:
                    link = ui.element("a").classes("dz-submit dz-provider")
                    back = f"?next={asked.return_to}" if asked.return_to != "/" else ""
                    link.props["href"] = f"{path}{back}"
                    with link:
                        ui.label(texts.SIGN_IN_AT(language).format(provider=name))
        with ui.element("details").classes("dz-login-form") as details:
            if not (company.demo or providers) or asked.error in ("sign_in", "locked"):
                details.props("open")
            with ui.element("summary"):
                ui.label(texts.SIGN_IN_FORM(language))
            with _form(asked, "/login").classes("dz-form"):
                field("user", texts.USER(language), "username", asked.user)
                field("password", texts.PASSWORD(language), "current-password")
                submit(texts.SIGN_IN(language))


def draw_step(
    state: ConsoleState,
    language: Language,
    dark: bool,
    asked: Asked,
    waits: tuple[Session, Enrolment | None],
) -> None:
    """The next step of a session, and for one that is to enrol, with what."""
    session, enrolment = waits
    with _page(state, language, dark, asked):
        match session.remaining[0]:
            case "second_factor":
                _head(texts.CODE_TITLE(language), texts.CODE_HINT(language))
                _code_form(language, asked)
            case "enrol":
                assert enrolment is not None
                _head(texts.ENROL_TITLE(language), texts.ENROL_HINT(language))
                draw_enrolment(language, enrolment)
                _code_form(language, asked)
            case "new_password":
                rules = state.access.rules.passwords
                hint = texts.NEW_HINT(language)
                _head(
                    texts.NEW_TITLE(language),
                    hint.format(length=rules.min_length, classes=rules.classes),
                )
                with _form(asked, "/login/new").classes("dz-form"):
                    field("password", texts.NEW_PASSWORD(language), "new-password")
                    field("again", texts.NEW_AGAIN(language), "new-password")
                    submit(texts.CONTINUE(language))
        with ui.element("form").props("method=post action=/logout"):
            out = ui.element("button").props("type=submit").classes("dz-muted dz-start-over")
            with out:
                ui.label(texts.START_OVER(language))


def _providers(state: ConsoleState, language: Language) -> list[tuple[str, str]]:
    """Addresses and names of those that one can sign in with."""
    found = [(f"{OIDC_PATH}/{name}", name) for name in state.access.oidc.names]
    channels = state.channels
    for name in channels.names if channels is not None else ():
        if channels is not None and channels.signs_in(name) is not None:
            kind = channels.line(name).section.kind
            found.append(
                (f"{CHANNEL_PATH}/{name}", texts.CHANNELS.get(kind, Text(name, name))(language))
            )
    return found


def _page(state: ConsoleState, language: Language, dark: bool, asked: Asked) -> Element:
    page = div("dz-login")
    with page:
        with div("dz-login-top"):
            brand(language, state.company.name, demo=state.company.demo)
            with div("dz-switches"):
                switches(language, dark)
        if asked.error in texts.ERRORS:
            told = texts.ERRORS[asked.error](language)
            why = asked.note(language) if asked.note else ""
            minutes = asked.minutes if asked.minutes.isdigit() else "15"
            with div("dz-error").props("role=alert"):
                ui.icon("error_outline")
                ui.label(told.format(minutes=minutes, why=why))
    return page


def _head(title: str, hint: str) -> None:
    with div("dz-login-intro"):
        heading(title)
        ui.label(hint).classes("dz-muted")


def draw_enrolment(language: Language, enrolment: Enrolment) -> None:
    image = io.BytesIO()
    segno.make(enrolment.uri, error="m").save(
        image, kind="svg", scale=QR_DOTS, border=3, light="#fff"
    )
    with div("dz-enrol"):
        picture = ui.element("img").classes("dz-qr").props("alt=QR")
        picture.props["src"] = (
            f"data:image/svg+xml;base64,{base64.b64encode(image.getvalue()).decode()}"
        )
        with div("dz-enrol-texts"):
            ui.label(texts.ENROL_SECRET(language)).classes("dz-muted")
            ui.label(enrolment.secret).classes("dz-code dz-secret")
            ui.label(texts.ENROL_RECOVERY(language)).classes("dz-muted")
            with div("dz-recovery"):
                for code in enrolment.recovery_codes:
                    ui.label(code).classes("dz-code")


def _code_form(language: Language, asked: Asked) -> None:
    with _form(asked, "/login/code").classes("dz-form"):
        field("code", texts.CODE(language), "one-time-code")
        submit(texts.CONTINUE(language))


def _form(asked: Asked, action: str) -> Element:
    form = ui.element("form").props("method=post")
    form.props["action"] = action
    with form:
        hidden = ui.element("input").props("type=hidden name=next")
        hidden.props["value"] = asked.return_to
    return form


def field(name: str, label: str, autocomplete: str, value: str = "") -> None:
    with ui.element("label").classes("dz-input"):
        ui.label(label)
        kind = "password" if "password" in autocomplete else "text"
        field = ui.element("input").props(
            f"type={kind} name={name} autocomplete={autocomplete} required"
        )
        field.props["value"] = value


def submit(label: str) -> None:
    with ui.element("button").props("type=submit").classes("dz-submit"):
        ui.label(label)


def _person(state: ConsoleState, user: DemoUser, language: Language) -> None:
    """A card that is a button: one click signs in."""
    company = state.company
    principal = state.access.people.principal(user.user, CHANNEL)
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
            shown.append(MORE(language).format(n=len(may) - len(shown)))
        ui.label(" · ".join(shown)).classes("dz-muted")
