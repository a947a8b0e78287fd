"""Puts the pages on an application."""

from __future__ import annotations

from dataclasses import replace

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import app as pages
from nicegui import ui

from dazi.console import (
    account_routes,
    audit_routes,
    compliance_page,
    contract_routes,
    job_routes,
    knowledge_routes,
    login_page,
    risk_routes,
    thread_routes,
)
from dazi.console.frame import FAVICON, begin_page
from dazi.console.headers import PageHeaders
from dazi.console.own_page import BUILD_S, OwnPage
from dazi.console.pages import own_pages
from dazi.console.sign_in import add_routes, safe_return, sign_in_url
from dazi.console.state import ConsoleState, Scene
from dazi.console.uploads import UploadGuard
from dazi.console.visits import COOKIE, Visit, Visits
from dazi.core.errors import NotFound
from dazi.core.principal import Principal

RECONNECT_S = 10.0
"""How long a browser may be away (a phone changing networks) before its tab counts as closed; an
answer being made goes on."""


def mount_console(app: FastAPI, state: ConsoleState) -> None:
    """Add the pages to ``app``, after every other route: they take all paths that are left.

    The pages' framework is one per process, so the latest call is the one that counts.
    """
    visits = Visits(state.access)
    _start_anew()
    add_routes(app, state, visits)
    thread_routes.add_routes(app, state.service, visits)
    if state.jobs is not None:
        job_routes.add_routes(app, state.jobs, visits)
    if state.contracts is not None:
        contract_routes.add_routes(app, state.contracts, visits)
    if state.knowledge is not None:
        knowledge_routes.add_routes(app, state.knowledge, visits)
    if state.system is not None:
        compliance_page.add_routes(app, state.system.compliance, visits)
        pages.on_shutdown(state.system.compliance.stop)
    if state.risk is not None:
        risk_routes.add_routes(app, state.risk, visits)
    account_routes.add_routes(app, state, visits)
    if state.reading is not None:
        audit_routes.add_routes(app, state.reading, visits)
    _add_pages(state, visits)
    app.add_middleware(PageHeaders)
    # Inside what compresses pages, which comes last: a page is looked through as text.
    pages.add_middleware(PageHeaders)
    app.add_middleware(
        UploadGuard, visits=visits, knowledge=state.knowledge, contracts=state.contracts
    )
    ui.run_with(
        app,
        title="Dazi",
        favicon=FAVICON,
        reconnect_timeout=RECONNECT_S,
        tailwind=False,
        show_welcome_message=False,
    )


def _add_pages(state: ConsoleState, visits: Visits) -> None:
    access = state.access

    @ui.page("/login", response_timeout=BUILD_S)
    async def login(request: Request) -> Response | None:
        asked = _asked(request)
        token = request.cookies.get(COOKIE, "")
        session = await access.sessions.find(token)
        if session is not None and await visits.of(request) is not None:
            return RedirectResponse(asked.return_to, 303)
        language, dark = begin_page(request, state.company.name)
        if session is None or session.complete:
            login_page.draw(state, language, dark, asked)
            return None
        enrols = session.remaining[0] == "enrol"
        waits = session, await access.sign_in.enrol(token) if enrols else None
        asked = replace(asked, note=visits.noted(token))
        login_page.draw_step(state, language, dark, asked, waits)
        return None

    for own in own_pages(state, visits):
        _add_page(own, state, visits)


def _add_page(own: OwnPage, state: ConsoleState, visits: Visits) -> None:
    @ui.page(own.path, response_timeout=own.within_s)
    async def opened(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        scene = _scene(request, state, *found)
        if not own.watches:
            _leave_with(scene, visits, safe_return(request.url.path))
        try:
            await own.draw(scene, request)
        except NotFound as e:
            ui.context.client.status_code = 404
            if own.nothing is not None:
                own.nothing(scene)
            else:
                ui.label(e.message(scene.language)).classes("dz-none")
        return None


def _leave_with(scene: Scene, visits: Visits, here: str) -> None:
    """The page is left when the session ends."""
    client = ui.context.client

    def leave() -> None:
        if not client.is_deleted:
            client.open(sign_in_url("ended", return_to=here))

    visits.watch(client.id, scene.principal, scene.visit, leave)
    client.on_delete(lambda: visits.forget(client.id))


def _scene(request: Request, state: ConsoleState, principal: Principal, visit: Visit) -> Scene:
    language, dark = begin_page(request, state.company.name)
    return Scene(state, visit, principal, language, dark)


def _asked(request: Request) -> login_page.Asked:
    given = request.query_params
    return login_page.Asked(
        given.get("error", ""),
        safe_return(given.get("next", "/")),
        given.get("user", "")[:200],
        given.get("minutes", "")[:6],
    )


def _start_anew() -> None:
    """Lets a process mount a second application (as tests do): without it the framework refuses
    middleware because it has run before."""
    if pages.middleware_stack is not None:
        pages.middleware_stack = None
        pages.user_middleware.clear()
