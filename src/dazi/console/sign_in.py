"""Signing in and out: plain forms, so that the cookie is set by an HTTP answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from hmac import compare_digest
from math import ceil
from secrets import token_urlsafe
from urllib.parse import parse_qs, urlencode, urlsplit

from fastapi import FastAPI, Request
from fastapi.responses import RedirectResponse, Response

from dazi.access.lockout import Locked
from dazi.access.sessions import Begun
from dazi.access.sign_in import Attempt
from dazi.access.users import LOOPBACK
from dazi.console.sign_in_texts import ERRORS
from dazi.console.state import ConsoleState
from dazi.console.visits import CHANNEL, COOKIE, Visits
from dazi.core.errors import (
    AccessError,
    CallerError,
    DaziError,
    NotFound,
    OperatorError,
    OverloadError,
)

LARGEST_FORM = 8192
OIDC_COOKIE = "dazi_oidc"
OIDC_PATH = "/login/oidc"
OIDC_S = 600
CHANNEL_COOKIE = "dazi_channel"
CHANNEL_PATH = "/login/channel"
_STEP = r"/[A-Za-z0-9_%.~-]{1,200}"
_RETURN_TO = re.compile(rf"(?!/log(?:in|out)\b|.*/\.){_STEP}(?:{_STEP}){{0,3}}")
"""A path of this server: no host, no second slash, no backslash, no step that begins with
a dot, and nothing that signs in or out."""

Form = dict[str, str]


def safe_return(path: str) -> str:
    """Where to go after signing in: a page of ours, or the start."""
    return path if _RETURN_TO.fullmatch(path) else "/"


def sign_in_url(error: str = "", return_to: str = "/", user: str = "", minutes: int = 0) -> str:
    given = {
        "error": error,
        "next": return_to if return_to != "/" else "",
        "user": user,
        "minutes": str(minutes) if minutes else "",
    }
    query = urlencode({k: v for k, v in given.items() if v})
    return "/login" + (f"?{query}" if query else "")


def add_routes(app: FastAPI, state: ConsoleState, visits: Visits) -> None:
    """``POST /login`` and its steps, ``POST /logout``, and the way to a provider and back."""
    desk = _Desk(state, visits)
    routes: tuple[tuple[str, str, Callable[..., Awaitable[Response]]], ...] = (
        ("POST", "/login", desk.password),
        ("POST", "/login/code", desk.code),
        ("POST", "/login/new", desk.new_password),
        ("POST", "/logout", desk.out),
        ("GET", f"{CHANNEL_PATH}/{{channel}}/callback", desk.from_channel),
        ("GET", f"{CHANNEL_PATH}/{{channel}}", desk.to_channel),
        ("GET", f"{OIDC_PATH}/callback", desk.from_provider),
        ("GET", f"{OIDC_PATH}/{{provider}}", desk.to_provider),
    )
    for method, path, handler in routes:
        app.add_api_route(
            path, handler, methods=[method], include_in_schema=False, response_model=None
        )


class _Desk:
    def __init__(self, state: ConsoleState, visits: Visits) -> None:
        self._state = state
        self._visits = visits
        self._sign_in = state.access.sign_in

    async def password(self, request: Request) -> Response:
        form = await read_form(request)
        user = (form.get("demo") or form.get("user", ""))[:200]

        attempt = Attempt(user, form.get("password", ""), CHANNEL, _address(request))

        async def begin() -> Begun:
            why = _turned_away(request, demo=self._state.company.demo)
            if why:
                await self._sign_in.refused(attempt, why)
                raise _Refused(why)
            if form.get("demo"):
                return await self._sign_in.as_demo(user, CHANNEL, attempt.address)
            return await self._sign_in.with_password(attempt)

        return await self._begun(request, form, begin, user)

    async def code(self, request: Request) -> Response:
        form = await read_form(request)
        given = form.get("code", "")[:100]

        async def begin() -> Begun:
            _require_same_origin(request)
            return await self._sign_in.with_code(token_of(request), given)

        return await self._begun(request, form, begin)

    async def new_password(self, request: Request) -> Response:
        form = await read_form(request)

        async def begin() -> Begun:
            _require_same_origin(request)
            password = form.get("password", "")
            if password != form.get("again", ""):
                raise _Refused("different")
            return await self._sign_in.choose_password(token_of(request), password)

        return await self._begun(request, form, begin)

    async def out(self, request: Request) -> Response:
        if not same_origin(request):
            return go_to("/")
        # The tab that asked for it is on its way already; the others are sent away.
        self._visits.forget((await read_form(request)).get("tab", ""))
        await self._sign_in.end(token_of(request))
        answer = go_to("/login")
        answer.delete_cookie(COOKIE)
        return answer

    async def to_provider(self, request: Request, provider: str) -> Response:
        back = safe_return(request.query_params.get("next", "/"))
        url = self._own(request, f"{OIDC_PATH}/callback")
        if url is None:
            return go_to(sign_in_url("public_url", back))
        try:
            started = await self._state.access.oidc.start(provider, url)
        except NotFound:
            return go_to(sign_in_url("oidc", back))
        except OperatorError:
            return go_to(sign_in_url("unavailable", back))
        answer = go_to(started.url)
        answer.set_cookie(
            OIDC_COOKIE,
            f"{started.keep}|{back}",
            max_age=OIDC_S,
            path=OIDC_PATH,
            httponly=True,
            samesite="lax",  # the way back is a link from another site
            secure=url.startswith("https:"),
        )
        return answer

    async def from_provider(self, request: Request) -> Response:
        keep, _, back = request.cookies.get(OIDC_COOKIE, "").partition("|")

        async def begin() -> Begun:
            given = dict(request.query_params)
            try:
                identity = await self._state.access.oidc.finish(given, keep)
            except AccessError as e:
                raise _Refused("oidc") from e
            return await self._sign_in.with_identity(identity, CHANNEL, _address(request))

        answer = await self._begun(request, {"next": back}, begin)
        answer.delete_cookie(OIDC_COOKIE, path=OIDC_PATH)
        return answer

    async def to_channel(self, request: Request, channel: str) -> Response:
        """To the vendor of a messaging channel, whose browser knows who looks at it."""
        back = safe_return(request.query_params.get("next", "/"))
        url = self._own(request, f"{CHANNEL_PATH}/{channel}/callback")
        there = self._state.channels.signs_in(channel) if self._state.channels else None
        if there is None or url is None:
            return go_to(sign_in_url("oidc" if there is None else "public_url", back))
        keep = token_urlsafe(32)
        answer = go_to(there.sign_in_url(url, _state_of(keep)))
        answer.set_cookie(
            CHANNEL_COOKIE,
            f"{keep}|{back}",
            max_age=OIDC_S,
            path=CHANNEL_PATH,
            httponly=True,
            samesite="lax",  # the way back is a link from another site
            secure=url.startswith("https:"),
        )
        return answer

    async def from_channel(self, request: Request, channel: str) -> Response:
        keep, _, back = request.cookies.get(CHANNEL_COOKIE, "").partition("|")

        async def begin() -> Begun:
            given = request.query_params
            channels = self._state.channels
            state = given.get("state", "").encode("utf-8", "replace")
            if channels is None or not keep or not compare_digest(_state_of(keep).encode(), state):
                raise _Refused("oidc")
            if channels.signs_in(channel) is None:
                raise _Refused("oidc")
            who = await channels.person_of(channel, given.get("code", "")[:500])
            if who is None:
                raise _Refused("oidc")
            return await self._sign_in.as_bound(who.user, CHANNEL, _address(request), who.tenant)

        answer = await self._begun(request, {"next": back}, begin)
        answer.delete_cookie(CHANNEL_COOKIE, path=CHANNEL_PATH)
        return answer

    def _own(self, request: Request, path: str) -> str | None:
        """Our own address as others know it; what a caller calls us is believed on loopback
        only."""
        base = self._state.public_url.rstrip("/")
        if not base:
            if (request.url.hostname or "") not in LOOPBACK:
                return None
            base = f"{request.url.scheme}://{request.url.netloc}"
        return f"{base}{path}"

    async def _begun(
        self, request: Request, form: Form, begin: Callable[[], Awaitable[Begun]], user: str = ""
    ) -> Response:
        """Do a step and go on to where it leads: the next one, a page, or the form with an error."""
        back = safe_return(form.get("next", "/"))
        try:
            begun = await begin()
        except _Refused as e:
            return go_to(sign_in_url(e.why, back, user))
        except Locked as e:
            return go_to(sign_in_url("locked", back, user, ceil(e.retry_after / 60)))
        except AccessError as e:
            return go_to(sign_in_url(e.code if e.code in ERRORS else "sign_in", back, user))
        except CallerError as e:
            self._visits.note(token_of(request), e.text)
            return go_to(sign_in_url("weak_password", back, user))
        except OverloadError:
            return go_to(sign_in_url("busy", back, user))
        except DaziError:
            return go_to(sign_in_url("unavailable", back, user))
        await self._forget_old(request, begun)
        answer = go_to(back if begun.session.complete else sign_in_url(return_to=back))
        keep_session(answer, begun, request, self._state)
        return answer

    async def _forget_old(self, request: Request, begun: Begun) -> None:
        """Whoever signs in anew in one browser is signed out of what they had there."""
        old = request.cookies.get(COOKIE)
        if old and old != begun.token:
            await self._sign_in.end(old)


class _Refused(Exception):
    """``why``: one of ``ERRORS``."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


def _turned_away(request: Request, *, demo: bool) -> str:
    """Why a form is not even looked at; empty for one that is."""
    if not same_origin(request):
        return "origin"
    # Another site's name that resolves to 127.0.0.1 (DNS rebinding) must not reach demo users.
    if demo and (request.url.hostname or "") not in LOOPBACK:
        return "loopback"
    return ""


def _require_same_origin(request: Request) -> None:
    if not same_origin(request):
        raise _Refused("origin")


def _state_of(keep: str) -> str:
    """What comes back from the vendor: whoever lacks the cookie cannot have begun it."""
    return hashlib.sha256(keep.encode("utf-8", "replace")).hexdigest()


def token_of(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def _address(request: Request) -> str:
    return request.client.host if request.client else ""


def keep_session(answer: Response, begun: Begun, request: Request, state: ConsoleState) -> None:
    """In the browser's cookie."""
    answer.set_cookie(
        COOKIE,
        begun.token,
        max_age=int(begun.session.until - begun.session.began),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https" or state.public_url.startswith("https:"),
    )


def same_origin(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "none") in ("none", "same-origin")
    return urlsplit(origin).netloc == request.headers.get("host", "")


async def read_form(request: Request) -> Form:
    """The form's fields, of which never more than ``LARGEST_FORM`` bytes are read."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > LARGEST_FORM:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    return {k: v[0] for k, v in fields.items()}


def go_to(url: str) -> RedirectResponse:
    return RedirectResponse(url, status_code=303)
