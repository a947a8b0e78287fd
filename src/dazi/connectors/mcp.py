"""Tools of MCP servers, started here (stdio) or reached by URL (streamable HTTP).

What the model is told of a tool stands in the company's own declaration, and nothing that a server
says of itself reaches it. The server's description and schema are pinned all the same: a tool that
has changed since somebody looked at it refuses until it is looked at again.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import os
import sys
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any, cast

import mcp
import mcp.types as wire
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from dazi.connectors.credentials import NO_CREDENTIAL, Credential
from dazi.connectors.failures import (
    bad_response,
    misdeclared,
    refused,
    time_left,
    timed_out,
    unavailable,
)
from dazi.connectors.mcp_egress import governed_client
from dazi.connectors.results import checked, listing
from dazi.core.errors import ConnectorError
from dazi.core.language import Text
from dazi.core.tools import Invocation, Tool
from dazi.net import Rule

LOOK_AGAIN_S = 60.0
"""How long a look at the server's tools counts."""
CONNECT_S = 20.0
MAX_REASON = 300
MAX_PAGES = 50
KEY_META = "dazi/idempotency-key"
REFUSALS = frozenset({wire.INVALID_REQUEST, wire.METHOD_NOT_FOUND, wire.INVALID_PARAMS})
"""The server looked at the request and said no to its form: nothing was done."""

log = logging.getLogger("dazi.connectors")


@dataclass(frozen=True, slots=True)
class McpServer:
    """``command`` starts one (``python`` is the one that runs Dazi); else ``url``. ``env``:
    variables handed to it by name; of this process's environment it sees no others."""

    command: tuple[str, ...] = ()
    cwd: str = ""
    env: tuple[str, ...] = ()
    url: str = ""
    credential: Credential = NO_CREDENTIAL


def pin_of(tool: wire.Tool) -> str:
    """What is pinned: name, description and schemas, in one canonical form."""
    seen = [tool.name, tool.description or "", tool.input_schema, tool.output_schema]
    text = json.dumps(seen, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


class McpConnector:
    def __init__(self, server: McpServer) -> None:
        self._server = server
        self._client: mcp.Client | None = None
        self._holder: asyncio.Task[None] | None = None
        self._leave = asyncio.Event()
        self._connecting = asyncio.Lock()
        self._pins: dict[str, str] = {}
        self._looked = float("-inf")

    def check(self, tool: Tool) -> None:
        """Raise ``ConfigError`` unless the declaration is whole; the server is not asked."""
        if not isinstance(tool.operation.get("tool"), str) or not tool.operation["tool"]:
            zh, en = "缺少 tool: 服务器上的工具名", "lacks tool: the name on the server"
            raise misdeclared(tool, zh, en)
        if not isinstance(tool.operation.get("pin"), str) or not tool.operation["pin"]:
            zh = "缺少 pin;用 dazi tool import mcp 生成"
            raise misdeclared(tool, zh, "lacks its pin; dazi tool import mcp makes it")

    async def execute(self, invocation: Invocation) -> Any:
        tool = invocation.tool
        sent = False
        try:
            async with asyncio.timeout(time_left(invocation)):
                client = await self._connected()
                await self._check_pin(client, tool)
                sent = True
                answer = await client.call_tool(
                    str(tool.operation["tool"]),
                    _arguments(invocation),
                    meta=cast("Any", {KEY_META: invocation.idempotency_key}),
                )
        except ConnectorError:
            raise
        except TimeoutError as e:
            await self._drop()
            raise timed_out(tool, effect_possible=sent) from e
        except mcp.MCPError as e:
            if e.error.code in REFUSALS:
                raise refused(tool, _reason(e.error.message)) from e
            await self._drop()
            raise unavailable(tool, effect_possible=sent) from e
        except Exception as e:  # transports raise whatever their libraries do
            await self._drop()
            raise unavailable(tool, effect_possible=sent) from e
        return self._answer(invocation, answer)

    async def tools(self) -> list[wire.Tool]:
        """What the server offers now."""
        async with asyncio.timeout(CONNECT_S):
            client = await self._connected()
            return await self._list(client)

    async def close(self) -> None:
        await self._drop()

    # --- the connection ------------------------------------------------------------------------

    async def _connected(self) -> mcp.Client:
        async with self._connecting:
            if self._client is None:
                ready: asyncio.Future[mcp.Client] = asyncio.get_running_loop().create_future()
                # Whoever waited may have gone by the time it fails.
                ready.add_done_callback(lambda f: None if f.cancelled() else f.exception())
                self._leave = asyncio.Event()
                self._holder = asyncio.create_task(self._hold(ready, self._leave))
                try:
                    async with asyncio.timeout(CONNECT_S):
                        self._client = await asyncio.shield(ready)
                except BaseException:
                    await self._drop()
                    raise
            return self._client

    async def _hold(self, ready: asyncio.Future[mcp.Client], leave: asyncio.Event) -> None:
        """Opens and closes the connection in one task, as the library's scopes want it."""
        try:
            async with AsyncExitStack() as stack:
                transport = await self._transport(stack)
                client = await stack.enter_async_context(mcp.Client(transport, cache=None))
                ready.set_result(client)
                await leave.wait()
        except Exception as e:
            if not ready.done():
                ready.set_exception(e)
            else:
                log.warning("the connection to an MCP server broke: %s", e)
        finally:
            # One that ends late must not take its successor's place.
            if self._holder in (None, asyncio.current_task()):
                self._client = None
                self._looked = float("-inf")

    async def _transport(self, stack: AsyncExitStack) -> Any:
        server = self._server
        if server.command:
            env = {name: os.environ[name] for name in server.env if name in os.environ}
            program, *rest = server.command
            parameters = StdioServerParameters(
                command=sys.executable if program == "python" else program,
                args=rest,
                env=env,
                cwd=server.cwd or None,
            )
            return stdio_client(parameters)
        client = governed_client(Rule.to(server.url), server.credential)
        await stack.enter_async_context(client)
        return streamable_http_client(server.url, http_client=client)

    async def _drop(self) -> None:
        holder, self._holder, self._client = self._holder, None, None
        if holder is None:
            return
        self._leave.set()
        done, _ = await asyncio.wait({holder}, timeout=5)
        if not done:
            holder.cancel()
            with suppress(BaseException):
                await holder

    # --- what it offers ------------------------------------------------------------------------

    async def _check_pin(self, client: mcp.Client, tool: Tool) -> None:
        if time.monotonic() - self._looked > LOOK_AGAIN_S:
            self._pins = {t.name: pin_of(t) for t in await self._list(client)}
            self._looked = time.monotonic()
        name = str(tool.operation["tool"])
        if self._pins.get(name) != tool.operation["pin"]:
            gone = name not in self._pins
            log.error(
                "MCP tool %s %s", name, "is gone" if gone else "has changed since it was pinned"
            )
            raise ConnectorError(
                "refused",
                f"{tool.system.zh}的工具 {name} {'已经没有了' if gone else '变了'},核对之前不再使用;"
                "请管理员重新导入(dazi tool import mcp)",
                f"The tool {name} of {tool.system.en} {'is gone' if gone else 'has changed'} and is "
                "not used until somebody has looked at it (dazi tool import mcp)",
            )

    async def _list(self, client: mcp.Client) -> list[wire.Tool]:
        out: list[wire.Tool] = []
        cursor: str | None = None
        for _ in range(MAX_PAGES):
            page = await client.list_tools(cursor=cursor)
            out += page.tools
            cursor = page.next_cursor
            if cursor is None:
                break
        return out

    # --- answers -------------------------------------------------------------------------------

    def _answer(self, invocation: Invocation, answer: wire.CallToolResult) -> Any:
        tool = invocation.tool
        acted = tool.effect != "read"
        if answer.is_error:
            # The protocol does not say how far a tool came before it failed.
            raise refused(tool, _reason(_text(answer)), effect_possible=acted)
        value: Any = answer.structured_content
        if value is None:
            text = _text(answer)
            try:
                value = json.loads(text)
            except (ValueError, RecursionError):
                value = {"text": text} if text else None
        if value is None:
            return None if tool.effect == "read" else {}
        value = checked(invocation, value)
        match tool.result.shape:
            case "many":
                rows = value.get(tool.result.rows) if isinstance(value, dict) else value
                if not isinstance(rows, list):
                    raise bad_response(tool, effect_possible=acted)
                return listing(tool, rows)
            case "one" if not isinstance(value, dict):
                raise bad_response(tool, effect_possible=acted)
        return value


def _arguments(invocation: Invocation) -> dict[str, Any]:
    given: Mapping[str, Any] = {**invocation.arguments, **invocation.bound}
    return {name: value for name, value in given.items() if value is not None}


def _text(answer: wire.CallToolResult) -> str:
    return "\n".join(part.text for part in answer.content if isinstance(part, wire.TextContent))


def _reason(text: str) -> Text | None:
    shown = "".join(c for c in text if c.isprintable())[:MAX_REASON].strip()
    return Text(shown, shown) if shown else None
