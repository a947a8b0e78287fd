"""Puts the pages on an application."""

from __future__ import annotations

from dataclasses import replace

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response
from nicegui import app as pages
from nicegui import ui

from dazi.apps.contracts.service import ContractService
from dazi.apps.desk.desk import Desk
from dazi.apps.reports.service import ReportService
from dazi.apps.risk.service import RiskService
from dazi.console import (
    approvals_page,
    chat_page,
    contract_routes,
    contract_view,
    contracts_page,
    desk_page,
    desk_ticket,
    document_page,
    job_routes,
    jobs_page,
    knowledge_page,
    knowledge_routes,
    login_page,
    memory_page,
    reports_page,
    risk_page,
    risk_routes,
    thread_routes,
)
from dazi.console.frame import FAVICON, begin_page
from dazi.console.headers import PageHeaders
from dazi.console.sign_in import add_routes, safe_return, sign_in_url
from dazi.console.state import ConsoleState, Scene
from dazi.console.uploads import UploadGuard
from dazi.console.visits import COOKIE, Visit, Visits
from dazi.core.errors import NotFound
from dazi.core.principal import Principal
from dazi.knowledge.service import KnowledgeService
from dazi.store.jobs.service import JobService

RECONNECT_S = 3.0
"""How long a browser may be away (a phone changing networks) before its tab counts as closed and
the answer being made for it is stopped."""
BUILD_S = 10.0
TRAINED_S = 60.0
"""A page about risk may have to wait for the first model."""


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
    if state.risk is not None:
        risk_routes.add_routes(app, state.risk, visits)
    _add_pages(state, visits)
    app.add_middleware(PageHeaders)
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

    @ui.page("/", response_timeout=BUILD_S)
    async def start(request: Request) -> Response | None:
        return await chat(request, None)

    @ui.page("/approvals", response_timeout=BUILD_S)
    async def approvals(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/approvals"), 303)
        await approvals_page.draw(_scene(request, state, *found), visits)
        return None

    @ui.page("/memory", response_timeout=BUILD_S)
    async def memory(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/memory"), 303)
        await memory_page.draw(_scene(request, state, *found), visits)
        return None

    if state.jobs is not None:
        _add_jobs_page(state, visits, state.jobs)
    if state.contracts is not None:
        _add_contract_pages(state, visits, state.contracts)
    if state.reports is not None:
        _add_reports_page(state, visits, state.reports)
    if state.knowledge is not None:
        _add_knowledge_pages(state, visits, state.knowledge)
    if state.risk is not None:
        _add_risk_pages(state, visits, state.risk)
    if state.desk is not None:
        _add_desk_pages(state, visits, state.desk)

    @ui.page("/t/{thread:path}", response_timeout=BUILD_S)
    async def kept(request: Request, thread: str) -> Response | None:
        return await chat(request, thread)

    async def chat(request: Request, thread: str | None) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        scene = _scene(request, state, *found)
        try:
            await chat_page.draw(scene, visits, thread)
        except NotFound:
            ui.context.client.status_code = 404
            chat_page.draw_not_found(scene)
        return None


def _add_jobs_page(state: ConsoleState, visits: Visits, jobs: JobService) -> None:
    @ui.page("/jobs", response_timeout=BUILD_S)
    async def jobs_of(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/jobs"), 303)
        await jobs_page.draw(_scene(request, state, *found), visits, jobs)
        return None


def _add_contract_pages(state: ConsoleState, visits: Visits, contracts: ContractService) -> None:
    @ui.page("/contracts", response_timeout=BUILD_S)
    async def reviews(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/contracts"), 303)
        await contracts_page.draw(_scene(request, state, *found), visits, contracts)
        return None

    @ui.page("/contracts/{job}", response_timeout=BUILD_S)
    async def review(request: Request, job: str) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        scene = _scene(request, state, *found)
        try:
            await contract_view.draw(scene, visits, contracts, job)
        except NotFound:
            ui.context.client.status_code = 404
            contract_view.draw_not_found(scene)
        return None


def _add_reports_page(state: ConsoleState, visits: Visits, reports: ReportService) -> None:
    @ui.page("/reports", response_timeout=BUILD_S)
    async def reports_of(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/reports"), 303)
        await reports_page.draw(_scene(request, state, *found), visits, reports)
        return None


def _add_knowledge_pages(state: ConsoleState, visits: Visits, knowledge: KnowledgeService) -> None:
    @ui.page("/knowledge", response_timeout=BUILD_S)
    async def documents(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/knowledge"), 303)
        await knowledge_page.draw(_scene(request, state, *found), visits, knowledge)
        return None

    @ui.page("/knowledge/d/{number}", response_timeout=BUILD_S)
    async def document(request: Request, number: str, at: int | None = None) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        scene = _scene(request, state, *found)
        try:
            await document_page.draw(scene, visits, knowledge, number, at)
        except NotFound:
            ui.context.client.status_code = 404
            document_page.draw_not_found(scene)
        return None


def _add_risk_pages(state: ConsoleState, visits: Visits, risk: RiskService) -> None:
    @ui.page("/risk", response_timeout=BUILD_S)
    async def queue(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/risk"), 303)
        await risk_page.draw(_scene(request, state, *found), visits, risk)
        return None

    @ui.page("/risk/model", response_timeout=TRAINED_S)
    async def model(request: Request) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/risk/model"), 303)
        scene = _scene(request, state, *found)
        try:
            await risk_page.draw_model(scene, visits, risk)
        except NotFound as e:
            ui.context.client.status_code = 404
            ui.label(e.message(scene.language)).classes("dz-none")
        return None

    @ui.page("/risk/t/{transaction}", response_timeout=TRAINED_S)
    async def case(request: Request, transaction: str) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        scene = _scene(request, state, *found)
        try:
            await risk_page.draw_case(scene, visits, risk, transaction)
        except NotFound:
            ui.context.client.status_code = 404
            risk_page.draw_not_found(scene)
        return None


def _add_desk_pages(state: ConsoleState, visits: Visits, desk: Desk) -> None:
    @ui.page("/desk", response_timeout=BUILD_S)
    async def queue(request: Request, show: str = "alive") -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to="/desk"), 303)
        await desk_page.draw(_scene(request, state, *found), visits, desk, show)
        return None

    @ui.page("/desk/t/{number}", response_timeout=BUILD_S)
    async def ticket(request: Request, number: str) -> Response | None:
        found = await visits.of(request)
        if found is None:
            return RedirectResponse(sign_in_url(return_to=safe_return(request.url.path)), 303)
        scene = _scene(request, state, *found)
        try:
            await desk_ticket.draw(scene, visits, desk, number)
        except NotFound:
            ui.context.client.status_code = 404
            desk_ticket.draw_not_found(scene)
        return None


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
