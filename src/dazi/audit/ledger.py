"""The append-only, hash-chained ledger of what was asked, decided and done.

Each record's hash covers its content and the hash before it, so an edit, a deletion or a change of
order shows. Records reach the database in groups: one commit serves all that wait.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from dazi.audit.records import GENESIS, Kind, Record, chain, first_broken
from dazi.audit.sinks import MemorySink, Sink, SqlSink
from dazi.core.errors import OperatorError
from dazi.store.database import Conflict

__all__ = [
    "GENESIS",
    "Kind",
    "Ledger",
    "MemorySink",
    "Record",
    "Seal",
    "Sink",
    "SqlSink",
    "chain",
    "first_broken",
]

Waiting = tuple[Record, asyncio.Future[None]]


class Seal(Protocol):
    """Hides what is personal in a record's body."""

    def seal(self, at: float, kind: str, user: str, turn: str, body: Mapping[str, Any]) -> str:
        """The body's text as it is stored. Raises ``OperatorError`` where it has no keys."""
        ...


def _nobody(kind: str) -> None:
    """Counts."""


class Ledger:
    """Appends records in order. ``append`` returns once the record is durable in the sink."""

    def __init__(self, sink: Sink, seal: Seal | None = None) -> None:
        self._sink = sink
        self._seal = seal
        self._seq = 0
        self._previous = GENESIS
        self._waiting: list[Waiting] = []
        self._writer: asyncio.Task[None] | None = None
        self._failed: Exception | None = None
        self.tap: Callable[[str], None] = _nobody
        """Is told the kind of each record."""

    async def open(self) -> None:
        last = await self._sink.last()
        if last is not None:
            self._seq, self._previous = last.seq, last.hash

    def put(
        self, kind: Kind, user: str, turn: str, body: Mapping[str, Any]
    ) -> asyncio.Future[None]:
        """Chain a record and queue it; the future is done when it is durable."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        at = time.time()
        try:
            text = self._text(at, kind, user, turn, body)
        except OperatorError as e:
            self._failed = e
            future.set_exception(_unwritable())
            future.exception()
            return future
        self.tap(kind)
        record = self._chained(at, kind, user, turn, text)
        if not self._waiting and self._sink.keep(record):
            self._failed = None
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

    def _text(self, at: float, kind: str, user: str, turn: str, body: Mapping[str, Any]) -> str:
        if self._seal is not None:
            return self._seal.seal(at, kind, user, turn, body)
        return msgspec.json.encode(body, enc_hook=str, order="sorted").decode()

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
        try:
            if not self._sink.shared:
                try:
                    await self._sink.append([record for record, _ in batch])
                    return
                except Conflict:
                    pass  # another process has written meanwhile: go on from its last record
            await self._sink.append_after(lambda last: self._after(last, batch))
        except Exception:
            # The answer may be lost where the write was not: what is there counts.
            if not await self._sink.holds(batch[-1][0]):
                raise

    def _after(self, last: Record | None, batch: list[Waiting]) -> list[Record]:
        """The batch, and what has come since, chained to ``last``."""
        seq, previous = (last.seq, last.hash) if last else (0, GENESIS)
        first = batch[0][0]
        if (first.seq, first.previous) != (seq + 1, previous):
            queued = len(batch)
            self._seq, self._previous = seq, previous
            for i, (r, future) in enumerate([*batch, *self._waiting]):
                made = self._chained(r.at, r.kind, r.user, r.turn, r.body)
                if i < queued:
                    batch[i] = (made, future)
                else:
                    self._waiting[i - queued] = (made, future)
        return [record for record, _ in batch]

    def _chained(self, at: float, kind: str, user: str, turn: str, body: str) -> Record:
        seq, previous = self._seq + 1, self._previous
        digest = chain(previous, seq, at, kind, user, turn, body)
        self._seq, self._previous = seq, digest
        return Record(seq, at, kind, user, turn, body, previous, digest)

    def _refuse(self, batch: list[Waiting]) -> None:
        error = _unwritable()
        for _, future in batch:
            if not future.done():
                future.set_exception(error)


def _unwritable() -> OperatorError:
    return OperatorError(
        "audit",
        "审计账本写不进去,敏感操作已停用;请检查数据库和磁盘",
        "the audit ledger cannot be written; sensitive calls refuse until it can",
    )
