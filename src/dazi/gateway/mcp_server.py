"""The governed tools as an MCP server (streamable HTTP), each caller with their own rights.

What a client's model proposes goes the way of every proposal: schema, policy, approval, audit. A
call that needs a person's agreement answers with a ticket; ``dazi_outcome`` tells what became of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from typing import Any

import mcp.types as wire
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from dazi.agent.again import needs_results
from dazi.core.errors import DaziError
from dazi.core.language import Language
from dazi.core.tools import Tool
from dazi.core.turn import CallRecord
from dazi.gateway.exchange import Receive, Send
from dazi.gateway.gate import Gate
from dazi.gateway.mcp import CALLER, Caller
from dazi.gateway.state import GatewayState
from dazi.router.view import model_view

OUTCOME = "dazi_outcome"
_OUTCOME_SCHEMA = {
    "type": "object",
    "properties": {"ticket": {"type": "string", "description": "the ticket of the call"}},
    "required": ["ticket"],
}


class GovernedServer:
    """The protocol's side: lists tools and takes calls. Its tasks live for as long as the process."""

    def __init__(self, state: GatewayState, gate: Gate) -> None:
        self._state = state
        self._gate = gate
        server: Server[Any] = Server(
            "dazi",
            title=state.company.name("en"),
            on_list_tools=self._list,
            on_call_tool=self._call,
        )
        self._manager = StreamableHTTPSessionManager(
            app=server,
            json_response=True,
            stateless=True,
            max_request_body_size=state.limits.max_body_bytes,
        )
        self._running: asyncio.Task[None] | None = None
        self._ready = asyncio.Event()

    async def handle(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if self._running is None or self._running.done():
            self._ready = asyncio.Event()
            self._running = asyncio.create_task(self._run(self._ready))
        await self._ready.wait()
        await self._manager.handle_request(scope, receive, send)

    async def _run(self, ready: asyncio.Event) -> None:
        with suppress(asyncio.CancelledError):
            async with self._manager.run():
                ready.set()
                await asyncio.Event().wait()

    async def _list(
        self, context: ServerRequestContext[Any], _: wire.PaginatedRequestParams | None
    ) -> wire.ListToolsResult:
        caller = _caller(context)
        theirs = self._state.service.tools_for(caller.principal)
        tools = [
            _described(t, caller.language)
            for t in theirs
            if not needs_results(t) and (not caller.only or t.name in caller.only)
        ]
        tools.append(
            wire.Tool(
                name=OUTCOME,
                description="What became of a call that waited for a person, by its ticket",
                input_schema=_OUTCOME_SCHEMA,
                annotations=wire.ToolAnnotations(read_only_hint=True),
            )
        )
        return wire.ListToolsResult(tools=tools)

    async def _call(
        self, context: ServerRequestContext[Any], params: wire.CallToolRequestParams
    ) -> wire.CallToolResult:
        caller = _caller(context)
        try:
            async with self._gate.place(caller.principal.tenant):
                if params.name == OUTCOME:
                    return await self._outcome(caller, params.arguments or {})
                record = await self._state.service.call(
                    caller.principal,
                    params.name,
                    json.dumps(params.arguments or {}, ensure_ascii=False),
                    caller.language,
                    only=caller.only,
                )
        except DaziError as e:
            return _result({"outcome": e.code, "message": e.message(caller.language)}, error=True)
        return self._answer(record)

    async def _outcome(self, caller: Caller, arguments: Mapping[str, Any]) -> wire.CallToolResult:
        ticket = str(arguments.get("ticket", ""))
        body = await self._state.service.ticket_state(caller.principal, ticket)
        return _result(body)

    def _answer(self, record: CallRecord) -> wire.CallToolResult:
        tool = self._state.company.tools.get(record.name)
        body: dict[str, Any] = {"outcome": record.outcome}
        if record.outcome == "ok" and tool is not None:
            body["result"] = model_view(tool, record.result, concise=False)
        else:
            body["message"] = record.hint or record.message
        if record.ticket:
            body["ticket"] = record.ticket
        return _result(body, error=record.outcome not in ("ok", "not_found", "needs_confirmation"))


def _caller(context: ServerRequestContext[Any]) -> Caller:
    found: Caller = context.request.scope[CALLER]  # type: ignore[union-attr]
    return found


def _described(tool: Tool, language: Language) -> wire.Tool:
    reads = tool.effect == "read"
    return wire.Tool(
        name=tool.name,
        description=tool.description(language),
        input_schema=tool.schema(language),
        annotations=wire.ToolAnnotations(
            read_only_hint=reads, destructive_hint=tool.effect == "sensitive"
        ),
    )


def _result(body: Mapping[str, Any], *, error: bool = False) -> wire.CallToolResult:
    text = json.dumps(body, ensure_ascii=False, default=str)
    return wire.CallToolResult(
        content=[wire.TextContent(text=text)],
        structured_content=json.loads(text),
        is_error=error,
    )
