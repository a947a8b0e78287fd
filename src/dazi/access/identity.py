"""What a directory outside (OIDC, LDAP) says of a person, and the roles that it stands for here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from dazi.access.duties import SEPARATED
from dazi.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Identity:
    """``source``: ``oidc:NAME`` or ``ldap:NAME``. ``subject`` is who this is there, for ever;
    ``user`` is what they are called. ``second_factor``: it was asked for there."""

    source: str
    subject: str
    user: str
    name: str
    roles: frozenset[str]
    attributes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    department: str = ""
    second_factor: bool = False


def mapped(values: Iterable[str], roles: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The roles that groups or claim values stand for; unknown values stand for none."""
    return frozenset(role for value in values for role in roles.get(value, ()))


def check_mapping(
    where: str,
    roles: Mapping[str, tuple[str, ...]],
    included: Mapping[str, frozenset[str]],
) -> None:
    """Raises ``ConfigError`` for roles that do not exist, and for administrative ones: those are
    given here, by two people, and not by whoever runs the directory."""
    for value, granted in roles.items():
        for role in granted:
            reached = included.get(role, frozenset())
            if not reached:
                raise ConfigError(
                    where,
                    None,
                    f"“{value}” 对应的角色 {role} 不在 roles.yaml 里",
                    f"“{value}” stands for role {role}, which roles.yaml lacks",
                )
            if not (reached | {role}).isdisjoint(SEPARATED):
                raise ConfigError(
                    where,
                    None,
                    f"“{value}” 不能对应管理员角色 {role};用 dazi user roles 由两个人授予",
                    f"“{value}” may not stand for the administrative role {role}; "
                    "two people give it with dazi user roles",
                )
