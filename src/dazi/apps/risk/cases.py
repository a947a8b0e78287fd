"""What was scored and waits for a person, and what people decided.

Of a transaction, only its number is kept: account, amount and place stay in the company's own
system. A note is sealed with the key of whoever wrote it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy import Column, Float, String, Table, Text, delete, func, insert, select, update

from dazi.apps.risk.events import Outcome
from dazi.apps.risk.thresholds import Action
from dazi.audit.private import Private
from dazi.core.errors import CallerError
from dazi.core.principal import Principal
from dazi.store.database import Database, metadata

LONGEST_NOTE = 500
MOST = 1_000

risk_queue = Table(
    "risk_queue",
    metadata,
    Column("tenant", String(100), primary_key=True),
    Column("transaction", String(200), primary_key=True),
    Column("day", String(10), nullable=False, index=True),
    Column("score", Float, nullable=False),
    Column("action", String(10), nullable=False),
    Column("codes", Text, nullable=False),
    Column("model", String(64), nullable=False),
    Column("at", Float, nullable=False),
)
risk_decisions = Table(
    "risk_decisions",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("tenant", String(100), nullable=False),
    Column("user", String(200), nullable=False, index=True),
    Column("transaction", String(200), nullable=False, index=True),
    Column("outcome", String(10), nullable=False),
    Column("score", Float, nullable=False),
    Column("model", String(64), nullable=False),
    Column("note", Text, nullable=False),
    Column("at", Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """``day``: of the transaction, ISO 8601; ``at``: when it was scored, seconds since the epoch."""

    transaction: str
    day: str
    score: float
    action: Action
    codes: tuple[str, ...]
    model: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Decision:
    """``note`` is empty where it was, and where whoever wrote it has been erased."""

    transaction: str
    outcome: Outcome
    user: str
    note: str
    score: float
    model: str
    at: float


class CaseStore:
    """Of one tenant at a time; who may look is for ``RiskService`` to say."""

    def __init__(self, database: Database, private: Private) -> None:
        self._database = database
        self._private = private

    async def put(self, tenant: str, found: Sequence[Waiting]) -> None:
        """In place of what an earlier scoring said of the same transactions."""
        q, now = risk_queue.c, time.time()
        async with self._database.write() as connection:
            for w in found:
                await connection.execute(
                    delete(risk_queue).where(q.tenant == tenant, q.transaction == w.transaction)
                )
                await connection.execute(
                    insert(risk_queue).values(
                        tenant=tenant,
                        transaction=w.transaction,
                        day=w.day,
                        score=w.score,
                        action=w.action,
                        codes=" ".join(w.codes),
                        model=w.model,
                        at=now,
                    )
                )

    async def waiting(self, tenant: str, limit: int = 100, *, day: str = "") -> list[Waiting]:
        """Not decided yet, the highest score first."""
        q, d = risk_queue.c, risk_decisions.c
        decided = select(d.transaction).where(d.tenant == tenant)
        query = select(risk_queue).where(q.tenant == tenant, q.transaction.not_in(decided))
        if day:
            query = query.where(q.day == day)
        query = query.order_by(q.score.desc(), q.transaction).limit(min(limit, MOST))
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [
            Waiting(r.transaction, r.day, r.score, cast(Action, r.action),
                    tuple(r.codes.split()), r.model, r.at)
            for r in rows
        ]  # fmt: skip

    async def decide(
        self,
        by: Principal,
        transaction: str,
        outcome: Outcome,
        note: str,
        *,
        score: float,
        model: str,
    ) -> Decision:
        """A later word on the same transaction counts. Raises ``CallerError`` for a note too long."""
        note = note.strip()
        if len(note) > LONGEST_NOTE:
            raise CallerError(
                "risk_note",
                f"备注有 {len(note)} 个字符,最多 {LONGEST_NOTE} 个",
                f"the note has {len(note)} characters; {LONGEST_NOTE} at most",
            )
        id, now = secrets.token_hex(8), time.time()
        async with self._database.write() as connection:
            await connection.execute(
                insert(risk_decisions).values(
                    id=id,
                    tenant=by.tenant,
                    user=by.user,
                    transaction=transaction,
                    outcome=outcome,
                    score=score,
                    model=model,
                    at=now,
                    note=self._private.seal(by.user, _place(id), note),
                )
            )
        return Decision(transaction, outcome, by.user, note, score, model, now)

    async def decisions(self, tenant: str, transaction: str = "") -> list[Decision]:
        """The latest word on each transaction, the latest first; all words on ``transaction``."""
        d = risk_decisions.c
        query = select(risk_decisions).where(d.tenant == tenant)
        if transaction:
            query = query.where(d.transaction == transaction)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.order_by(d.at.desc(), d.id))).all()
        out: dict[str, Decision] = {}
        for r in rows:
            opened = self._private.open(_place(r.id), r.note)
            note = opened.content if opened.state == "open" else ""
            key = r.id if transaction else r.transaction
            out.setdefault(
                key,
                Decision(
                    r.transaction, cast(Outcome, r.outcome), r.user, note, r.score, r.model, r.at
                ),
            )
        return list(out.values())

    async def forget(self, user: str) -> int:
        """What an erased person decided stays, without who and why; how many."""
        d = risk_decisions.c
        async with self._database.write() as connection:
            done = await connection.execute(
                update(risk_decisions).where(d.user == user).values(user="", note="")
            )
        return done.rowcount

    async def count(self, tenant: str) -> int:
        """Transactions that were decided."""
        d = risk_decisions.c
        query = select(func.count(d.transaction.distinct())).where(d.tenant == tenant)
        async with self._database.read() as connection:
            return int((await connection.execute(query)).scalar_one())


def _place(id: str) -> str:
    return f"risk_decisions.note:{id}"
