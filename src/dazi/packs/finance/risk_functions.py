"""The risk engine's answers, as a tool."""

from __future__ import annotations

from typing import Any

from dazi.core.errors import ConnectorError


async def assess_transaction(transaction_id: str, ctx: Any) -> dict[str, Any] | None:
    """A score in percent, what it rests on in words, and a proposal to a person."""
    if ctx.risk is None:
        raise ConnectorError("unavailable", "风险引擎没有打开", "the risk engine is not open")
    found = await ctx.risk.assess(transaction_id, ctx.principal)
    if found is None:
        return None
    return {
        "transaction_id": found.transaction,
        "level": found.level,
        "score": round(found.score),
        "proposal": found.action,
        "account": {"zh": found.account.zh, "en": found.account.en},
    }
