"""The governed tools as an MCP server, with the official client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
import mcp
import pytest
from mcp.client.streamable_http import streamable_http_client

from tests.gateway.conftest import Site

STATUS = {"order_id": "ORD12345"}


@asynccontextmanager
async def client(site: Site, user: str, mode: str = "auto") -> AsyncIterator[mcp.Client]:
    headers = {"Authorization": f"Bearer dazi-demo-{user}", "Accept-Language": "en"}
    http = httpx2.AsyncClient(headers=headers)
    transport = streamable_http_client(f"{site.url}/mcp", http_client=http)
    async with http, mcp.Client(transport, mode=mode, cache=None) as connected:
        yield connected


async def body(c: mcp.Client, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    answer = await c.call_tool(name, arguments)
    said: dict[str, Any] = json.loads(answer.content[0].text)  # type: ignore[union-attr]
    assert said == answer.structured_content
    return {**said, "is_error": answer.is_error}


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_each_caller_sees_their_own_tools(site: Site, mode: str) -> None:
    async with client(site, "customer", mode) as c:
        theirs = {t.name: t for t in (await c.list_tools()).tools}
    assert "get_order_status" in theirs and "request_refund" not in theirs
    assert "customer_id" not in json.dumps(theirs["get_order_status"].input_schema)
    hints = theirs["get_order_status"].annotations
    assert hints is not None and hints.read_only_hint
    async with client(site, "finance", mode) as c:
        names = {t.name for t in (await c.list_tools()).tools}
    assert "request_refund" in names and "generate_comparison_chart" not in names


async def test_a_call_is_governed_and_on_record(site: Site) -> None:
    async with client(site, "customer") as c:
        found = await body(c, "get_order_status", STATUS)
        assert (found["outcome"], found["is_error"]) == ("ok", False)
        assert found["result"]["order_id"] == "ORD12345"
    async with client(site, "customer2") as c:  # another's order does not exist
        assert (await body(c, "get_order_status", STATUS))["outcome"] == "not_found"
    rows = await site.audit()
    kinds = [(r["kind"], r["user"]) for r in rows]
    assert kinds[:3] == [("turn", "customer"), ("call", "customer"), ("outcome", "customer")]
    assert rows[0]["channel"] == "mcp"
    assert rows[1]["sources"] == {"order_id": ["client:mcp"]}


async def test_what_may_not_be_called(site: Site) -> None:
    async with client(site, "customer") as c:
        for name, arguments in (
            ("request_refund", {"order_id": "ORD12345", "reason": "x"}),
            ("generate_comparison_chart", {}),
            ("nothing", {}),
        ):
            said = await body(c, name, arguments)
            assert said["is_error"] and said["outcome"] in ("unknown_tool", "forbidden")
        for wrong in (
            {"order_id": "12"}, {"order": "ORD12345"}, {}, {"order_id": "ORD12345", "customer_id": "C1"}
        ):  # fmt: skip
            said = await body(c, "get_order_status", wrong)
            assert said["is_error"] and said["outcome"] in ("invalid", "ungrounded")
    assert not [r for r in await site.audit() if r["kind"] == "call"]


async def test_a_sensitive_call_waits_for_its_person(site: Site) -> None:
    async with client(site, "finance") as c:
        asked = await body(c, "request_refund", {"order_id": "ORD12352", "reason": "damaged"})
        assert (asked["outcome"], asked["is_error"]) == ("needs_confirmation", False)
        ticket = asked["ticket"]
        assert (await body(c, "dazi_outcome", {"ticket": ticket}))["state"] == "pending"
        assert not [r for r in await site.audit() if r["kind"] == "call"]
        async with client(site, "manager") as other:
            said = await body(other, "dazi_outcome", {"ticket": ticket})
            assert said["is_error"] and said["outcome"] == "ticket"
        site.says("The refund has been made.")
        path = f"/v1/dazi/confirmations/{ticket}"
        done = await site.request("POST", path, "finance", json={"approve": True})
        assert done.status == 200
        said = await body(c, "dazi_outcome", {"ticket": ticket})
        assert (said["state"], said["outcome"]) == ("approved", "done")


async def test_a_stranger_learns_nothing(site: Site) -> None:
    for method in ("GET", "POST", "DELETE"):
        answered = await site.request(method, "/mcp", user=None)
        assert answered.status == 401 and answered.error["code"] == "unauthenticated"


async def test_bodies_have_a_limit(site: Site) -> None:
    headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
    big = b'{"jsonrpc":"2.0","id":1,"method":"ping","params":{"x":"' + b"x" * 2_000_000 + b'"}}'
    answered = await site.request("POST", "/mcp", "customer", data=big, headers=headers)
    assert answered.status == 413
    for odd in (b"", b"[]", b"{", b'{"jsonrpc":"2.0"}', b'{"jsonrpc":"2.0","id":1,"method":"x"}'):
        answered = await site.request("POST", "/mcp", "customer", data=odd, headers=headers)
        assert answered.status < 500, odd


def test_the_library_is_loaded_at_the_first_call_only() -> None:
    code = "import sys, dazi.gateway.app; sys.exit('mcp' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
