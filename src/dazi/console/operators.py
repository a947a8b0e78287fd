"""Who runs this installation, as far as pages are concerned."""

from __future__ import annotations

from dazi.access.duties import may
from dazi.core.principal import Principal

ADMINISTRATORS = ("admin",)
"""The company's role for them; beside it those who run accounts and settings."""


def operates(principal: Principal) -> bool:
    """Whether pages about the running system are for them."""
    return principal.has_role(*ADMINISTRATORS) or may(principal, "settings.read")


def answers_for_records(principal: Principal) -> bool:
    """Whether what the installation is held to is for them: those who run it, and its auditors."""
    return operates(principal) or may(principal, "audit.read")
