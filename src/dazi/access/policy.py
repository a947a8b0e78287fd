"""May this principal make this call? Default deny."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from dazi.core.principal import Principal
from dazi.core.tools import Tool


@dataclass(frozen=True, slots=True)
class Decision:
    """``policy`` names what decided: the rule to look at when someone asks why."""

    allowed: bool
    policy: str


class Policy(Protocol):
    """Decides calls. ``version`` changes whenever an answer may change."""

    @property
    def version(self) -> str: ...

    def decide(
        self,
        principal: Principal,
        tool: Tool,
        arguments: Mapping[str, Any],
        taint: Mapping[str, str],
    ) -> Decision:
        """``arguments`` are canonical; ``taint`` maps a grounded argument to its source's label."""
        ...


class RolePolicy:
    """A tool's ``roles`` list decides. Roles a role includes were expanded at sign-in."""

    def __init__(self, version: str) -> None:
        self.version = version

    def decide(
        self,
        principal: Principal,
        tool: Tool,
        arguments: Mapping[str, Any],
        taint: Mapping[str, str],
    ) -> Decision:
        granted = sorted(tool.roles & principal.roles)
        if granted:
            return Decision(True, f"roles:{tool.name}:{granted[0]}")
        return Decision(False, f"roles:{tool.name}")
