"""MCP servers as systems: one that this project did not write, and one that misbehaves."""

from __future__ import annotations

import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import yaml
from aiohttp import web
from aiohttp.test_utils import TestServer

from dazi.connectors.credentials import Credential
from dazi.connectors.mcp import McpConnector, McpServer, pin_of
from dazi.core.errors import CallerError, ConfigError, ConnectorError, OperatorError
from dazi.core.language import Text
from dazi.core.tools import Parameter, Tool
from dazi.main.company import load_company
from dazi.main.importing import ImportRequest, McpRequest, import_mcp
from dazi.main.initialise import initialise
from dazi.main.systems import connector_context, make_connectors
from tests.connectors.mcp_server import CALLS, make
from tests.connectors.systems import STAFF, invocation

CLOCK = ("python", "-m", "mcp_server_time", "--local-timezone", "UTC")
DESK = ("python", "-m", "tests.connectors.mcp_server")
ROOT = str(Path(__file__).resolve().parents[2])


def tool(name: str, pin: str, *parameters: str, **changes: Any) -> Tool:
    made = Tool(
        name,
        Text("前台", "front desk"),
        Text("", ""),
        tuple(Parameter(p, "string", Text("", "")) for p in parameters),
        frozenset({"staff"}),
        "read",
        "desk",
        {"tool": name, "pin": pin},
    )
    return replace(made, **{"timeout_s": 30.0, **changes})


async def pinned(connector: McpConnector, name: str, *parameters: str, **changes: Any) -> Tool:
    found = next(t for t in await connector.tools() if t.name == name)
    return tool(name, pin_of(found), *parameters, **changes)


async def refused(connector: McpConnector, made: Any) -> ConnectorError:
    with pytest.raises(ConnectorError) as caught:
        await connector.execute(made)
    return caught.value


@pytest.fixture
async def desk() -> AsyncIterator[McpConnector]:
    connector = McpConnector(McpServer(DESK, ROOT, ("MCP_TEST_MOOD",)))
    yield connector
    await connector.close()


async def test_a_server_of_somebody_else() -> None:
    connector = McpConnector(McpServer(CLOCK))
    convert = await pinned(connector, "convert_time", "source_timezone", "time", "target_timezone")
    zones = {"source_timezone": "Asia/Shanghai", "time": "14:30", "target_timezone": "UTC"}
    answer = await connector.execute(invocation(convert, zones))
    assert "T06:30:00+00:00" in str(answer)
    wrong = invocation(convert, {**zones, "source_timezone": "Moon/Base"})
    error = await refused(connector, wrong)
    assert error.code == "refused" and not error.effect_possible
    await connector.close()


async def test_calls_and_their_failures(desk: McpConnector) -> None:
    find = await pinned(desk, "find_guest", "name")
    assert await desk.execute(invocation(find, {"name": "Li"})) == {"guest": "Li", "room": "B204"}
    error = await refused(desk, invocation(find, {"name": "nobody"}))
    assert error.code == "refused" and "no such guest" in error.message("en")
    slow = invocation(find, {"name": "slow"}, deadline_s=0.3)
    assert (await refused(desk, slow)).code == "timeout"
    # The connection is made anew after a failure.
    assert (await desk.execute(invocation(find, {"name": "He"})))["guest"] == "He"
    error = await refused(desk, invocation(find, {"name": "crash"}, deadline_s=10))
    assert error.code in ("unavailable", "timeout")
    assert (await desk.execute(invocation(find, {"name": "He"})))["guest"] == "He"


async def test_of_a_write_that_was_not_answered_nobody_knows_what_came(desk: McpConnector) -> None:
    note = await pinned(desk, "send_note", "name", "text", effect="write")
    slow = invocation(note, {"name": "slow", "text": "x"}, deadline_s=0.5)
    error = await refused(desk, slow)
    assert (error.code, error.effect_possible) == ("timeout", True)
    error = await refused(desk, invocation(note, {"name": "nobody", "text": "x"}))
    assert (error.code, error.effect_possible) == ("refused", True)
    done = await desk.execute(invocation(note, {"name": "Li", "text": "x"}))
    assert "sent to Li" in str(done)


async def test_a_server_sees_no_more_of_the_environment_than_it_is_given(
    desk: McpConnector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MCP_TEST_SECRET", "s3cret")
    find = await pinned(desk, "find_guest", "name")
    assert (await desk.execute(invocation(find, {"name": "secret"})))["guest"] == "none"


async def test_a_tool_that_changes_after_it_was_pinned_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rug pulled away (CVE-2025-54136): a harmless description first, another one later."""
    mood = tmp_path / "mood"
    monkeypatch.setenv("MCP_TEST_MOOD", str(mood))
    connector = McpConnector(McpServer(DESK, ROOT, ("MCP_TEST_MOOD",)))
    find = await pinned(connector, "find_guest", "name")
    assert await connector.execute(invocation(find, {"name": "Li"}))
    await connector.close()
    mood.touch()
    error = await refused(connector, invocation(find, {"name": "Li"}))
    assert error.code == "refused" and "has changed" in error.message("en")
    gone = replace(find, operation={"tool": "gone", "pin": "x"})
    assert "is gone" in (await refused(connector, invocation(gone, {}))).message("en")
    # Nothing that a server says of itself is part of a declaration that was written before.
    assert "thief" not in find.description("en")
    await connector.close()


async def test_a_pin_that_is_not_checked_would_be_noticed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def careless(*_: Any) -> None: ...

    monkeypatch.setattr(McpConnector, "_check_pin", careless)
    with pytest.raises(pytest.fail.Exception):
        await test_a_tool_that_changes_after_it_was_pinned_is_not_used(tmp_path, monkeypatch)


async def test_a_command_that_does_not_start() -> None:
    connector = McpConnector(McpServer(("no-such-program",)))
    error = await refused(connector, invocation(tool("x", "y"), {}))
    assert (error.code, error.effect_possible) == ("unavailable", False)
    await connector.close()


# --- over HTTP -----------------------------------------------------------------------------------


@pytest.fixture
async def over_http() -> AsyncIterator[str]:
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    app = make().streamable_http_app()
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    running = asyncio.create_task(server.serve(sockets=[listening]))
    yield f"http://127.0.0.1:{port}/mcp"
    server.should_exit = True
    await running


async def test_over_http(over_http: str, monkeypatch: pytest.MonkeyPatch) -> None:
    connector = McpConnector(McpServer(url=over_http))
    find = await pinned(connector, "find_guest", "name")
    answer = await connector.execute(invocation(find, {"name": "Li"}))
    assert answer == {"guest": "Li", "room": "B204"} and CALLS[-1] == "find Li"
    await connector.close()


async def test_an_address_that_may_not_be_reached() -> None:
    connector = McpConnector(McpServer(url="http://169.254.169.254/mcp"))
    error = await refused(connector, invocation(tool("x", "y"), {}))
    assert error.code in ("unavailable", "timeout")
    await connector.close()


async def test_a_token_goes_to_its_server_and_a_redirect_goes_nowhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DESK_TOKEN", "t0ken")
    seen: list[tuple[str, str]] = []
    other = TestServer(web.Application(), host="127.0.0.1")
    await other.start_server()

    async def away(request: web.Request) -> web.Response:
        seen.append((request.path, request.headers.get("Authorization", "")))
        raise web.HTTPTemporaryRedirect(str(other.make_url("/mcp")))

    app = web.Application()
    app.router.add_route("*", "/mcp", away)
    server = TestServer(app, host="127.0.0.1")
    await server.start_server()
    connector = McpConnector(
        McpServer(url=str(server.make_url("/mcp")), credential=Credential("DESK_TOKEN"))
    )
    await refused(connector, invocation(tool("x", "y"), {}, deadline_s=3.0))
    assert seen and all(token == "Bearer t0ken" for _, token in seen)
    await connector.close()
    await server.close()
    await other.close()


# --- declared ------------------------------------------------------------------------------------


def test_declarations_are_checked() -> None:
    connector = McpConnector(McpServer(CLOCK))
    for operation in ({}, {"tool": "x"}, {"pin": "x"}, {"tool": "", "pin": "x"}):
        with pytest.raises(ConfigError):
            connector.check(replace(tool("x", "y"), operation=operation))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    initialise(tmp_path / "c", "en")
    return tmp_path / "c"


def request(command: str, *only: str, **more: Any) -> McpRequest:
    return McpRequest(ImportRequest(command, "clock", only, ("staff",), **more), command)


def test_imported_tools_are_pinned_and_work(folder: Path) -> None:
    told = import_mcp(folder, request(" ".join(CLOCK), "convert_time"), "en")
    assert told[0].startswith("convert_time  [read]") and "no mistakes found" in told[-1]
    made = yaml.safe_load((folder / "tools" / "clock.yaml").read_text("utf-8"))
    assert len(made["tools"]["convert_time"]["pin"]) == 32
    with pytest.raises(CallerError, match="--replace"):
        import_mcp(folder, request(" ".join(CLOCK)), "en")
    with pytest.raises(CallerError, match="no tool fly"):
        import_mcp(folder, request(" ".join(CLOCK), "fly", replace=True), "en")
    with pytest.raises(OperatorError):
        import_mcp(folder, request("no-such-program", replace=True), "en")
    company = load_company(folder)
    connectors = make_connectors(company, connector_context(company, folder / ".dazi", None))
    zones = {"source_timezone": "Asia/Shanghai", "time": "14:30", "target_timezone": "UTC"}

    async def convert() -> Any:
        try:
            made = invocation(company.tools["convert_time"], zones, STAFF)
            return await connectors["clock"].execute(made)
        finally:
            await connectors["clock"].close()

    assert "06:30" in str(asyncio.run(convert()))


def test_a_sender_is_declared_sensitive(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", ROOT)
    command = f"{sys.executable} {ROOT}/tests/connectors/mcp_server.py"
    import_mcp(folder, request(command), "en")
    made = yaml.safe_load((folder / "tools" / "clock.yaml").read_text("utf-8"))["tools"]
    # It does not say that it only reads, so it counts as one that may destroy.
    assert (made["send_note"]["effect"], made["find_guest"]["effect"]) == ("sensitive", "sensitive")


@pytest.mark.parametrize(
    "connector", ["{kind: mcp}", "{kind: mcp, command: x}", "{kind: mcp, command: [a], service: b}",
                  "{kind: mcp, command: [a], port: 1}"],
)  # fmt: skip
def test_a_wrong_connector_stops_the_start(folder: Path, connector: str) -> None:
    (folder / "tools" / "desk.yaml").write_text(
        f"system: desk\nconnector: {connector}\ntools:\n  look: {{description: look, effect: read, "
        "roles: [staff], tool: a, pin: b}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError):
        company = load_company(folder)
        make_connectors(company, connector_context(company, folder, None))
