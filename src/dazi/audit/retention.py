"""Old records go: each run of them that is removed leaves a signed anchor."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.anchors import Gap, checkpoints, gaps
from dazi.audit.checkpoints import head_of
from dazi.audit.days import checked_days
from dazi.audit.holds import Hold, active_holds, held
from dazi.audit.ledger import Ledger
from dazi.audit.records import records
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import verify
from dazi.core.errors import DaziError, OperatorError
from dazi.store.database import Database

DAY_S = 86_400.0
SLICE = 2_000
"""Records a transaction: writers wait no longer than that takes."""
EVERY_S = DAY_S
log = logging.getLogger("dazi.audit")


@dataclass(slots=True)
class Pruned:
    """``held``: old records that a hold keeps. ``through``: none behind this one was touched."""

    removed: int = 0
    held: int = 0
    anchors: int = 0
    through: int = 0


@dataclass(frozen=True, slots=True)
class _Old:
    """Which records are old: those up to ``through`` that were written before ``cut``."""

    cut: float
    through: int


class Retention:
    def __init__(self, database: Database, ledger: Ledger, keys: SigningKeys) -> None:
        self._database = database
        self._ledger = ledger
        self._keys = keys

    async def plan(self, days: int, now: float | None = None) -> Pruned:
        """What ``prune`` would do. Raises ``ConfigError`` below the floor."""
        old = await self._old(days, now)
        planned = Pruned(through=old.through)
        after = 0
        while True:
            async with self._database.read() as connection:
                holding = await active_holds(connection)
                rows = await _candidates(connection, old, after)
            if not rows:
                return planned
            runs, kept = _runs(rows, holding)
            planned.removed += sum(len(run) for run in runs)
            planned.anchors += len(runs)
            planned.held += kept
            after = rows[-1].seq

    async def prune(self, days: int, by: str, now: float | None = None) -> Pruned:
        """Remove what is older than ``days`` and not held; this is itself on record, first.

        Raises ``OperatorError`` where the ledger does not verify: an anchor must not cover that up.
        """
        planned = await self.plan(days, now)
        if not planned.removed:
            return planned
        checked = await verify(self._database, self._keys.trust(), head_of(self._keys))
        if checked.bad is not None:
            seq = checked.bad.seq
            raise OperatorError(
                "audit_chain",
                f"审计记录 {seq} 核对不上,什么也没有删;请运行 dazi audit verify",
                f"audit record {seq} does not verify, and nothing was removed; "
                "run dazi audit verify",
            )
        old = await self._old(days, now)
        body = {"act": "prune", "days": days, "cut": old.cut, "through": old.through,
                "removed": planned.removed}  # fmt: skip
        await self._ledger.append("admin", by, "", body)
        return await self._remove(old)

    async def _remove(self, old: _Old) -> Pruned:
        done = Pruned(through=old.through)
        after = 0
        while True:
            async with self._database.write() as connection:
                if not self._database.sqlite:  # no hold, no other pruning in between
                    await connection.execute(
                        text("LOCK TABLE audit_holds IN SHARE ROW EXCLUSIVE MODE")
                    )
                rows = await _candidates(connection, old, after)
                if not rows:
                    return done
                runs, kept = _runs(rows, await active_holds(connection))
                for run in runs:
                    await self._replace(connection, run)
            done.removed += sum(len(run) for run in runs)
            done.anchors += len(runs)
            done.held += kept
            after = rows[-1].seq

    async def _replace(self, connection: AsyncConnection, run: Sequence[Any]) -> None:
        first, last = run[0], run[-1]
        unsigned = Gap(first.seq, last.seq, first.previous, last.hash, time.time())
        key, signature = self._keys.sign(unsigned.statement())
        gap = msgspec.structs.replace(unsigned, key=key, signature=signature)
        await connection.execute(insert(gaps), [msgspec.structs.asdict(gap)])
        for table in (records, checkpoints):
            await connection.execute(
                delete(table).where(table.c.seq >= first.seq, table.c.seq <= last.seq)
            )

    async def _old(self, days: int, now: float | None) -> _Old:
        """Counted by place in the chain: a clock that once stood wrong, before or behind, makes
        no young record an old one."""
        now = time.time() if now is None else now
        cut = now - checked_days(days, "--days") * DAY_S
        c = records.c
        async with self._database.read() as connection:
            young = (
                await connection.execute(select(func.min(c.seq)).where(c.at >= cut, c.at <= now))
            ).scalar()
            end = (await connection.execute(select(func.max(c.seq)))).scalar() or 0
        # The chain's end stays in any case: the next record is chained to it.
        return _Old(cut, (young if young is not None else end) - 1)


async def keep_pruned(
    retention: Retention, days: int, *, every_s: float = EVERY_S, by: str = "dazi"
) -> None:
    """Remove what is too old, now and once in so many seconds, until cancelled. Several processes
    may do so at once."""
    while True:
        try:
            await retention.prune(days, by)
        except DaziError as e:
            log.error("audit records that are too old were not removed: %s", e)
        except Exception:  # the database may come back
            log.exception("audit records that are too old were not removed")
        await asyncio.sleep(every_s)


async def _candidates(connection: AsyncConnection, old: _Old, after: int) -> Sequence[Any]:
    c = records.c
    found = await connection.execute(
        select(c.seq, c.at, c.user, c.turn, c.previous, c.hash)
        .where(c.seq > after, c.seq <= old.through, c.at < old.cut)
        .order_by(c.seq)
        .limit(SLICE)
    )
    return found.all()


def _runs(rows: Sequence[Any], holding: Sequence[Hold]) -> tuple[list[list[Any]], int]:
    """Unbroken runs of what may go, and how many are held."""
    runs: list[list[Any]] = []
    kept = 0
    for row in rows:
        if held(holding, row.at, row.user, row.turn):
            kept += 1
        elif runs and runs[-1][-1].seq + 1 == row.seq:
            runs[-1].append(row)
        else:
            runs.append([row])
    return runs, kept
