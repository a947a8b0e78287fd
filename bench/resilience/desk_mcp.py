"""An MCP server with one tool, by the official library: ``python bench/resilience/desk_mcp.py PORT``.

With ``--pin`` it prints the tool's pin and ends.
"""

from __future__ import annotations

import asyncio
import sys

import uvicorn
from mcp.server.mcpserver import MCPServer

from dazi.connectors.mcp import pin_of


def make() -> MCPServer:
    server = MCPServer("guests")

    @server.tool(description="Find a guest")
    async def find_guest(words: str) -> dict[str, str]:
        return {"guest": words}

    return server


async def pin() -> str:
    return pin_of((await make().list_tools())[0])


if __name__ == "__main__":
    if "--pin" in sys.argv:
        print(asyncio.run(pin()))
    else:
        app = make().streamable_http_app()
        uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
