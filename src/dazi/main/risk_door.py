"""The risk tool's way to the engine, which is opened after the tools, or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from dazi.core.errors import (
    AccessError,
    CallerError,
    ConnectorError,
    NotFound,
    OperatorError,
)
from dazi.core.principal import Principal
from dazi.core.risk import RiskAnswer

if TYPE_CHECKING:
    from dazi.apps.risk.service import RiskService


@dataclass(slots=True)
class RiskDoor:
    """``behind``: the engine, once it is open."""

    behind: RiskService | None = None

    async def assess(self, transaction: str, principal: Principal) -> RiskAnswer | None:
        if self.behind is None:
            raise ConnectorError("unavailable", "风险引擎没有打开", "the risk engine is not open")
        try:
            told = await self.behind.assess(principal, transaction)
        except AccessError as e:
            raise ConnectorError("refused", e.text.zh, e.text.en) from e
        except (NotFound, CallerError, OperatorError) as e:
            raise ConnectorError("unavailable", e.text.zh, e.text.en) from e
        if told is None:
            return None
        from dazi.main.risk import answer_of

        return answer_of(told)
