"""May this principal make this call, and who has to agree? Default deny."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from dazi.core.principal import Principal
from dazi.core.tools import Tool


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a call when it is decided.

    ``arguments`` are canonical. ``sources`` maps a parameter to the labels of everything its value
    may have come from, ``person`` among them. ``confirmed``: a person has agreed to this very
    call; ``approved_by`` are that person's roles where it was not the requester. ``signals`` are the
    labels of what, in the texts from outside that the turn has read, speaks to the model.
    """

    arguments: Mapping[str, Any] = field(default_factory=dict)
    sources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    at: datetime | None = None
    confirmed: bool = False
    approved_by: frozenset[str] = frozenset()
    signals: frozenset[str] = frozenset()

    @property
    def untrusted(self) -> list[str]:
        """Parameters that hold anything but the person's own words."""
        return [n for n, labels in self.sources.items() if any(x != "person" for x in labels)]


@dataclass(frozen=True, slots=True)
class Decision:
    """``policy`` names what decided: the rule to look at when someone asks why.

    ``confirm``: allowed only once a person has agreed, the requester, or where ``approver`` names
    a role, somebody else who has it.
    """

    allowed: bool
    policy: str
    confirm: bool = False
    approver: str = ""


class Policy(Protocol):
    """Decides calls. ``version`` changes whenever an answer may change."""

    @property
    def version(self) -> str: ...

    def possible(self, principal: Principal, tool: Tool) -> Decision:
        """Denied where no arguments could make ``principal`` be allowed to use ``tool``."""
        ...

    def decide(self, principal: Principal, tool: Tool, facts: Facts) -> Decision: ...
