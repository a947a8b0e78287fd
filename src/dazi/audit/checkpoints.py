"""Signed checkpoints: what the chain's end was at a time, so that nobody can later say otherwise.

A checkpoint is in the database, the latest one also beside the signing key; where the machine
itself may be taken over, a copy belongs elsewhere.
"""

from __future__ import annotations

import asyncio
import logging
import time

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.exc import IntegrityError

from dazi.audit.anchors import Checkpoint, checkpoints, read_checkpoints
from dazi.audit.files import keys_at, replace
from dazi.audit.records import Record, fits, records
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import Verified, verify
from dazi.core.errors import DaziError, OperatorError
from dazi.store.database import Database

log = logging.getLogger("dazi.audit")

EVERY_RECORDS = 1_000
EVERY_S = 600.0
LOOK_S = 15.0
BATCH = 100
"""Records at a time: whoever is served meanwhile waits no longer than these take."""


class Checkpoints:
    def __init__(self, database: Database, keys: SigningKeys) -> None:
        self._database = database
        self._keys = keys

    async def latest(self) -> Checkpoint | None:
        query = select(checkpoints).order_by(checkpoints.c.seq.desc()).limit(1)
        async with self._database.read() as connection:
            row = (await connection.execute(query)).one_or_none()
        return Checkpoint(*row) if row is not None else None

    async def make(self) -> Checkpoint | None:
        """Sign the chain's end; ``None`` where the ledger is empty, the latest one where nothing
        has come since. Raises ``OperatorError`` where what has come does not fit: that is never
        signed."""
        before = await self.latest()
        found = await self._end_of_what_fits(before)
        if found.end == (before.seq if before is not None else 0):
            return before
        unsigned = Checkpoint(found.end, found.hash, time.time())
        key, signature = await asyncio.to_thread(self._keys.sign, unsigned.statement())
        made = msgspec.structs.replace(unsigned, key=key, signature=signature)
        try:
            async with self._database.write() as connection:
                await connection.execute(insert(checkpoints), [msgspec.structs.asdict(made)])
        except IntegrityError:
            return await self.latest()  # another process made one of the same record
        await asyncio.to_thread(self._keep_outside, made)
        return made

    def _keep_outside(self, made: Checkpoint) -> None:
        if all(known.seq < made.seq for known in head_of(self._keys)):
            replace(self._keys.head, msgspec.json.encode(made))

    async def due(self, every_records: int, every_s: float) -> bool:
        before = await self.latest()
        async with self._database.read() as connection:
            end = (await connection.execute(select(func.max(records.c.seq)))).scalar()
        since = (end or 0) - (before.seq if before else 0)
        old = before is None or time.time() - before.at >= every_s
        return since >= every_records or (since > 0 and old)

    async def _end_of_what_fits(self, before: Checkpoint | None) -> Verified:
        """Only what has come since ``before`` is read."""
        if before is not None:
            async with self._database.read() as connection:
                row = (
                    await connection.execute(select(records).where(records.c.seq == before.seq))
                ).one_or_none()
            record = Record(*row) if row is not None else None
            if record is None or record.hash != before.hash or not fits(record):
                raise _broken(before.seq)
        # What is known outside the database must still be there: a cut and a new beginning are
        # not to be signed over either.
        kept = await asyncio.to_thread(head_of, self._keys)
        trust = self._keys.trust()
        found = await verify(self._database, trust, kept, since=before, batch=BATCH)
        if found.bad is not None:
            raise _broken(found.bad.seq)
        return found


def _broken(seq: int) -> OperatorError:
    return OperatorError(
        "audit_chain",
        f"审计记录 {seq} 与哈希链不符,没有签检查点;请运行 dazi audit verify",
        f"audit record {seq} does not fit the chain, and no checkpoint is signed; "
        "run dazi audit verify",
    )


async def keep_checkpoints(
    made: Checkpoints,
    *,
    every_records: int = EVERY_RECORDS,
    every_s: float = EVERY_S,
    look_s: float = LOOK_S,
) -> None:
    """Make one every so many records or seconds, whichever is first, until cancelled. Several
    processes may do so at once."""
    while True:
        try:
            if await made.due(every_records, every_s):
                await made.make()
        except DaziError as e:
            log.error("no checkpoint of the audit ledger: %s", e)
        except Exception:  # the database may come back
            log.exception("no checkpoint of the audit ledger")
        await asyncio.sleep(look_s)


def head_of(keys: SigningKeys) -> list[Checkpoint]:
    """The latest checkpoint as it is known outside the database, if there is one."""
    with keys_at(keys.head):
        there = keys.head.exists()
    return read_checkpoints(keys.head) if there else []
