"""A small company whose tools follow from the declarations: one reads from every kind of origin,
one sends to every kind of sink, plainly and not as a sensitive act."""

from __future__ import annotations

from pathlib import Path
from typing import Any, get_args

import yaml

from dazi.core.tools import SINKS, Origin

ORIGINS: tuple[str, ...] = get_args(Origin)
CLERK, BOSS = "clerk", "boss"
ASKS_BOSS = "ask_boss"
MCP = "read_mcp"

_SETTINGS = """
[company]
name = "前哨"
[[users]]
user = "clerk"
roles = ["clerk"]
[[users]]
user = "boss"
roles = ["boss"]
"""


def reader(origin: str) -> str:
    return f"read_{origin}"


def sender(format: str, effect: str) -> str:
    return f"{effect}_{format}"


def outpost(folder: Path) -> Path:
    """Make that company in ``folder``, which must not exist."""
    (folder / "tools").mkdir(parents=True)
    (folder / "dazi.toml").write_text(_SETTINGS, encoding="utf-8")
    roles: dict[str, Any] = {"roles": {CLERK: {}, BOSS: {}}}
    (folder / "roles.yaml").write_text(yaml.safe_dump(roles), encoding="utf-8")
    reading = {reader(o): _tool("read", reader(o), origin=o) for o in ORIGINS}
    sending = {
        sender(format, effect): _tool(
            effect, sender(format, effect), parameters={"where": _where(format)}
        )
        for format in sorted(SINKS)
        for effect in ("read", "write")
    }
    words = {"words": {"type": "string", "required": True, "description": "words"}}
    sending[ASKS_BOSS] = _tool("write", ASKS_BOSS, parameters=words, approver=BOSS)
    python = {"kind": "python", "module": "functions.py"}
    mcp = {"kind": "mcp", "url": "http://127.0.0.1:9/mcp"}
    _written(folder, "reading", python, reading)
    _written(folder, "sending", python, sending)
    pinned = _tool("read", MCP, pin="0", tool=MCP)
    del pinned["function"]
    _written(folder, "remote", mcp, {MCP: pinned})
    return folder


def _tool(effect: str, name: str, **more: Any) -> dict[str, Any]:
    return {"description": name, "effect": effect, "roles": [CLERK], "function": name, **more}


def _where(format: str) -> dict[str, Any]:
    kind = "number" if format == "money" else "string"
    return {"type": kind, "format": format, "required": True, "description": "where"}


def _written(folder: Path, system: str, connector: Any, tools: dict[str, Any]) -> None:
    file = {"system": system, "connector": connector, "tools": tools}
    text = yaml.safe_dump(file, allow_unicode=True, sort_keys=False)
    (folder / "tools" / f"{system}.yaml").write_text(text, encoding="utf-8")
