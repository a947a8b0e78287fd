"""The way into every route: key, room, body, then the handler; errors become answers here.

In this order, so that a caller without a key costs a hash and nothing more: no byte of a body is
read for them.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any, Literal

from dazi.access.keys import PREFIX
from dazi.access.sessions import PREFIX as SESSION_PREFIX
from dazi.access.users import LOOPBACK
from dazi.access.watch import Handle
from dazi.core.errors import AccessError, DaziError, NotFound
from dazi.core.principal import Principal
from dazi.gateway.errors import (
    BodyTimeout,
    TooLarge,
    accepted_language,
    headers_of,
    problem_of,
    status_of,
    unexpected,
)
from dazi.gateway.exchange import ClientGone, Exchange, Receive, Send
from dazi.gateway.gate import Gate
from dazi.gateway.state import GatewayState
from dazi.observe import genai
from dazi.observe.logs import REQUEST, TRACE
from dazi.observe.observer import LEFT

Handler = Callable[[Exchange], Awaitable[None]]
Entry = Literal["public", "key", "session", "step", "visitor"]
"""Who is let in: anybody; a key's or a session's holder; a session's only; one that has steps of
signing in to do, too; a visitor of one of the company's sites only."""

LONGEST_KEY = 512
NOBODY = Principal("", frozenset())
_NO_RETRY = (b"x-should-retry", b"false")
"""OpenAI's clients repeat a request after 409, 429 and 5xx unless this header says no."""

log = logging.getLogger("dazi.gateway")


@dataclass(frozen=True, slots=True)
class Door:
    """An ASGI endpoint. ``gate`` is for routes that run turns."""

    state: GatewayState
    handler: Handler
    gate: Gate | None = None
    entry: Entry = "key"
    takes_file: bool = False
    """The handler takes the body in as it comes."""
    route: str = ""
    """As it is declared, for whoever counts."""

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        headers = dict(scope["headers"])
        path = scope.get("path_params", {})
        x = Exchange(self.state, NOBODY, None, headers, path, receive, send)
        x.know(scope)
        observer = self.state.observer
        span = observer.tracer.begin(self.route, x.parent, "server")
        if span.context != x.parent:
            x.trace = span.context
        REQUEST.set(x.request.decode())
        TRACE.set(x.trace)
        x.language = accepted_language(x.header(b"accept-language"))
        try:
            if self.entry == "visitor":
                admit_visitor(x)
            elif self.entry != "public":
                await admit(x, scope["headers"], self.entry)
            if self.gate is None:
                await self._handle(scope, x)
            else:
                async with standing(x), self.gate.place(x.principal.tenant, x.until_gone):
                    await self._handle(scope, x)
        except ClientGone:
            x.status = LEFT
            log.info("client left %s", self.route)
        except DaziError as e:
            observer.refused(e)
            await refuse(x, e)
        except Exception:
            log.exception("%s %s failed", scope["method"], self.route)
            observer.failed()
            await refuse(x, unexpected())
        finally:
            took = time.perf_counter() - began
            observer.answered(self.route, scope["method"], x.status, took)
            if log.isEnabledFor(logging.INFO):
                log.info("%s %s %d %.1f ms", scope["method"], self.route, x.status, took * 1000)
            if span:
                span.attributes |= {
                    genai.METHOD: scope["method"],
                    genai.ROUTE: self.route,
                    genai.STATUS: x.status,
                }
                span.end("" if x.status < LEFT else str(x.status))

    async def _handle(self, scope: Mapping[str, Any], x: Exchange) -> None:
        if scope["method"] not in ("GET", "HEAD") and not self.takes_file:
            x.body = await read_body(x)
        await self.handler(x)


async def admit(
    x: Exchange, headers: list[tuple[bytes, bytes]], entry: Entry = "key", channel: str = "api"
) -> None:
    """Fill in who asks. Raises ``AccessError``, and ``OperatorError`` where nobody can say whether
    a key or a session still stands."""
    _authenticate(x, headers, channel)
    if x.token or entry in ("session", "step"):
        await _by_session(x, entry, channel)


def admit_visitor(x: Exchange) -> None:
    """Fill in who asks, by the token that their page was given. Raises ``NotFound`` where there is no
    such site, and ``AccessError``."""
    widget = x.state.widget
    if widget is None:
        raise NotFound("site", "没有这个网站", "no such site")
    site = widget.site(str(x.path["site"]))
    scheme, _, token = x.header(b"authorization").partition(" ")
    if scheme.lower() != "bearer":
        raise _unauthenticated("需要访客令牌:先 begin", "a visitor's token is needed: begin first")
    x.visitor = widget.visitors.by_token(site, token.strip())
    x.principal = x.visitor.principal


def _authenticate(x: Exchange, headers: list[tuple[bytes, bytes]], channel: str) -> None:
    """Who the key in ``headers`` belongs to. Every header that can carry a key has the same scope,
    and two that differ are refused. A session's token is only noted."""
    state = x.state
    given: set[bytes] = set()
    for name, value in headers:
        if name == b"authorization":
            scheme, _, key = value.strip().partition(b" ")
            given.add(key.strip() if scheme.lower() == b"bearer" else b"")
        elif name == b"x-api-key":
            given.add(value.strip())
    if not given:
        raise _unauthenticated(
            "需要密钥:请在 Authorization: Bearer KEY 或 X-API-Key 里给出",
            "a key is needed: give it in Authorization: Bearer KEY or in X-API-Key",
        )
    if len(given) > 1:
        raise _unauthenticated(
            "Authorization 和 X-API-Key 里的密钥不一致,请只给一个",
            "Authorization and X-API-Key carry different keys; give one",
        )
    key = given.pop()
    principal = None
    if 0 < len(key) <= LONGEST_KEY:
        text = key.decode("latin-1")
        if state.access is not None and text.startswith(SESSION_PREFIX):
            x.token = text
            return
        if state.access is not None and text.startswith(f"{PREFIX}_"):
            x.grant = state.access.keyring.grant(text, channel, x.address)
            principal = x.grant.principal if x.grant else None
        else:
            principal = state.directory.by_key(text, channel)
            if principal is not None and not called_by_loopback_name(x):
                raise _unauthenticated(
                    "演示密钥只能通过本机地址(如 http://127.0.0.1)使用",
                    "demo keys work through a loopback address only (such as http://127.0.0.1)",
                )
    if principal is None:
        raise _unauthenticated("密钥不对,请检查", "this key is not known; check it")
    x.principal = principal


def called_by_loopback_name(x: Exchange) -> bool:
    """Another site's name that resolves to 127.0.0.1 (DNS rebinding) must not reach demo users."""
    host = x.header(b"host")
    return (host if host.endswith("]") else host.rpartition(":")[0] or host).strip("[]") in LOOPBACK


async def _by_session(x: Exchange, entry: Entry, channel: str) -> None:
    """Whose session it is. Raises ``AccessError`` for one that is over, that has steps left where
    those will not do, and for a key where a person must have signed in."""
    access = x.state.access
    if not x.token or access is None:
        raise AccessError(
            "session_needed",
            "这件事要登录后做,不能用密钥:先 POST /v1/dazi/sign-in",
            "this needs a person who has signed in, not a key: POST /v1/dazi/sign-in first",
        )
    found = await access.sign_in.principal(x.token, channel)
    if found is not None:
        x.principal, x.session = found
        return
    session = await access.sessions.find(x.token)
    if session is None or session.complete:
        raise _unauthenticated("登录已过期,请重新登录", "the sign-in has expired; sign in again")
    if entry != "step":
        left = ", ".join(session.remaining)
        raise AccessError(
            "sign_in_steps",
            f"登录还差:{left}",
            f"signing in is not done; what remains: {left}",
        )


@asynccontextmanager
async def standing(x: Exchange) -> AsyncIterator[None]:
    """What is answered to a key of an account, or in a session, ends when those do, or the rights they
    rest on."""
    access = x.state.access
    if access is None or (x.grant is None and x.session is None):
        yield
        return
    task = asyncio.current_task()
    assert task is not None
    ended = False

    def end(_: str) -> None:
        nonlocal ended
        ended = True
        task.cancel()

    if x.grant is not None:
        handle = Handle(x.grant.principal, key=x.grant.key, until=x.grant.until)
    else:
        assert x.session is not None
        handle = Handle(x.principal, session=x.session.id, until=x.session.until)
    async with access.watch.hold(handle, end):
        try:
            yield
        except asyncio.CancelledError:
            if ended and task.uncancel() == 0:
                raise _unauthenticated(
                    "密钥或登录已失效,回答到此为止",
                    "the key or the sign-in is no longer valid; the answer ends here",
                ) from None
            raise


def _unauthenticated(zh: str, en: str) -> AccessError:
    return AccessError("unauthenticated", zh, en)


async def read_body(x: Exchange) -> bytes:
    """The body, of which never more than the limit is held. Raises ``TooLarge``."""
    limits = x.state.limits
    declared = x.headers.get(b"content-length", b"")
    if declared.isdigit() and int(declared) > limits.max_body_bytes:
        raise TooLarge(limits.max_body_bytes)
    parts: list[bytes] = []
    size = 0
    with time_limit(limits.body_seconds):
        while True:
            message = await x.take()
            if message["type"] == "http.disconnect":
                raise ClientGone
            part = message.get("body", b"")
            size += len(part)
            if size > limits.max_body_bytes:
                raise TooLarge(limits.max_body_bytes)
            parts.append(part)
            if not message.get("more_body", False):
                return parts[0] if len(parts) == 1 else b"".join(parts)


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """As ``asyncio.timeout``, for a wait that is nearly always over at once: a fifth of its cost.
    Raises ``BodyTimeout``."""
    task = asyncio.current_task()
    assert task is not None
    late = False

    def end() -> None:
        nonlocal late
        late = True
        task.cancel()

    timer = asyncio.get_running_loop().call_later(seconds, end)
    try:
        yield
    except asyncio.CancelledError:
        if late and task.uncancel() == 0:
            raise BodyTimeout(seconds) from None
        raise
    finally:
        timer.cancel()


async def refuse(x: Exchange, error: DaziError) -> None:
    """Answer with an error; where events are going out, as the last of them."""
    if x.streams:
        await x.event(b"data: " + problem_of(error, x.spoken) + b"\n\n")
        await x.end_events()
    if x.started:
        return
    extra = headers_of(error)
    if not x.repeatable:
        extra.append(_NO_RETRY)
    body = problem_of(error, x.spoken)
    await x.reply(body, *extra, status=status_of(error))
