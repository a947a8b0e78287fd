"""Who may read and who may change what the assistant is told, and what is tried on people."""

from __future__ import annotations

from dazi.access.duties import may
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

HOME = "default"
"""The tenant whose installation it is: others are guests in it."""
READERS = ("admin",)
"""The company's role that may read, beside those who may read settings."""


def may_read(principal: Principal) -> bool:
    reads = principal.has_role(*READERS) or may(principal, "settings.read")
    return principal.tenant == HOME and reads


def may_change(principal: Principal) -> bool:
    return principal.tenant == HOME and may(principal, "settings.change")


def require_read(principal: Principal) -> None:
    """Raises ``AccessError``."""
    if not may_read(principal):
        raise AccessError(
            "forbidden",
            "只有管理员能看提示词和实验",
            "only administrators see prompts and experiments",
        )


def require_change(principal: Principal) -> None:
    """Raises ``AccessError``."""
    if not may_change(principal):
        raise AccessError(
            "duty",
            "要有系统管理员的权限(settings.change)才能改",
            "changing this takes a system administrator (settings.change)",
        )
