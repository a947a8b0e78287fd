"""Separation of duties: who may administer what, as data.

The three administrative roles are those of GB/T 22239-2019 (system, audit and security
management): whoever runs accounts does not say what they may do, and whoever reads the record of
both can change neither. Nobody holds two of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Literal, get_args

from dazi.core.errors import AccessError, CallerError
from dazi.core.principal import Principal

Action = Literal[
    "accounts.read",
    "accounts.create",
    "accounts.change",
    "accounts.disable",
    "accounts.delete",
    "passwords.reset",
    "sessions.end",
    "settings.read",
    "settings.change",
    "backup.run",
    "roles.propose",
    "roles.change",
    "policies.read",
    "policies.change",
    "keys.read",
    "keys.create",
    "keys.revoke",
    "second_factor.reset",
    "requests.read",
    "audit.read",
    "audit.verify",
    "audit.export",
]
ACTIONS: frozenset[str] = frozenset(get_args(Action))

DUTIES: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "sysadmin": frozenset(
            {
                "accounts.read",
                "accounts.create",
                "accounts.change",
                "accounts.disable",
                "accounts.delete",
                "passwords.reset",
                "sessions.end",
                "settings.read",
                "settings.change",
                "backup.run",
                "roles.propose",
                "requests.read",
            }
        ),
        "secadmin": frozenset(
            {
                "accounts.read",
                "accounts.disable",
                "sessions.end",
                "roles.change",
                "policies.read",
                "policies.change",
                "keys.read",
                "keys.create",
                "keys.revoke",
                "second_factor.reset",
                "requests.read",
            }
        ),
        "auditadmin": frozenset({"audit.read", "audit.verify", "audit.export"}),
    }
)
SEPARATED = frozenset(DUTIES)
"""The roles of which nobody holds two, and that no key and no directory outside may give."""


def may(principal: Principal, action: str) -> bool:
    """Whether one of the administrative roles allows it. Default deny: whoever holds two of them,
    however that came about, may do nothing."""
    held = principal.roles & SEPARATED
    return len(held) == 1 and action in DUTIES[next(iter(held))]


def require(principal: Principal, action: Action) -> None:
    """Raises ``AccessError``."""
    if not may(principal, action):
        raise AccessError(
            "duty",
            f"你没有权限做这件事({action})",
            f"you may not do this ({action})",
        )


def check_separation(roles: Iterable[str]) -> None:
    """Raises ``CallerError`` for roles that no one person may hold together."""
    held = sorted(SEPARATED.intersection(roles))
    if len(held) > 1:
        names = ", ".join(held)
        raise CallerError(
            "separation",
            f"{names} 不能由同一个人担任",
            f"one person may not hold {names} together",
        )


def may_confirm(requester: Principal, other: Principal, subject: str) -> bool:
    """Whether ``other`` may confirm what ``requester`` asks for ``subject``: somebody else, not
    the person whom it is about, and of the two one who answers for roles."""
    tenants = {requester.tenant, other.tenant}
    different = other.user not in (requester.user, subject) and len(tenants) == 1
    both = (requester, other)
    eligible = all(may(p, "roles.change") or may(p, "roles.propose") for p in both)
    return different and eligible and any(may(p, "roles.change") for p in both)
