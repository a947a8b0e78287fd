"""Figures that rules ask for and nothing else counts: money, backups, whether the ledger holds."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from dazi.access.limits.rules import MICRO, LimitRule, rules_of
from dazi.access.limits.totals import DatabaseTotals
from dazi.audit.checkpoints import BATCH, head_of
from dazi.audit.search import Query, search
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import verify
from dazi.inference.pool.engine import PoolEngine
from dazi.main.auditing import audit_folder
from dazi.main.runtime import Runtime
from dazi.observe.instruments import Labels, Registry

MONEY_S, BACKUP_S = 60.0, 3_600.0
LATEST = 20
"""Records that speak of backups and are looked at."""
FIRST_S = 60.0
"""After the start, before the ledger is verified for the first time."""
log = logging.getLogger("dazi.alerts")
Read = Iterator[tuple[Labels, float]]


@dataclass(slots=True)
class Figures:
    runtime: Runtime
    spent: dict[str, float] = field(default_factory=dict)
    cloud: float | None = None
    backup: float | None = None
    broken: bool | None = None
    verified: float | None = None
    _money_at: float = 0.0
    _backup_at: float = 0.0

    def watch(self, registry: Registry) -> None:
        gauge = registry.gauge
        gauge(
            "dazi_budget_spent_share",
            "Of a month's budget, what is spent; of several the most",
            lambda: [((scope,), share) for scope, share in self.spent.items()],
            "scope",
        )
        gauge(
            "dazi_cloud_spent_share",
            "Of a day's money for clouds, what is spent",
            lambda: _one(self.cloud),
        )
        gauge(
            "dazi_backup_seconds",
            "When the last backup was made, in seconds since the epoch",
            lambda: _one(self.backup),
        )
        gauge(
            "dazi_audit_chain_broken",
            "Whether the last verification of the ledger found something wrong",
            lambda: _one(None if self.broken is None else float(self.broken)),
        )
        gauge(
            "dazi_audit_verified_seconds",
            "When the ledger was last verified, in seconds since the epoch",
            lambda: _one(self.verified),
        )

    async def look(self) -> None:
        """Asked before each taking; the database is asked now and then."""
        now = time.monotonic()
        if not self._money_at or now - self._money_at >= MONEY_S:
            self._money_at = now
            await self._money()
        if not self._backup_at or now - self._backup_at >= BACKUP_S:
            self._backup_at = now
            await self._backups()

    async def _money(self) -> None:
        company, engine = self.runtime.company, self.runtime.engine
        rules = [r for r in rules_of(company.settings, company.folder) if r.micros_per_month]
        allowed = engine.config.cloud_yuan_per_day if isinstance(engine, PoolEngine) else 0.0
        if not rules and not allowed:
            return
        totals = await DatabaseTotals(self.runtime.database).load()
        month = f"month{datetime.now(UTC):%Y-%m}"
        self.spent = {_scope(r): _most(r, totals, month) / r.micros_per_month for r in rules}
        if allowed:
            key = f"all::cloud:day{date.today().isoformat()}"
            self.cloud = totals.get(key, 0) / (allowed * MICRO)

    async def _backups(self) -> None:
        if self.runtime.settings.audit == "memory":
            return
        query = Query("backup", kind="admin", since=self.backup)
        for found in await search(self.runtime.database, self.runtime.sealing, query, LATEST):
            if found.content.fields.get("act") == "backup":
                self.backup = max(self.backup or 0.0, found.record.at)

    async def verify(self) -> None:
        """The whole ledger, in pieces: whoever is served meanwhile waits no longer than one takes."""
        folder = audit_folder(self.runtime.settings.data_folder(self.runtime.company.folder))
        keys = SigningKeys(folder)
        found = await verify(self.runtime.database, keys.trust(), head_of(keys), batch=BATCH)
        self.broken, self.verified = found.bad is not None, time.time()
        if found.bad is not None:
            log.error("the ledger is broken at record %d (%s)", found.bad.seq, found.bad.fault)


async def keep_verified(figures: Figures, every_s: float, first_s: float = FIRST_S) -> None:
    """Until cancelled."""
    await asyncio.sleep(first_s)
    while True:
        try:
            await figures.verify()
        except Exception:  # the database may come back
            log.exception("the ledger could not be verified")
        await asyncio.sleep(every_s)


def _scope(rule: LimitRule) -> str:
    """Names of people are no labels: of a rule for each user, the one who spent most counts."""
    named = rule.only and rule.per in ("role", "tenant", "channel")
    return f"{rule.per}:{rule.only}" if named else rule.per


def _most(rule: LimitRule, totals: dict[str, int], month: str) -> int:
    of_it = [
        used
        for key, used in totals.items()
        if key.startswith(f"{rule.per}:")
        and key.endswith(f":{month}")
        and (not rule.only or key.removesuffix(f":{month}").endswith(f":{rule.only}"))
    ]
    return max(of_it, default=0)


def _one(value: float | None) -> Read:
    if value is not None:
        yield (), value
