"""What an MCP server offers -> a declaration of tools to start from, each pinned as it is now."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import mcp.types as wire

from dazi.connectors.drafts import (
    CannotImport,
    Imported,
    effect_of,
    first_line,
    free_name,
    object_parameters,
    tool_name,
)
from dazi.connectors.mcp import pin_of


def imported(
    title: str, tools: Sequence[wire.Tool], only: Collection[str], roles: Collection[str]
) -> Imported:
    """The tools named in ``only``, or all. Raises ``ValueError`` for a name the server lacks.

    A server's word that a tool only reads counts where its name says nothing else.
    """
    out = Imported(title)
    unknown = sorted(set(only) - {t.name for t in tools})
    if unknown:
        known = ", ".join(t.name for t in tools)
        raise ValueError(f"no tool {unknown[0]}; there are: {known}")
    for tool in tools:
        if only and tool.name not in only:
            continue
        try:
            out.tools[free_name(tool_name(tool.name), out.tools)] = _declared(tool, roles)
        except CannotImport as e:
            out.skipped[tool.name] = e
        except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as e:
            out.skipped[tool.name] = CannotImport(f"声明有误:{e}", f"its schema is wrong: {e}")
    return out


def _declared(tool: wire.Tool, roles: Collection[str]) -> dict[str, Any]:
    said = first_line(tool.description or tool.title, tool.name)[:200]
    hints = tool.annotations
    name = f"{tool.name} {said}"
    reads = bool(hints and hints.read_only_hint) and effect_of(name, reads=False) == "write"
    risky = hints is None or hints.destructive_hint is not False
    return {
        "description": said,
        "effect": effect_of(name, reads=reads, risky=risky),
        "roles": sorted(roles),
        "tool": tool.name,
        "pin": pin_of(tool),
        "parameters": object_parameters(tool.input_schema, tool.input_schema),
        "result": {"shape": "value"},
        "examples": [said[:80]],
    }
