"""Signing in and out: plain forms, so that the cookie is set by an HTTP answer."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from dazi.access.users import LOOPBACK
from dazi.console.sessions import COOKIE, LIFETIME_S, Session, Sessions
from dazi.console.state import CHANNEL, ConsoleState
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

LARGEST_FORM = 8192
_RETURN_TO = re.compile(r"/t/[A-Za-z0-9_%.~-]{1,200}")


def session_of(request: Request, sessions: Sessions) -> Session | None:
    return sessions.find(request.cookies.get(COOKIE))


def principal_of(state: ConsoleState, session: Session) -> Principal | None:
    """Asked again for each page and each action: rights may have changed since sign-in."""
    try:
        return state.directory.principal(session.user, CHANNEL)
    except AccessError:
        return None


def safe_return(path: str) -> str:
    """Where to go after signing in: a thread of ours, or the start."""
    return path if _RETURN_TO.fullmatch(path) else "/"


def sign_in_url(error: str = "", return_to: str = "/", user: str = "") -> str:
    given = {"error": error, "next": return_to if return_to != "/" else "", "user": user}
    query = urlencode({k: v for k, v in given.items() if v})
    return "/login" + (f"?{query}" if query else "")


def add_routes(app: FastAPI, state: ConsoleState, sessions: Sessions) -> None:
    """``POST /login`` and ``POST /logout``."""

    async def sign_in(request: Request) -> Response:
        form = await _form(request)
        user = (form.get("demo") or form.get("user", ""))[:200]
        return_to = safe_return(form.get("next", "/"))
        refusal = _refusal(request, state)
        if refusal is None:
            try:
                principal = _check(state, form)
            except AccessError:
                refusal = "sign_in"
        if refusal is not None:
            state.ledger.put("sign_in", user, "", {"channel": CHANNEL, "ok": False, "why": refusal})
            return _go(sign_in_url(refusal, return_to, user))
        sessions.end(request.cookies.get(COOKIE))
        session = sessions.begin(principal.user)
        state.ledger.put("sign_in", principal.user, "", {"channel": CHANNEL, "ok": True})
        answer = _go(return_to)
        answer.set_cookie(
            COOKIE,
            session.token,
            max_age=int(LIFETIME_S),
            httponly=True,
            samesite="lax",
            secure=request.url.scheme == "https",
        )
        return answer

    async def sign_out(request: Request) -> Response:
        if not _same_origin(request):
            return _go("/")
        session = session_of(request, sessions)
        if session is not None:
            # The tab that asked for it is on its way already; the others are sent away.
            session.pages.pop((await _form(request)).get("tab", ""), None)
            sessions.end(session.token)
            state.ledger.put("sign_in", session.user, "", {"channel": CHANNEL, "out": True})
        answer = _go("/login")
        answer.delete_cookie(COOKIE)
        return answer

    app.add_api_route("/login", sign_in, methods=["POST"], include_in_schema=False)
    app.add_api_route("/logout", sign_out, methods=["POST"], include_in_schema=False)


def _check(state: ConsoleState, form: dict[str, str]) -> Principal:
    if state.company.demo and form.get("demo"):
        return state.directory.principal(form["demo"], CHANNEL)
    return state.directory.sign_in(form.get("user", ""), form.get("password", ""), CHANNEL)


def _refusal(request: Request, state: ConsoleState) -> str | None:
    if not _same_origin(request):
        return "origin"
    # Another site's name that resolves to 127.0.0.1 (DNS rebinding) must not reach demo users.
    if state.company.demo and (request.url.hostname or "") not in LOOPBACK:
        return "loopback"
    return None


def _same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return urlsplit(origin).netloc == request.headers.get("host", "")


async def _form(request: Request) -> dict[str, str]:
    """The form's fields, of which never more than ``LARGEST_FORM`` bytes are read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {k: v[0] for k, v in fields.items()}


def _go(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303)
