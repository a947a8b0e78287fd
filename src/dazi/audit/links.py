"""One turn's records in the chain: what each is linked to, and which signature stands over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select

from dazi.audit.anchors import Checkpoint, checkpoints
from dazi.audit.records import GENESIS, Record, fits, records
from dazi.audit.signing import Trust
from dazi.audit.verify import Verified, verify
from dazi.store.database import Database

BATCH = 200
"""Records at a time: whoever is served meanwhile waits no longer than these take."""


@dataclass(frozen=True, slots=True)
class Link:
    """``whole``: content and hash agree. ``follows``: ``previous`` is the hash of the record before,
    ``None`` where that has been removed."""

    seq: int
    previous: str
    hash: str
    whole: bool
    follows: bool | None


@dataclass(frozen=True, slots=True)
class Piece:
    """``walked``: what became of the chain between ``after`` (0: the beginning) and the first
    checkpoint behind the turn, or the turn's end where none has been signed yet."""

    links: tuple[Link, ...]
    after: int
    signed: Checkpoint | None
    walked: Verified


async def verify_piece(database: Database, trust: Trust, turn: Sequence[Record]) -> Piece:
    """``turn``: records in their order, at least one."""
    first, last = turn[0].seq, turn[-1].seq
    c = checkpoints.c.seq
    async with database.read() as connection:
        query = select(checkpoints).where(c < first).order_by(c.desc()).limit(1)
        row = (await connection.execute(query)).one_or_none()
        before = Checkpoint(*row) if row is not None else None
        query = select(checkpoints).where(c >= last).order_by(c).limit(1)
        row = (await connection.execute(query)).one_or_none()
        signed = Checkpoint(*row) if row is not None else None
        wanted = [r.seq - 1 for r in turn]
        found = await connection.execute(
            select(records.c.seq, records.c.hash).where(records.c.seq.in_(wanted))
        )
        hashes: dict[int, str] = {row.seq: row.hash for row in found}
    hashes[0] = GENESIS
    walked = await verify(
        database, trust, since=before, until=signed.seq if signed else last, batch=BATCH
    )
    return Piece(
        tuple(_link(r, hashes.get(r.seq - 1)) for r in turn),
        before.seq if before else 0,
        signed,
        walked,
    )


def _link(r: Record, before: str | None) -> Link:
    return Link(
        r.seq, r.previous, r.hash, fits(r), None if before is None else before == r.previous
    )
