"""Risk work that takes its time, as jobs: training, and scoring all of a day."""

from __future__ import annotations

from typing import Any

from dazi.apps.risk.service import RiskService
from dazi.core.errors import CallerError
from dazi.core.language import Text
from dazi.core.principal import Principal
from dazi.store.jobs.work import Kind, Run

READING = Text("读交易", "reading transactions")


def risk_kinds(service: RiskService) -> list[Kind]:
    async def may_train(by: Principal, arguments: Any) -> Any:
        await service.model_right(by)
        return {}

    async def train(run: Run) -> Any:
        run.report(Text("训练并检验", "training and testing"), 0.1)
        made = await service.train(run.principal, run.compute)
        told = made.quality
        return {
            "version": made.model.digest[:16],
            "auc": told.auc,
            "average_precision": told.average_precision,
            "review": made.thresholds.review,
            "hold": made.thresholds.hold,
        }

    async def may_score(by: Principal, arguments: Any) -> Any:
        await service.review_right(by)
        day = arguments.get("day", "") if isinstance(arguments, dict) else None
        if not isinstance(day, str) or len(day) > 10:
            raise CallerError(
                "risk_day", "day 应是日期,如 2025-04-02", "day must be a date, as 2025-04-02"
            )
        return {"day": day}

    async def score(run: Run) -> Any:
        run.report(READING, 0.1)
        found = await service.batch(run.principal, run.arguments["day"])
        return {
            "day": found.day,
            "transactions": found.transactions,
            "waiting": [w.transaction for w in found.waiting],
            "version": found.version,
        }

    return [
        Kind("risk_train", Text("训练风险模型", "Train the risk model"), may_train, train, 1),
        Kind(
            "risk_batch", Text("给一天的交易评分", "Score a day's transactions"), may_score, score
        ),
    ]
