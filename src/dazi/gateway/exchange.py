"""One request being answered: who asks, what was sent, and how an answer goes out."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs

from dazi.access.keyring import Grant
from dazi.access.sessions import Session
from dazi.access.visitors import Visitor
from dazi.core.language import Language, language_of
from dazi.core.principal import Principal
from dazi.gateway.errors import BadField
from dazi.gateway.state import GatewayState
from dazi.memory.export import attachment
from dazi.observe.observer import LEFT

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]

REQUEST_ID = b"x-request-id"
TRACE = b"traceparent"
_TRACE = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_GIVEN_ID = re.compile(rb"[A-Za-z0-9._:-]{1,64}")
_ALWAYS: tuple[Header, ...] = ((b"x-content-type-options", b"nosniff"),)
JSON: Header = (b"content-type", b"application/json; charset=utf-8")
GENERATED: Header = (b"x-content-generator", b"AI")
"""The metadata label of generated content; ``dazi.generated_by`` says it in the body."""
_EVENTS: tuple[Header, ...] = (
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)


MOST_PARAMETERS = 250
WATCHED_AFTER_S = 0.05
"""A caller's leaving is looked for from then on."""


class ClientGone(Exception):
    """Nobody is listening any more."""


@dataclass(slots=True)
class Exchange:
    """``language`` is what the caller asked to be answered in, if they did; ``started`` tells that
    the status line is out; ``repeatable`` turns false once a turn has begun, because asking the
    same again could then do something twice; ``said``: the person's message, once it is read."""

    state: GatewayState
    principal: Principal
    language: Language | None
    headers: Mapping[bytes, bytes]
    path: Mapping[str, Any]
    receive: Receive
    send: Send
    body: bytes = b""
    started: bool = False
    status: int = LEFT
    """What the answer's status line says, once it is out."""
    streams: bool = False
    """Events are going out."""
    repeatable: bool = True
    said: str = ""
    request: bytes = b""
    """The id of the request: the caller's own, if it is one, or ours."""
    trace: str = ""
    """W3C ``traceparent`` for what we ask of others: the caller's trace, and a span of ours."""
    parent: str = ""
    """The caller's own, where it is one."""
    address: str = ""
    grant: Grant | None = None
    """How the caller's key is narrowed, if it is one of an account."""
    token: str = field(default="", repr=False)
    """Of the caller's session, if they came by one."""
    session: Session | None = None
    """That session, once no step of signing in is left."""
    visitor: Visitor | None = None
    """Of one of the company's sites, if they are one."""
    asked: bytes = b""
    """What stands behind the question mark of the address."""
    _watch: asyncio.Task[None] | None = field(default=None, init=False)
    _ahead: list[MutableMapping[str, Any]] = field(default_factory=list, init=False)
    """What of a body came while we looked whether the caller is still there."""

    @property
    def only(self) -> frozenset[str]:
        """The tools that the key is for; all where there are none."""
        return self.grant.tools if self.grant else frozenset()

    @property
    def origin(self) -> dict[str, str]:
        """Where it came from, for the ledger."""
        told = {"request": self.request.decode(), "address": self.address, "key": self.key}
        return told | {"trace": self.trace} if self.trace else told

    @property
    def spoken(self) -> Language:
        """The language to answer in: the one asked for, else that of what was said."""
        return self.language or (language_of(self.said) if self.said else "zh")

    @property
    def key(self) -> str:
        """Tells the caller's API key or session apart from others, and is neither."""
        given = self.header(b"x-api-key") or self.header(b"authorization").partition(" ")[2]
        return hashlib.sha256(given.strip().encode()).hexdigest()[:16]

    def header(self, name: bytes) -> str:
        return self.headers.get(name, b"").decode("latin-1").strip()

    @property
    def query(self) -> dict[str, list[str]]:
        """Parameters of the address. Raises ``BadField`` for too many."""
        try:
            text = self.asked.decode("latin-1")
            return parse_qs(text, keep_blank_values=True, max_num_fields=MOST_PARAMETERS)
        except ValueError:
            raise BadField("query", "参数太多", "there are too many parameters") from None

    def text(self, name: str) -> str:
        """The last of that name, empty where there is none."""
        return self.query.get(name, [""])[-1]

    def flag(self, name: str) -> bool:
        """Raises ``BadField``."""
        value = self.text(name)
        if value not in ("", "true", "false"):
            raise BadField(name, "应为 true 或 false", "must be true or false")
        return value == "true"

    def number(self, name: str, default: int, *, least: int = 0, most: int = 1_000_000) -> int:
        """Raises ``BadField``."""
        value = self.text(name)
        if not value:
            return default
        if not (value.isascii() and value.isdigit() and least <= int(value[:9]) <= most):
            raise BadField(name, f"应为 {least} 到 {most} 的整数", f"must be {least} to {most}")
        return int(value)

    def know(self, scope: Mapping[str, Any]) -> None:
        """Take from the connection what the request itself does not say."""
        given = self.headers.get(REQUEST_ID, b"")
        self.request = given if _GIVEN_ID.fullmatch(given) else token_hex(12).encode()
        parent = self.headers.get(TRACE)
        if parent is not None and _TRACE.fullmatch(parent):
            self.parent = parent.decode()
            self.trace = f"{self.parent[:36]}{token_hex(8)}{self.parent[52:]}"
        self.asked = scope.get("query_string", b"")
        client = scope.get("client")
        self.address = str(client[0]) if client else ""

    async def take(self) -> MutableMapping[str, Any]:
        """The next message of the connection."""
        return self._ahead.pop(0) if self._ahead else await self.receive()

    async def reply(self, body: bytes, *extra: Header, status: int = 200) -> None:
        """A whole JSON answer."""
        await self._start(status, JSON, (b"content-length", str(len(body)).encode()), *extra)
        await self._end(body)

    async def plain(self, body: bytes, content_type: str) -> None:
        """A whole answer that is no JSON."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(200, (b"content-type", content_type.encode()), length)
        await self._end(body)

    async def file(self, body: bytes, content_type: str, name: str, *extra: Header) -> None:
        """A whole answer that a browser saves under ``name``."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(200, *_saved_as(content_type, name), length, *extra)
        await self._end(body)

    async def whole(self, body: bytes, content_type: str, *extra: Header) -> None:
        """A whole answer of another kind than JSON, for a page to use."""
        length = (b"content-length", str(len(body)).encode())
        await self._start(200, (b"content-type", content_type.encode()), length, *extra)
        await self._end(body)

    async def nothing_new(self, *extra: Header) -> None:
        """What the caller has is as good as ever."""
        await self._start(304, *extra)
        await self._end(b"")

    async def begin_file(self, content_type: str, name: str, *extra: Header) -> None:
        """As ``file``, in pieces: ``piece`` for each, and ``end_file``."""
        await self._start(200, *_saved_as(content_type, name), *extra)

    async def piece(self, data: bytes) -> None:
        await self.event(data)

    async def end_file(self) -> None:
        await self._end(b"")

    async def begin_events(self, *extra: Header) -> None:
        self.streams = True
        await self._start(200, *_EVENTS, *extra)

    async def event(self, data: bytes) -> None:
        await self.send({"type": "http.response.body", "body": data, "more_body": True})

    async def end_events(self) -> None:
        self.streams = False
        await self._end(b"")

    async def _start(self, status: int, *headers: Header) -> None:
        self.started, self.status = True, status
        sent = [*headers, *_ALWAYS, (REQUEST_ID, self.request)]
        await self.send({"type": "http.response.start", "status": status, "headers": sent})

    async def _end(self, data: bytes) -> None:
        if self._watch is not None:
            # The server reports "disconnected" once an answer is complete: that is no leaving.
            self._watch.cancel()
        await self.send({"type": "http.response.body", "body": data, "more_body": False})

    @contextmanager
    def until_gone(self) -> Iterator[None]:
        """Cancels what runs inside when the client leaves; then raises ``ClientGone``."""
        task = asyncio.current_task()
        assert task is not None
        gone = False

        async def watch() -> None:
            nonlocal gone
            while (message := await self.receive())["type"] != "http.disconnect":
                self._ahead.append(message)
                if message.get("more_body"):
                    return  # a long body stays with its sender until it is wanted
            gone = True
            task.cancel()

        def begin() -> None:
            self._watch = loop.create_task(watch())

        # What is over sooner costs no task of its own.
        loop = asyncio.get_running_loop()
        later = loop.call_later(WATCHED_AFTER_S, begin)
        try:
            yield
        except asyncio.CancelledError:
            if gone and task.uncancel() == 0:
                raise ClientGone from None
            raise
        finally:
            later.cancel()
            if self._watch is not None:
                self._watch.cancel()


def _saved_as(content_type: str, name: str) -> tuple[Header, ...]:
    return (
        (b"content-type", content_type.encode()),
        (b"content-disposition", attachment(name).encode()),
        (b"cache-control", b"private, no-store"),
    )
