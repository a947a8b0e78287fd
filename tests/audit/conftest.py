"""A ledger with keys, a database and everything that works on them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from dazi.audit.checkpoints import Checkpoints
from dazi.audit.erasure import Erasure
from dazi.audit.holds import Holds
from dazi.audit.ledger import Ledger, Record, SqlSink
from dazi.audit.retention import Retention
from dazi.audit.sealing import Sealing
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import Verified, verify
from dazi.store.database import Database


@dataclass
class House:
    folder: Path
    database: Database
    sealing: Sealing
    keys: SigningKeys
    ledger: Ledger

    @property
    def sink(self) -> SqlSink:
        return SqlSink(self.database)

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.database, self.keys)

    @property
    def retention(self) -> Retention:
        return Retention(self.database, self.ledger, self.keys)

    @property
    def holds(self) -> Holds:
        return Holds(self.database, self.ledger)

    @property
    def erasure(self) -> Erasure:
        return Erasure(self.database, self.ledger, self.sealing)

    async def fill(self, count: int, user: str = "lin") -> None:
        for n in range(count):
            body = {"tool": "query", "arguments": {"order": f"ORD{n}"}, "outcome": "ok"}
            await self.ledger.append("call", user, f"turn_{n // 4}", body)

    async def rows(self) -> list[Record]:
        return await self.sink.rows(None, 1_000_000)

    async def verified(self) -> Verified:
        return await verify(self.database, self.keys.trust())


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    database = Database.at(tmp_path / "dazi.sqlite")
    await database.create()
    sealing = Sealing(tmp_path / "audit")
    ledger = Ledger(SqlSink(database), sealing)
    await ledger.open()
    yield House(tmp_path, database, sealing, SigningKeys(tmp_path / "audit"), ledger)
    await ledger.flush()
    sealing.close()
    await database.close()
