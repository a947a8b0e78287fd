"""Erasing a person by destroying their key: what was sealed with it is gone everywhere at once."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select

from dazi.audit.holds import Holds
from dazi.audit.ledger import Ledger
from dazi.audit.records import records
from dazi.audit.sealing import CLEAR, Sealing, fields_of
from dazi.core.errors import CallerError, NotFound
from dazi.store.database import Database

BATCH = 1_000


@dataclass(frozen=True, slots=True)
class Erased:
    """``plain``: records from before there was sealing; they stay until their time is over."""

    records: int
    keys: int
    plain: int


class Erasure:
    def __init__(self, database: Database, ledger: Ledger, sealing: Sealing) -> None:
        self._database = database
        self._ledger = ledger
        self._sealing = sealing

    async def erase(self, user: str, by: str, reason: str) -> Erased:
        """On record before it happens. Raises ``NotFound`` for somebody with no record, and
        ``CallerError`` without a reason or while a legal hold covers anything of theirs."""
        if not reason.strip():
            raise CallerError("erase", "抹除要写明理由", "an erasure needs a reason")
        found, plain = await self._count(user)
        if not found and not self._sealing.keys.has(user):
            raise NotFound("subject", f"没有 {user} 的记录", f"there is no record of {user}")
        hold = await Holds(self._database, self._ledger).of_subject(user)
        if hold is not None:
            raise CallerError(
                "held",
                f"{user} 的记录受保全 {hold.id} 约束({hold.reason}),不能抹除",
                f"records of {user} are under the hold {hold.id} ({hold.reason})",
            )
        body = {"act": "erase", "of": user, "reason": reason}
        await self._ledger.append("admin", by, "", body)
        keys = self._sealing.keys.destroy(user)
        return Erased(found - plain, keys, plain)

    async def _count(self, user: str) -> tuple[int, int]:
        """Records of the user, and how many of them hold something personal in plain."""
        c = records.c
        plain = after = 0
        async with self._database.read() as connection:
            query = select(func.count()).select_from(records).where(c.user == user)
            found = (await connection.execute(query)).scalar_one()
            while True:
                rows = (
                    await connection.execute(
                        select(c.seq, c.body)
                        .where(c.user == user, c.seq > after)
                        .order_by(c.seq)
                        .limit(BATCH)
                    )
                ).all()
                if not rows:
                    return found, plain
                for _, body in rows:
                    fields = fields_of(body)
                    plain += "sealed" not in fields and not CLEAR.issuperset(fields)
                after = rows[-1].seq
