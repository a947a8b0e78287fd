"""What all pages share: style, language, light or dark, and the bar on top."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Literal

from fastapi import Request
from nicegui import ui

from dazi.console import texts
from dazi.console.pieces import div, icon_button
from dazi.core.language import Language, Text
from dazi.gateway.errors import accepted_language

LANGUAGE_COOKIE = "dazi_language"
DARK_COOKIE = "dazi_dark"
FAVICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32">'
    '<rect width="32" height="32" rx="9" fill="#0f766e"/>'
    '<path d="M9 11h14M9 16h14M9 21h8" stroke="#fff" stroke-width="2.6" stroke-linecap="round"/></svg>'
)
_CSS = Path(__file__).with_name("console.css")
_TAGS: dict[Language, Literal["zh-CN", "en-US"]] = {"zh": "zh-CN", "en": "en-US"}
_COLORS = {"light": "#f6f7f8", "dark": "#131618"}


def language_of_request(request: Request) -> Language:
    """What the person chose, else what the browser asks for, else Chinese."""
    chosen = request.cookies.get(LANGUAGE_COOKIE)
    if chosen in _TAGS:
        return "en" if chosen == "en" else "zh"
    return accepted_language(request.headers.get("accept-language", "")) or "zh"


def dark_of_request(request: Request) -> bool:
    return request.cookies.get(DARK_COOKIE) == "1"


def begin_page(request: Request, company: Text) -> tuple[Language, bool]:
    """Set a page up before anything is drawn on it."""
    language, dark = language_of_request(request), dark_of_request(request)
    client = ui.context.client
    # The page object is shared by all who open it; language and colours are this person's.
    client.page = copy.copy(client.page)
    client.page.language = _TAGS[language]
    client.page.dark = dark
    client.title = f"{texts.BRAND(language)} · {company(language)}"
    ui.add_head_html(
        '<meta name="theme-color" content="{0}"><style>html{{background:{0}}}</style>'.format(
            _COLORS["dark" if dark else "light"]
        )
    )
    ui.add_body_html(
        f'<a class="dz-skip" href="#{client.content.html_id}">{texts.TO_CONTENT(language)}</a>'
    )
    client.content.props("tabindex=-1")
    ui.add_css(_CSS)
    ui.colors(primary="#0f766e", positive="#2e7d5b", negative="#c2413b", warning="#b7791f")
    return language, dark


def brand(language: Language, company: Text, *, demo: bool) -> None:
    with div("dz-brand"):
        with div("dz-logo").props("aria-hidden=true"):
            ui.label("搭")
        with div("dz-brand-text"):
            ui.label(texts.BRAND(language)).classes("dz-brand-name")
            ui.label(company(language)).classes("dz-brand-company")
        if demo:
            ui.label(texts.DEMO(language)).classes("dz-tag")


def switches(language: Language, dark: bool) -> None:
    """Language and light or dark; both are remembered by the browser."""
    other: Language = "en" if language == "zh" else "zh"
    switch = ui.button(
        texts.SWITCH_LANGUAGE(language),
        on_click=lambda _: ui.run_javascript(
            f"{_cookie(LANGUAGE_COOKIE, other)} location.reload();"
        ),
        color=None,
    )
    switch.props("flat dense no-caps").classes("dz-icon-button dz-language")
    switch.props["title"] = switch.props["aria-label"] = texts.SWITCH_LANGUAGE_HINT(language)
    mode = ui.dark_mode(dark)

    def toggle() -> None:
        mode.toggle()
        button.set_icon("light_mode" if mode.value else "dark_mode")
        ui.run_javascript(_cookie(DARK_COOKIE, "1" if mode.value else "0"))

    button = icon_button("light_mode" if dark else "dark_mode", texts.DARK(language), toggle)
    button.classes("dz-dark-switch")


def _cookie(name: str, value: str) -> str:
    return f"document.cookie = '{name}={value};path=/;max-age=31536000;samesite=lax';"
