"""The append-only, hash-chained ledger of what was asked, decided and done.

Each record's hash covers its content and the hash before it, so an edit, a deletion or a change of
order shows. Records reach the database in groups: one commit serves all that wait.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

import msgspec
from sqlalchemy import Column, Float, Integer, String, Table, Text, insert, select

from dazi.core.errors import OperatorError
from dazi.store.database import Database, Statement, metadata

Kind = Literal["turn", "call", "decision", "outcome", "answer", "sign_in", "admin"]

records = Table(
    "audit_records",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("at", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("user", String(200), nullable=False),
    Column("turn", String(40), nullable=False, index=True),
    Column("body", Text, nullable=False),
    Column("previous", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
)

_NAMES = tuple(c.name for c in records.columns)
_APPEND = Statement(insert(records))

GENESIS = "0" * 64
APPEND_TRIES = 8
"""How often a writer that lost the race for the next place in the chain tries again."""


@dataclass(frozen=True, slots=True)
class Record:
    """One line of the ledger; ``at`` is seconds since the epoch, ``body`` is JSON text."""

    seq: int
    at: float
    kind: str
    user: str
    turn: str
    body: str
    previous: str
    hash: str


Waiting = tuple[Record, asyncio.Future[None]]


class Sink(Protocol):
    """Where records come to rest."""

    async def last(self) -> Record | None: ...

    async def append(self, batch: list[Record]) -> None: ...

    def keep(self, record: Record) -> bool:
        """Take it here and now, if there is nothing to wait for; else false."""
        ...


def chain(previous: str, seq: int, at: float, kind: str, user: str, turn: str, body: str) -> str:
    """SHA-256 over the fields, each preceded by its length so that none can run into the next."""
    parts: list[bytes] = []
    for part in (previous, str(seq), repr(at), kind, user, turn, body):
        data = part.encode()
        parts += (len(data).to_bytes(8, "big"), data)
    return hashlib.sha256(b"".join(parts)).hexdigest()


class Ledger:
    """Appends records in order. ``append`` returns once the record is durable in the sink."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self._seq = 0
        self._previous = GENESIS
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._failed: Exception | None = None

    async def open(self) -> None:
        last = await self._sink.last()
        if last is not None:
            self._seq, self._previous = last.seq, last.hash

    def put(
        self, kind: Kind, user: str, turn: str, body: Mapping[str, Any]
    ) -> asyncio.Future[None]:
        """Chain a record and queue it; the future is done when it is durable."""
        text = msgspec.json.encode(body, enc_hook=str, order="sorted").decode()
        record = self._chained(time.time(), kind, user, turn, text)
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if not self._waiting and self._sink.keep(record):
            future.set_result(None)
            return future
        # A reader who does not wait must not see "exception was never retrieved": the next
        # append tells, and ``healthy`` says so.
        future.add_done_callback(lambda f: f.exception() if not f.cancelled() else None)
        self._waiting.append((record, future))
        if self._writer is None or self._writer.done():
            self._writer = asyncio.create_task(self._write())
        return future

    async def append(self, kind: Kind, user: str, turn: str, body: Mapping[str, Any]) -> None:
        """As ``put``, and wait. Raises ``OperatorError("audit")`` when the sink refuses."""
        await asyncio.shield(self.put(kind, user, turn, body))

    @property
    def healthy(self) -> bool:
        return self._failed is None

    async def flush(self) -> None:
        while self._writer is not None and not self._writer.done():
            await asyncio.shield(self._writer)

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await self._store(batch)
                self._failed = None
            except Exception as e:
                self._failed = e
                # Go on from the last record that did arrive, so that no gap stays in the chain.
                first = batch[0][0]
                self._seq, self._previous = first.seq - 1, first.previous
                batch += self._waiting
                self._waiting = []
                self._refuse(batch)
                return
            for _, future in batch:
                if not future.done():
                    future.set_result(None)

    async def _store(self, batch: list[Waiting]) -> None:
        """Another process may have written meanwhile: then go on from its last record."""
        for _ in range(APPEND_TRIES):
            try:
                await self._sink.append([record for record, _ in batch])
                return
            except Exception:
                last = await self._sink.last()
                if last is None or last.seq < batch[0][0].seq:
                    raise
                self._chain_after(last, batch)
        raise OSError("other writers were faster every time")

    def _chain_after(self, last: Record, batch: list[Waiting]) -> None:
        queued = len(batch)
        self._seq, self._previous = last.seq, last.hash
        for i, (r, future) in enumerate([*batch, *self._waiting]):
            made = self._chained(r.at, r.kind, r.user, r.turn, r.body)
            if i < queued:
                batch[i] = (made, future)
            else:
                self._waiting[i - queued] = (made, future)

    def _chained(self, at: float, kind: str, user: str, turn: str, body: str) -> Record:
        seq, previous = self._seq + 1, self._previous
        digest = chain(previous, seq, at, kind, user, turn, body)
        self._seq, self._previous = seq, digest
        return Record(seq, at, kind, user, turn, body, previous, digest)

    def _refuse(self, batch: list[Waiting]) -> None:
        error = OperatorError(
            "audit",
            "审计账本写不进去,敏感操作已停用;请检查数据库和磁盘",
            "the audit ledger cannot be written; sensitive calls refuse until it can",
        )
        for _, future in batch:
            if not future.done():
                future.set_exception(error)


def _columns(r: Record) -> dict[str, Any]:
    return {name: getattr(r, name) for name in _NAMES}


class SqlSink:
    """Records in the ``audit_records`` table."""

    def __init__(self, database: Database, *, sync: bool = False) -> None:
        """``sync``: records outlive a power cut, and not the end of the process alone."""
        self._database = database
        self._sync = sync

    async def last(self) -> Record | None:
        async with self._database.read() as connection:
            found = await connection.execute(
                select(records).order_by(records.c.seq.desc()).limit(1)
            )
            row = found.one_or_none()
        return Record(*row) if row is not None else None

    def keep(self, record: Record) -> bool:
        return False

    async def append(self, batch: list[Record]) -> None:
        await self._database.run(_APPEND, *(_columns(r) for r in batch), sync=self._sync)

    async def rows(self, turn: str | None = None, limit: int = 1000) -> list[Record]:
        query = select(records).order_by(records.c.seq).limit(limit)
        if turn is not None:
            query = query.where(records.c.turn == turn)
        async with self._database.read() as connection:
            return [Record(*row) for row in await connection.execute(query)]


class MemorySink:
    """Records in a list: for benchmarks and for programs that keep nothing."""

    def __init__(self) -> None:
        self.records: list[Record] = []

    async def last(self) -> Record | None:
        return self.records[-1] if self.records else None

    async def append(self, batch: list[Record]) -> None:
        self.records += batch

    def keep(self, record: Record) -> bool:
        self.records.append(record)
        return True

    async def rows(self, turn: str | None = None, limit: int = 1000) -> list[Record]:
        return [r for r in self.records if turn is None or r.turn == turn][:limit]


def first_broken(chained: list[Record]) -> int | None:
    """The ``seq`` of the first record that does not fit the chain, or ``None``."""
    previous = GENESIS
    for seq, r in enumerate(chained, 1):
        expected = chain(previous, seq, r.at, r.kind, r.user, r.turn, r.body)
        if r.seq != seq or r.previous != previous or r.hash != expected:
            return r.seq
        previous = r.hash
    return None
