"""What assessing a transaction is to the tool that does it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from dazi.core.language import Text
from dazi.core.principal import Principal

Level = Literal["low", "medium", "high"]


@dataclass(frozen=True, slots=True)
class RiskReason:
    """``code`` names it for programs; ``text`` says it with this transaction's values."""

    code: str
    title: Text
    text: Text


@dataclass(frozen=True, slots=True)
class RiskAnswer:
    """``score``: the chance of fraud in percent. ``action`` is a proposal to a person, ``proposal``
    in words; ``account`` the whole case in words. ``model``: the version that scored."""

    transaction: str
    level: Level
    score: float
    reasons: tuple[RiskReason, ...]
    account: Text
    action: str
    proposal: Text
    model: str


class RiskSource(Protocol):
    async def assess(self, transaction: str, principal: Principal) -> RiskAnswer | None:
        """``None`` where there is no such transaction. Raises ``ConnectorError`` where nothing can be
        assessed now, and ``refused`` for a person who may not."""
        ...
