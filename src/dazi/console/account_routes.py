"""Changing one's own password and setting up a second factor: plain forms, for the session goes on
under a new token, and only an HTTP answer sets a cookie."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from fastapi import FastAPI, Request
from fastapi.responses import Response

from dazi.access.sessions import Begun
from dazi.console.sign_in import go_to, keep_session, read_form, same_origin, token_of
from dazi.console.state import ConsoleState
from dazi.console.visits import Visits
from dazi.core.errors import DaziError
from dazi.core.language import Text

PATH = "/account"
PASSWORD = "/account/password"
CODE = "/account/code"
DIFFERENT = Text("两次输入的新密码不一样。", "The two new passwords differ.")


def add_routes(app: FastAPI, state: ConsoleState, visits: Visits) -> None:
    """What was wrong is told by the page, once, to the session that it happened to."""
    sign_in = state.access.sign_in

    async def done(
        request: Request, tab: str, act: Callable[[], Awaitable[Begun]], told: str
    ) -> Response:
        token = token_of(request)
        if not same_origin(request) or await visits.of(request) is None:
            return Response(status_code=403)
        # The tab that asked is on its way here: the end of its session must not send it elsewhere.
        visits.forget(tab)
        try:
            begun = await act()
        except DaziError as e:
            visits.note(token, e.text)
            return go_to(f"{PATH}?done=no")
        answer = go_to(f"{PATH}?done={told}")
        keep_session(answer, begun, request, state)
        return answer

    async def password(request: Request) -> Response:
        form, token = await read_form(request), token_of(request)
        if form.get("password", "") != form.get("again", ""):
            visits.note(token, DIFFERENT)
            return go_to(f"{PATH}?done=no")
        old, new = form.get("old", ""), form.get("password", "")
        tab = form.get("tab", "")
        return await done(
            request, tab, lambda: sign_in.change_password(token, old, new), "password"
        )

    async def code(request: Request) -> Response:
        form, token = await read_form(request), token_of(request)
        given = form.get("code", "")[:100]
        tab = form.get("tab", "")
        return await done(request, tab, lambda: sign_in.confirm_factor(token, given), "factor")

    for path, handler in ((PASSWORD, password), (CODE, code)):
        app.add_api_route(
            path, handler, methods=["POST"], include_in_schema=False, response_model=None
        )
