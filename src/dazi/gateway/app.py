"""The HTTP application over the listed routes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any

import msgspec
from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.routing import Route

from dazi.core.errors import CallerError, DaziError
from dazi.gateway.door import Door
from dazi.gateway.errors import NoRoute, WrongMethod, accepted_language, problem_of
from dazi.gateway.exchange import Exchange, Receive, Send
from dazi.gateway.mcp import McpEndpoint
from dazi.gateway.openapi import document
from dazi.gateway.route_spec import RouteSpec
from dazi.gateway.routes import ROUTES
from dazi.gateway.state import GatewayState
from dazi.gateway.widget.cross_origin import CrossOrigin


def create_app(state: GatewayState) -> FastAPI:
    """The application over ``state``. Other rooms may mount their pages on it."""
    app = FastAPI(
        title="Dazi",
        version=_version(),
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
    )

    @cache
    def schema() -> bytes:
        return msgspec.json.encode(document(ROUTES, app.version))

    async def openapi(x: Exchange) -> None:
        await x.reply(schema())

    gate = state.gate
    listing = RouteSpec("GET", "/openapi.json", openapi, "")
    specs = (*ROUTES, listing)
    doors = {
        spec: Door(
            state,
            spec.handler,
            gate if spec.turns else None,
            spec.entry,
            spec.takes_file,
            spec.path,
        )
        for spec in specs
    }
    app.state.gate = gate
    app.state.doors = {(s.method, s.path): door for s, door in doors.items() if "{" not in s.path}
    routes = [
        Route(
            spec.path,
            CrossOrigin(state, doors[spec]) if spec.cross_origin else doors[spec],
            methods=[spec.method, *(["OPTIONS"] if spec.cross_origin else [])],
            name=spec.handler.__name__,
        )
        for spec in specs
    ]
    if state.widget is not None:
        state.widget.gate = gate

    # A language model's client speaks JSON-RPC here, and has a document of its own for it.
    routes.append(Route("/mcp", McpEndpoint(state, gate), methods=["GET", "POST", "DELETE"]))

    async def nothing_here(x: Exchange) -> None:
        raise _missing(f"/v1/{x.path['rest']}", routes)

    # Ours to answer, also where pages of another room take every path that nobody else does.
    routes.append(
        Route("/v1/{rest:path}", Door(state, nothing_here, route="(unknown)"), name="nothing_here")
    )
    app.router.routes += routes
    app.add_exception_handler(HTTPException, _no_route)
    return app


class StraightIn:
    """Takes a request for a plain path straight to its door, and all others through ``app``.

    Middleware and the search through a page's routes would cost more than answering does.
    """

    def __init__(self, app: FastAPI) -> None:
        self._app = app
        self._doors: Mapping[tuple[str, str], Door] = app.state.doors

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            door = self._doors.get((scope["method"], scope["path"]))
            if door is not None:
                await door(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _missing(path: str, routes: Sequence[Route]) -> DaziError:
    found = [r.methods or set() for r in routes[:-1] if r.path_regex.match(path)]
    return WrongMethod(path, ", ".join(sorted(set().union(*found)))) if found else NoRoute(path)


async def _no_route(request: Request, exc: Exception) -> Response:
    """What the router says when it finds nothing."""
    assert isinstance(exc, HTTPException)
    path = request.url.path
    error: DaziError
    match exc.status_code:
        case 404:
            error = NoRoute(path)
        case 405:
            error = WrongMethod(path, (exc.headers or {}).get("Allow", ""))
        case _:
            error = CallerError("http", str(exc.detail), str(exc.detail))
    language = accepted_language(request.headers.get("accept-language", "")) or "zh"
    return Response(
        problem_of(error, language),
        exc.status_code,
        exc.headers,
        "application/json; charset=utf-8",
    )


def _version() -> str:
    try:
        return version("dazi")
    except PackageNotFoundError:
        return "0"
