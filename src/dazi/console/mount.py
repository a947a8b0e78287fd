"""Puts the pages on an application."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import app as pages
from nicegui import ui

from dazi.console import approvals_page, chat_page, login_page
from dazi.console.frame import FAVICON, begin_page
from dazi.console.headers import PageHeaders
from dazi.console.sessions import Sessions
from dazi.console.sign_in import (
    add_routes,
    principal_of,
    safe_return,
    session_of,
    sign_in_url,
)
from dazi.console.state import ConsoleState, Scene
from dazi.core.errors import NotFound

RECONNECT_S = 3.0
"""How long a browser may be away (a phone changing networks) before its tab counts as closed and
the answer being made for it is stopped."""
BUILD_S = 10.0


def mount_console(app: FastAPI, state: ConsoleState) -> None:
    """Add the pages to ``app``, after every other route: they take all paths that are left.

    The pages' framework is one per process, so the latest call is the one that counts.
    """
    sessions = Sessions()
    _start_anew()
    add_routes(app, state, sessions)
    _add_pages(state, sessions)
    app.add_middleware(PageHeaders)
    ui.run_with(
        app,
        title="Dazi",
        favicon=FAVICON,
        reconnect_timeout=RECONNECT_S,
        tailwind=False,
        show_welcome_message=False,
    )


def _add_pages(state: ConsoleState, sessions: Sessions) -> None:
    @ui.page("/login", response_timeout=BUILD_S)
    def login(request: Request) -> Response | None:
        if session_of(request, sessions) is not None:
            return RedirectResponse("/", 303)
        language, dark = begin_page(request, state.company.name)
        asked = request.query_params
        login_page.draw(
            state,
            language,
            dark,
            error=asked.get("error", ""),
            return_to=safe_return(asked.get("next", "/")),
            user=asked.get("user", "")[:200],
        )
        return None

    @ui.page("/", response_timeout=BUILD_S)
    async def start(request: Request) -> Response | None:
        return await chat(request, None)

    @ui.page("/approvals", response_timeout=BUILD_S)
    async def approvals(request: Request) -> Response | None:
        session = session_of(request, sessions)
        principal = principal_of(state, session) if session is not None else None
        if session is None or principal is None:
            return RedirectResponse(sign_in_url(return_to="/approvals"), 303)
        language, dark = begin_page(request, state.company.name)
        scene = Scene(state, session, principal, language, dark)
        await approvals_page.draw(scene, sessions)
        return None

    @ui.page("/t/{thread:path}", response_timeout=BUILD_S)
    async def kept(request: Request, thread: str) -> Response | None:
        return await chat(request, thread)

    async def chat(request: Request, thread: str | None) -> Response | None:
        session = session_of(request, sessions)
        principal = principal_of(state, session) if session is not None else None
        if session is None or principal is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        language, dark = begin_page(request, state.company.name)
        scene = Scene(state, session, principal, language, dark)
        try:
            await chat_page.draw(scene, sessions, thread)
        except NotFound:
            ui.context.client.status_code = 404
            chat_page.draw_not_found(scene)
        return None


def _start_anew() -> None:
    """Lets a process mount a second application (as tests do): without it the framework refuses
    middleware because it has run before."""
    if pages.middleware_stack is not None:
        pages.middleware_stack = None
        pages.user_middleware.clear()
