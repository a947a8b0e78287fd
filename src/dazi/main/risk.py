"""The risk engine over the company's own database, and the tool's way to it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from dazi.access.recording import Record
from dazi.apps.risk.account import PROPOSALS, because, reason_text
from dazi.apps.risk.assessing import Assessment
from dazi.apps.risk.cases import CaseStore
from dazi.apps.risk.events import Transaction
from dazi.apps.risk.reading import of_rows
from dazi.apps.risk.service import RiskService
from dazi.apps.risk.shelf import VERSION, Shelf
from dazi.apps.risk.thresholds import Action
from dazi.apps.risk.wording import TITLES
from dazi.audit.private import Private
from dazi.connectors.context import ConnectorContext
from dazi.connectors.database import open_database, within
from dazi.core.company import Company
from dazi.core.errors import (
    CallerError,
    ConnectorError,
)
from dazi.core.language import Text
from dazi.core.risk import Level, RiskAnswer, RiskReason
from dazi.main.risk_settings import RiskSettings, risk_settings
from dazi.store.database import Database

FOLDER = "risk"
"""Of the data folder: the models."""
SECONDS = 60.0
LEVELS: Mapping[Action, Level] = {"allow": "low", "review": "medium", "hold": "high"}


class DeclaredTransactions:
    """What the declared SELECT gives; the database is only read."""

    def __init__(self, engine: AsyncEngine, query: str) -> None:
        self._engine = engine
        self._query = query

    async def one(self, id: str) -> Transaction | None:
        found = await self._rows("WHERE t.id = :value", id)
        return found[0] if found else None

    async def account(self, account: str) -> tuple[Transaction, ...]:
        return await self._rows("WHERE t.account = :value", account)

    async def all(self) -> tuple[Transaction, ...]:
        return await self._rows("", None)

    async def _rows(self, where: str, value: str | None) -> tuple[Transaction, ...]:
        query = text(f"SELECT * FROM ({self._query}) AS t {where}")
        given = {} if value is None else {"value": value}

        async def work(connection: AsyncConnection) -> list[dict[str, Any]]:
            rows = await connection.execute(query, given)
            return [dict(row) for row in rows.mappings()]

        try:
            rows = await within(self._engine, SECONDS, work)
            return of_rows(
                (Text(f"第 {n} 行", f"row {n}"), row) for n, row in enumerate(rows, 1)
            ).transactions
        except TimeoutError as e:
            raise ConnectorError("timeout", "读交易超时", "reading transactions timed out") from e
        except SQLAlchemyError as e:
            raise ConnectorError(
                "unavailable",
                "读不到交易;检查 dazi.toml 的 [risk] 和数据库",
                "transactions cannot be read; look at [risk] of dazi.toml and the database",
            ) from e
        except CallerError as e:
            raise ConnectorError("bad_response", e.text.zh, e.text.en) from e

    async def close(self) -> None:
        await self._engine.dispose()


def answer_of(told: Assessment) -> RiskAnswer:
    seen, explanation, proposal = told.seen, told.explanation, told.proposal
    reasons = [
        RiskReason(
            code,
            TITLES[code],
            Text(reason_text(seen, reason, "zh").text, reason_text(seen, reason, "en").text),
        )
        for reason in explanation.reasons
        for code in reason.codes
    ]
    said = PROPOSALS[proposal.action]
    return RiskAnswer(
        seen.transaction.id,
        LEVELS[proposal.action],
        round(100 * explanation.score, 2),
        tuple(reasons),
        Text(told.account("zh").text, told.account("en").text),
        proposal.action,
        Text(
            f"{said.zh}({because(proposal, 'zh').text})",
            f"{said.en} ({because(proposal, 'en').text})",
        ),
        told.model_digest[:VERSION],
    )


class OpenedRisk:
    """The service and what has to be closed after it."""

    def __init__(self, service: RiskService, source: DeclaredTransactions) -> None:
        self.service, self._source = service, source

    async def close(self) -> None:
        await self._source.close()


def open_risk(
    company: Company,
    context: ConnectorContext,
    database: Database,
    private: Private,
    record: Record,
) -> OpenedRisk | None:
    """``None`` where ``[risk]`` declares nothing. Raises ``ConfigError``."""
    settings = risk_settings(company)
    if settings is None:
        return None
    source = declared(settings, context)
    service = RiskService(
        source,
        Shelf(context.data_dir / FOLDER),
        CaseStore(database, private),
        record,
        settings.rights,
        settings.plan,
        trains=settings.trains,
    )
    return OpenedRisk(service, source)


def declared(settings: RiskSettings, context: ConnectorContext) -> DeclaredTransactions:
    url = context.databases[settings.database]
    return DeclaredTransactions(
        open_database(settings.database, url, context).reader, settings.query
    )
