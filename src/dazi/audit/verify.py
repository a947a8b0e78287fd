"""Whether the ledger is what was written: the chain, the signatures, and nothing missing."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from sqlalchemy import Table, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from dazi.audit.anchors import Checkpoint, Gap, checkpoints, gaps
from dazi.audit.records import GENESIS, Record, fits, records
from dazi.audit.signing import Trust
from dazi.store.database import Database

BATCH = 1_000


class Fault(StrEnum):
    """``CHANGED``: content and hash differ. ``MISSING``: records are gone that no anchor stands
    for. ``MISPLACED``: it does not follow the record before it. ``CUT``: a checkpoint knows a
    record behind the ledger's end. ``FORKED``: a checkpoint knows another record of this number.
    ``SIGNATURE``: a checkpoint or an anchor is not signed by a trusted key."""

    CHANGED = "changed"
    MISSING = "missing"
    MISPLACED = "misplaced"
    CUT = "cut"
    FORKED = "forked"
    SIGNATURE = "signature"


@dataclass(frozen=True, slots=True)
class Bad:
    """``seq``: the first bad record."""

    seq: int
    fault: Fault


@dataclass(slots=True)
class Verified:
    """``removed``: records that signed anchors stand for; ``through``: the last checkpoint's
    record, behind which a cut would not show; ``end`` and ``hash``: the last record."""

    records: int = 0
    removed: int = 0
    checkpoints: int = 0
    through: int = 0
    end: int = 0
    hash: str = GENESIS
    bad: Bad | None = None


@dataclass(slots=True)
class Walk:
    """Takes records in order and says the first thing that is wrong."""

    trust: Trust
    seq: int = 0
    hash: str = GENESIS
    found: Verified = field(default_factory=Verified)

    def cross(self, anchors: Iterable[Gap], to: int) -> Bad | None:
        """Step over what was removed before record ``to``."""
        by_first = {(g.first, g.before): g for g in anchors}
        while self.seq + 1 < to:
            gap = by_first.get((self.seq + 1, self.hash))
            if gap is None or gap.last >= to or gap.last < gap.first:
                return Bad(self.seq + 1, Fault.MISSING)
            if not self.trust.valid(gap.key, gap.statement(), gap.signature):
                return Bad(gap.first, Fault.SIGNATURE)
            self.found.removed += gap.last - gap.first + 1
            self.seq, self.hash = gap.last, gap.hash
        return None

    def step(self, r: Record) -> Bad | None:
        if r.seq != self.seq + 1:
            return Bad(r.seq, Fault.MISPLACED)
        if not fits(r):
            return Bad(r.seq, Fault.CHANGED)
        if r.previous != self.hash:
            # Whole in itself and chained to something else: the record before was replaced.
            return Bad(self.seq, Fault.CHANGED) if self.seq else Bad(r.seq, Fault.MISPLACED)
        self.seq, self.hash = r.seq, r.hash
        self.found.records += 1
        return None

    def compare(self, c: Checkpoint, hash: str | None) -> Bad | None:
        """``hash``: that of the checkpoint's record, if it was not removed."""
        if not self.trust.valid(c.key, c.statement(), c.signature):
            return Bad(c.seq, Fault.SIGNATURE)
        if hash is not None and hash != c.hash:
            return Bad(c.seq, Fault.FORKED)
        if c.seq > self.found.through:  # the same one may be kept in several places
            self.found.checkpoints += 1
            self.found.through = c.seq
        return None


async def verify(
    database: Database,
    trust: Trust,
    kept: Sequence[Checkpoint] = (),
    *,
    since: Checkpoint | None = None,
    until: int | None = None,
    batch: int = BATCH,
    told: Callable[[int], None] | None = None,
) -> Verified:
    """Walk through one snapshot of the ledger in constant memory.

    ``kept``: checkpoints from outside the database, which no writer of the database can remove.
    ``since``: begin behind that record, which is as the checkpoint says. ``until``: end with that
    record. ``told`` hears how far it has come, a batch at a time; whoever has heard enough cancels.
    """
    walk = Walk(trust)
    if since is not None:
        if bad := walk.compare(since, None):
            return Verified(bad=bad)
        walk.seq, walk.hash = since.seq, since.hash
    async with database.read() as connection:
        if not database.sqlite:
            await connection.execution_options(isolation_level="REPEATABLE READ")
        span = _Span(until, batch, told or (lambda _: None))
        walk.found.bad = await _walked(connection, walk, kept, span)
    walk.found.end, walk.found.hash = walk.seq, walk.hash
    return walk.found


@dataclass(frozen=True, slots=True)
class _Span:
    until: int | None
    batch: int
    told: Callable[[int], None]


async def _walked(
    connection: AsyncConnection, walk: Walk, kept: Sequence[Checkpoint], span: _Span
) -> Bad | None:
    until = span.until
    async for found in _batches(connection, walk.seq or None, span.batch):
        if isinstance(found, Bad):
            return None if until is not None and found.seq > until else found
        rows = [r for r in found if until is None or r.seq <= until]
        if not rows:
            return None
        low, high = walk.seq + 1, rows[-1].seq
        anchors = [Gap(*g) for g in await _between(connection, gaps, "first", low, high)]
        signed = [Checkpoint(*c) for c in await _between(connection, checkpoints, "seq", low, high)]
        due: dict[int, list[Checkpoint]] = {}
        for c in (*signed, *(k for k in kept if low <= k.seq <= high)):
            due.setdefault(c.seq, []).append(c)
        for r in rows:
            bad = walk.cross(anchors, r.seq) or walk.step(r)
            for c in due.pop(r.seq, ()):
                bad = bad or walk.compare(c, r.hash)
            if bad:
                return bad
        for left in due.values():  # of records that were removed
            for c in left:
                if bad := walk.compare(c, None):
                    return bad
        span.told(walk.seq)
        if len(rows) < len(found) or walk.seq == until:
            return None
    return await _beyond(connection, walk, kept)


async def _beyond(
    connection: AsyncConnection, walk: Walk, kept: Sequence[Checkpoint]
) -> Bad | None:
    """What is signed of records behind the end: those were cut off."""
    for gap in [Gap(*g) for g in await _between(connection, gaps, "first", walk.seq + 1)]:
        if bad := walk.cross([gap], gap.last + 1):
            return Bad(bad.seq, Fault.CUT) if bad.fault is Fault.MISSING else bad
    stored = [Checkpoint(*c) for c in await _between(connection, checkpoints, "seq", walk.seq + 1)]
    for c in sorted((*stored, *(k for k in kept if k.seq > walk.seq)), key=lambda c: c.seq):
        return walk.compare(c, None) or Bad(walk.seq + 1, Fault.CUT)
    return None


async def _batches(
    connection: AsyncConnection, after: int | None, size: int
) -> AsyncIterator[list[Record] | Bad]:
    c = records.c.seq
    while True:
        query = select(records).order_by(c)
        seqs = select(c).order_by(c).limit(1)
        if after is not None:
            query, seqs = query.where(c > after), seqs.where(c > after)
        try:
            rows = [Record(*row) for row in await connection.execute(query.limit(size))]
        except (SQLAlchemyError, ValueError, TypeError):
            if connection.dialect.name != "sqlite":
                raise
            # Something that no text or number is: go one by one up to it.
            if size == 1:
                yield Bad((await connection.execute(seqs)).scalar_one(), Fault.CHANGED)
                return
            size = 1
            continue
        if not rows:
            return
        yield rows
        after = rows[-1].seq


async def _between(
    connection: AsyncConnection, table: Table, column: str, low: int, high: int | None = None
) -> Sequence[Any]:
    c = table.c[column]
    query = select(table).where(c >= low).order_by(c)
    if high is not None:
        query = query.where(c <= high)
    return (await connection.execute(query)).all()
