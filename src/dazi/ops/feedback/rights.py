"""Who reviews what people said, and who may see who said it."""

from __future__ import annotations

from dazi.access.duties import may
from dazi.core.errors import AccessError
from dazi.core.principal import Principal

REVIEWERS = ("admin",)
"""The company's role that reviews, beside those who run the installation."""


def may_review(principal: Principal) -> bool:
    return principal.has_role(*REVIEWERS) or may(principal, "settings.read")


def may_see_names(principal: Principal) -> bool:
    """Whether whoever reviews is told who said it: only whose duty people are."""
    return may(principal, "accounts.read")


def require_review(principal: Principal) -> None:
    """Raises ``AccessError``."""
    if not may_review(principal):
        raise AccessError(
            "forbidden",
            "只有管理员能看和审反馈",
            "only administrators see and review feedback",
        )
