"""Reading, verifying and exporting the ledger, for whose duty that is.

The commands on the machine ask for no duty: whoever runs them can read the files anyway. Here it is
people behind a browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import IO, Any, Literal

from sqlalchemy import func, select

from dazi.access.duties import may
from dazi.access.recording import recorded, refuse
from dazi.audit.checkpoints import head_of
from dazi.audit.export import Format, write_csv, write_jsonl
from dazi.audit.ledger import Ledger
from dazi.audit.links import BATCH, Piece, verify_piece
from dazi.audit.paging import Page, page
from dazi.audit.records import Record, records
from dazi.audit.sealing import Sealing
from dazi.audit.search import Found, Query, matching
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import Verified, verify
from dazi.core.errors import AccessError, NotFound
from dazi.core.principal import Principal
from dazi.store.database import Database

Act = Literal["audit.read", "audit.verify", "audit.export"]
HOME = "default"
"""The tenant whose administrators look after the installation; the ledger is one for all."""
MOST_OF_TURN = 2_000


class LedgerReading:
    """``demo``: in a demo, which has no administrators and nobody's real words, its ``admin`` may
    look as well."""

    def __init__(
        self,
        database: Database,
        ledger: Ledger,
        sealing: Sealing,
        keys: SigningKeys,
        *,
        demo: bool = False,
    ) -> None:
        self._database = database
        self._ledger = ledger
        self._sealing = sealing
        self._keys = keys
        self._demo = demo

    def may(self, by: Principal, action: Act) -> bool:
        allowed = may(by, action) or (self._demo and by.has_role("admin"))
        return allowed and by.tenant == HOME

    async def page(self, by: Principal, query: Query, size: int, before: int | None = None) -> Page:
        """Newest first, as the records say where there is a key. Raises ``AccessError``."""
        await self._require(by, "audit.read")
        await self._ledger.flush()
        return await page(self._database, self._sealing, query, size, before=before)

    async def turn(self, by: Principal, turn: str) -> list[Found]:
        """A turn's records in their order. Raises ``AccessError`` and ``NotFound``."""
        await self._require(by, "audit.read")
        await self._ledger.flush()
        query = select(records).where(records.c.turn == turn).order_by(records.c.seq)
        async with self._database.read() as connection:
            rows = (await connection.execute(query.limit(MOST_OF_TURN))).all() if turn else ()
        if not rows:
            raise NotFound("turn", "账本里没有这一轮", "the ledger has no such turn")
        found = [Record(*row) for row in rows]
        return [Found(r, self._sealing.opened(r)) for r in found]

    async def last(self, by: Principal) -> int:
        """The number of the latest record; 0 in an empty ledger. Raises ``AccessError``."""
        await self._require(by, "audit.read")
        await self._ledger.flush()
        async with self._database.read() as connection:
            return (await connection.scalar(select(func.max(records.c.seq)))) or 0

    async def verify(self, by: Principal, told: Callable[[int], None]) -> Verified:
        """The whole ledger, a few records at a time so that others are served meanwhile; cancelled,
        it stops. ``told`` hears the number it has come to. Raises ``AccessError``."""
        await self._require(by, "audit.verify")
        await self._ledger.flush()
        return await verify(
            self._database, self._keys.trust(), head_of(self._keys), batch=BATCH, told=told
        )

    async def verify_turn(self, by: Principal, turn: list[Found]) -> Piece:
        """Raises ``AccessError``."""
        await self._require(by, "audit.verify")
        return await verify_piece(
            self._database, self._keys.trust(), [found.record for found in turn]
        )

    async def export(
        self, by: Principal, query: Query, form: Format, out: IO[bytes], *, sealed: bool
    ) -> int:
        """How many records were written; that they were is on record first. Raises
        ``AccessError``."""
        await self._require(by, "audit.export")
        asked = {"of": query.user, "since": query.since, "until": query.until, "turn": query.turn}
        body = {"format": form, "sealed": sealed, **{k: v for k, v in asked.items() if v}}
        async with recorded(self._record, by, "audit.export", **body):
            found = matching(self._database, self._sealing, query)
            if form == "csv":
                return await write_csv(found, out, sealed=sealed)
            part = bool(query.inside or query.user or query.kind or query.turn)
            return await write_jsonl(found, out, self._keys, whole=not part, sealed=sealed)

    async def _require(self, by: Principal, action: Act) -> None:
        if self.may(by, action):
            return
        error = AccessError(
            "duty",
            f"你没有权限做这件事({action})",
            f"you may not do this ({action})",
        )
        await refuse(self._record, by, action, error)

    async def _record(self, _: str, who: str, body: Mapping[str, Any]) -> None:
        await self._ledger.append("admin", who, "", body)
