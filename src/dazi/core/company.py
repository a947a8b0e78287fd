"""A company as its folder describes it, once read and found valid."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dazi.core.language import Text
from dazi.core.tools import Tool


@dataclass(frozen=True, slots=True)
class ConnectorSpec:
    """A connector instance: its kind (``sql``, ``http``, ``python``, ``smtp``) and settings."""

    name: str
    kind: str
    config: Mapping[str, Any]
    source: str = ""


@dataclass(frozen=True, slots=True)
class PolicySource:
    """A file of Cedar policies."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class DemoUser:
    user: str
    password: str
    roles: tuple[str, ...]
    name: Text
    attributes: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Company:
    """``roles`` maps a role to every role it includes, itself among them."""

    folder: Path
    name: Text
    tools: Mapping[str, Tool]
    connectors: Mapping[str, ConnectorSpec]
    roles: Mapping[str, frozenset[str]]
    role_names: Mapping[str, Text]
    settings: Mapping[str, Any]
    users: tuple[DemoUser, ...] = ()
    policies: tuple[PolicySource, ...] = ()

    @property
    def demo(self) -> bool:
        return bool(self.settings.get("demo", False))
