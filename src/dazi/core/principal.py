"""Who is asking."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType


@dataclass(frozen=True, slots=True)
class Principal:
    """A person (or a program on a person's behalf) after authentication.

    ``attributes`` hold identity facts that tools may bind, such as ``customer_id``,
    ``employee_id``, ``department`` and ``city``.
    """

    user: str
    roles: frozenset[str]
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    tenant: str = "default"
    channel: str = "api"

    def has_role(self, *names: str) -> bool:
        return not self.roles.isdisjoint(names)
