"""The page with the conversation on it."""

from __future__ import annotations

from nicegui import ui
from nicegui.element import Element

from dazi.console import texts
from dazi.console.abilities import suggestions
from dazi.console.alert_bell import bell
from dazi.console.chat import Chat
from dazi.console.composer import DRAFT
from dazi.console.confirmation import person
from dazi.console.frame import brand, switches
from dazi.console.history import replay
from dazi.console.menu import places
from dazi.console.pieces import avatar, div, heading, icon_button
from dazi.console.sidebar import Sidebar
from dazi.console.state import Scene
from dazi.console.thread_menu import ThreadMenu
from dazi.console.thread_routes import EVERYTHING_URL
from dazi.console.visits import Visits
from dazi.core.errors import NotFound

MESSAGES_SHOWN = 200


async def draw(scene: Scene, visits: Visits, thread: str | None) -> None:
    """A new conversation, or a kept one. Raises ``NotFound`` for a thread that is not there or
    is somebody else's (the two look the same)."""
    service = scene.state.service
    kept = await service.threads.load(thread, scene.principal, MESSAGES_SHOWN) if thread else []
    making = scene.state.answers.find(scene.principal, thread) if thread else None
    if thread and not kept and making is None:
        raise NotFound("thread", "没有这个会话", "no such thread")
    client = ui.context.client
    sidebar = Sidebar(scene)
    with ui.header().classes("dz-header"):
        menu = icon_button("menu", texts.MENU(scene.language), sidebar.drawer.toggle)
        menu.classes("dz-menu-button")
        ui.space()
        with div("dz-switches"):
            thread_menu = ThreadMenu(scene, lambda: sidebar.refresh_soon(chat.thread))
            bell(scene)
            places(scene)
            switches(scene.language, scene.dark)
            _account(scene)
    if kept:
        heading(texts.CHAT(scene.language), 1, "dz-unseen")
    turns = div("dz-log").props("role=log aria-live=polite")
    with ui.footer().classes("dz-footer"), div("dz-footer-inner"):
        chat = Chat(
            scene,
            thread,
            turns,
            visits,
            on_settled=lambda: settled(),
        )
        if scene.state.engine.profile.bundled:
            _bundled_line(scene)

    def settled() -> None:
        thread_menu.of(chat.thread)
        sidebar.refresh_soon(chat.thread)

    visits.watch(client.id, scene.principal, scene.visit, chat.sign_out)
    client.on_delete(lambda: visits.forget(client.id))
    if kept:
        tickets = [
            *await service.pending(scene.principal, thread),
            *await service.submitted(scene.principal, thread),
        ]
        thread_menu.of(chat.thread)
        chat.replay(replay(kept, scene.state.company), tickets)
    elif making is None:
        with turns:
            chat.welcome = _welcome(scene, chat)
    if making is not None:
        chat.attach(making)
    await sidebar.refresh(chat.thread)


def draw_not_found(scene: Scene) -> None:
    company = scene.state.company
    with div("dz-empty-brand"):
        brand(scene.language, company.name, demo=company.demo)
    with div("dz-empty"):
        ui.icon("search_off").classes("dz-empty-icon")
        heading(texts.NOT_FOUND(scene.language))
        ui.label(texts.NOT_FOUND_HINT(scene.language)).classes("dz-muted")
        with ui.element("a").props("href=/").classes("dz-new dz-new-inline"):
            ui.label(texts.NEW_CHAT(scene.language))


def _welcome(scene: Scene, chat: Chat) -> Element:
    language = scene.language
    with div("dz-welcome") as welcome:
        name, _ = person(scene)
        heading(texts.HELLO(language).format(name=name))
        ui.label(texts.HELLO_HINT(language)).classes("dz-muted")
        chips = suggestions(scene.state.service.tools_for(scene.principal), language)
        if chips:
            ui.label(texts.TRY(language)).classes("dz-try")
            with div("dz-suggestions"):
                for chip in chips:
                    _chip(scene, chat, chip.text, chip.complete)
    return welcome


def _chip(scene: Scene, chat: Chat, said: str, complete: bool) -> None:
    def use() -> None:
        if complete:
            chat.ask(said)
        else:
            chat.composer.fill(said + " ")

    button = ui.element("button").props("type=button").classes("dz-suggestion")
    if not complete:
        button.props["title"] = texts.FILL_IN(scene.language)
    button.on("click", use, args=[])
    with button:
        ui.label(said if complete else f"{said}…")
        ui.icon("arrow_upward" if complete else "edit")


def _bundled_line(scene: Scene) -> None:
    """What the small model can and cannot do, and how to connect a large one."""
    language = scene.language
    with ui.element("details").classes("dz-bundled"):
        with ui.element("summary"):
            ui.icon("info")
            ui.label(texts.BUNDLED_LINE(language))
        ui.label(texts.BUNDLED_CAN(language))
        with div("dz-commands"):
            ui.label(texts.BUNDLED_MORE(language))
            ui.label("dazi model use URL").classes("dz-code")
            ui.label(texts.OR(language))
            ui.label("dazi model add PATH").classes("dz-code")


def _account(scene: Scene) -> Element:
    name, roles = person(scene)
    initial = scene.state.name_of(scene.principal.user, scene.principal.tenant, "zh")
    button = ui.element("button").props("type=button").classes("dz-account")
    button.props["aria-label"] = f"{name} {roles}"
    with button:
        avatar(initial, scene.principal.user)
        with ui.menu().props("auto-close").classes("dz-menu"):
            with div("dz-menu-who"):
                ui.label(name)
                ui.label(roles).classes("dz-muted")
            for href, icon, label in (
                ("/memory", "psychology", texts.MEMORY),
                (EVERYTHING_URL, "download", texts.EXPORT_ALL),
            ):
                with ui.element("a").classes("dz-menu-item") as link:
                    link.props["href"] = href
                    ui.icon(icon)
                    ui.label(label(scene.language))
            with ui.element("form").props("method=post action=/logout"):
                tab = ui.element("input").props("type=hidden name=tab")
                tab.props["value"] = ui.context.client.id
                out = ui.element("button").props("type=submit").classes("dz-menu-item dz-sign-out")
                # What was typed is this person's: it must not greet the next one.
                out.on("click", js_handler=f"() => sessionStorage.removeItem('{DRAFT}')")
                with out:
                    ui.icon("logout")
                    ui.label(texts.SIGN_OUT(scene.language))
    return button
