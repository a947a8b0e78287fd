"""Services with an OpenAPI document: one operation is one request, sent once."""

from __future__ import annotations

import asyncio
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from dazi.connectors.credentials import NO_CREDENTIAL, Credential, NoCredential
from dazi.connectors.failures import (
    bad_response,
    misdeclared,
    refused,
    time_left,
    timed_out,
    too_large,
    unavailable,
)
from dazi.connectors.openapi import IDEMPOTENCY_HEADER, Operation, UnsafeValueError, read_operations
from dazi.connectors.results import checked, listing
from dazi.core.errors import ConnectorError
from dazi.core.language import Text
from dazi.core.tools import Invocation, Tool
from dazi.net import Egress, Rule

MAX_BODY = 1024 * 1024
MAX_REASON = 300


@dataclass(slots=True)
class _Sent:
    """Whether a request that may change something has left."""

    value: bool = False


class HttpConnector:
    """Calls a service's declared operations.

    The base URL comes from configuration alone: the document's ``servers`` are ignored and
    redirects are not followed. ``credential`` gives the bearer token. Writes get a connection of
    their own: on a kept one that the server has just closed nobody could tell whether they
    arrived. Nothing is retried here; the client library repeats a GET, PUT or DELETE once when
    the connection breaks (RFC 9110, 9.2.2), with the same key.
    """

    def __init__(
        self, base_url: str, document: Path, credential: Credential = NO_CREDENTIAL
    ) -> None:
        """Raises ``ValueError`` for an unusable ``base_url``, ``ConfigError`` for the document."""
        self._base = _base(base_url)
        self._document = document
        self._operations = read_operations(document)
        self._credential = credential
        self._rule = Rule.to(self._base)
        self._sessions: dict[bool, Egress] = {}

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` unless ``tool`` fits an operation of the document."""
        name = str(tool.operation.get("operation", ""))
        operation = self._operations.get(name)
        if operation is None:
            zh = f"{self._document.name} 里没有 operationId {name or '(未写)'}"
            en = f"{self._document.name} has no operationId {name or '(none given)'}"
            raise misdeclared(tool, zh, en)
        given = {p.name for p in tool.parameters} | set(tool.bind)
        sure = {p.name for p in tool.parameters if p.required}
        sure |= {name for name, binding in tool.bind.items() if not binding.required_for}
        unknown, missing = given - operation.names, operation.required - sure
        if unknown or missing:
            names = ", ".join(sorted(unknown or missing))
            zh = f"参数 {names} {'不在' if unknown else '是必填的,见'} {operation.id}"
            en = f"{operation.id} {'does not take' if unknown else 'requires'} {names}"
            raise misdeclared(tool, zh, en)
        if operation.writes and tool.effect == "read":
            zh, en = f"{operation.method} 不能是 read", f"{operation.method} cannot be a read"
            raise misdeclared(tool, zh, en)

    async def execute(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        operation = self._operations.get(str(tool.operation.get("operation", "")))
        if operation is None:
            raise unavailable(tool)
        sent = _Sent()
        try:
            async with asyncio.timeout(time_left(invocation)):
                status, body = await self._request(operation, invocation, sent)
        except ConnectorError:
            raise
        except NoCredential as error:
            raise unavailable(tool) from error
        except UnsafeValueError as error:
            raise refused(tool) from error
        except TimeoutError as error:
            raise timed_out(tool, effect_possible=sent.value) from error
        except Exception as error:  # clients raise more than ClientError (bad proxies, encodings)
            raise unavailable(tool, effect_possible=sent.value) from error
        return self._answer(invocation, operation, status, body)

    async def close(self) -> None:
        for session in self._sessions.values():
            await session.close()

    async def _request(
        self, operation: Operation, invocation: Invocation, sent: _Sent
    ) -> tuple[int, bytes]:
        values = {
            name: value
            for name, value in {**invocation.arguments, **invocation.bound}.items()
            if value is not None
        }
        url = URL(self._base + operation.target(values), encoded=True)
        headers = {IDEMPOTENCY_HEADER: invocation.idempotency_key, "Accept": "application/json"}
        if invocation.trace:
            headers["traceparent"] = invocation.trace
        if token := self._credential.token(invocation.principal):
            headers["Authorization"] = f"Bearer {token}"
        async with self._session(operation.writes).request(
            operation.method,
            url,
            json=operation.body(values),
            headers=headers,
            trace_request_ctx=sent if operation.writes else _Sent(),
        ) as response:
            body = bytearray()
            async for chunk in response.content.iter_chunked(64 * 1024):
                body += chunk
                if len(body) > MAX_BODY:
                    response.close()
                    raise too_large(invocation.tool, effect_possible=operation.writes)
            return response.status, bytes(body)

    def _session(self, writes: bool) -> Egress:
        if writes not in self._sessions:
            trace = aiohttp.TraceConfig()
            trace.on_request_headers_sent.append(_mark_sent)
            self._sessions[writes] = Egress(
                self._rule,
                force_close=writes,
                headers={"Accept-Encoding": "identity"},
                auto_decompress=False,
                trace_configs=[trace],
            )
        return self._sessions[writes]

    def _answer(
        self, invocation: Invocation, operation: Operation, status: int, body: bytes
    ) -> Any:
        tool = invocation.tool
        if status == 404:
            return None
        if status in (409, 422):
            raise refused(tool, _reason(body))
        if status in (401, 403, 429):
            raise unavailable(tool)
        if status >= 500:
            raise unavailable(tool, effect_possible=operation.writes)
        if not 200 <= status < 300:
            raise bad_response(tool)
        if status == 204:
            return {}
        try:
            value = checked(invocation, _at(json.loads(body), str(tool.operation.get("path", ""))))
        except (ValueError, KeyError, IndexError, TypeError, RecursionError) as error:
            raise bad_response(tool, effect_possible=operation.writes) from error
        shape = tool.result.shape
        if shape == "one" and not isinstance(value, dict):
            raise bad_response(tool, effect_possible=operation.writes)
        if shape == "many":
            rows = value.get(tool.result.rows) if isinstance(value, dict) else value
            if not isinstance(rows, list):
                raise bad_response(tool, effect_possible=operation.writes)
            rest = value if isinstance(value, dict) else {}
            return listing(tool, rows, {k: v for k, v in rest.items() if v is not rows})
        return value


async def _mark_sent(
    session: Any,
    context: SimpleNamespace,
    parameters: aiohttp.TraceRequestHeadersSentParams,
) -> None:
    context.trace_request_ctx.value = True


def _at(value: Any, path: str) -> Any:
    """The part of an answer at a path such as ``data.items`` or ``results.0``: what is beside it
    never reaches anybody. Raises ``LookupError`` or ``TypeError`` where there is none."""
    for name in filter(None, path.split(".")):
        value = value[int(name)] if isinstance(value, list) else value[name]
    return value


def _base(url: str) -> str:
    """Port 0 stands for a service that has not been started: it is unavailable, not a mistake."""
    parsed = URL(url)
    usable = (
        parsed.scheme in ("http", "https")
        and parsed.host
        and parsed.port is not None
        and not (parsed.query_string or parsed.fragment or parsed.user)
    )
    if not usable:
        raise ValueError("not a base URL")
    return str(parsed).rstrip("/")


def _reason(body: bytes) -> Text | None:
    """The service's own words (``detail``: a text, or one in each language), made printable."""
    try:
        detail = json.loads(body)["detail"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if isinstance(detail, Mapping):
        zh, en = detail.get("zh"), detail.get("en")
    else:
        zh = en = detail
    if not (isinstance(zh, str) and isinstance(en, str)):
        return None
    return Text(_printable(zh), _printable(en))


def _printable(text: str) -> str:
    kept = "".join(c for c in text if unicodedata.category(c)[0] != "C")
    return kept[:MAX_REASON].strip()
