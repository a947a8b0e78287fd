"""Somebody who may write everything in the database rewrites the audit ledger; does it show?

They have no signing key. The ledger they find was pruned under a hold, so it has lawful gaps, and
has a checkpoint every so often. Each try is one change to a fresh copy; what ``verify`` says must
name the first bad record, or the nearest one that anybody could name.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import sqlite3
import tempfile
import time
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dazi.audit.checkpoints import Checkpoints, head_of
from dazi.audit.days import DEFAULT_DAYS
from dazi.audit.holds import Holds, Scope
from dazi.audit.ledger import Ledger, MemorySink, Record, SqlSink, chain
from dazi.audit.retention import DAY_S, Retention
from dazi.audit.sealing import Sealing
from dazi.audit.signing import SigningKeys
from dazi.audit.verify import verify
from dazi.store.database import Database

COLUMNS = "seq, at, kind, user, turn, body, previous, hash"
Row = list[Any]
Range = tuple[int, int]


@dataclass(slots=True)
class Report:
    """``violations``: what was not found or named wrongly, by the kind of change."""

    records: int = 0
    tried: Counter[str] = field(default_factory=Counter)
    violations: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Ground:
    """A ledger as it was written: numbers of its records behind the last gap (``tail``) and of
    those that are held, its gaps and its checkpoints."""

    path: Path
    keys: SigningKeys
    tail: range
    held: tuple[int, ...]
    gaps: tuple[Range, ...]
    checkpoints: tuple[int, ...]

    def next_checkpoint(self, seq: int) -> int:
        return min((c for c in self.checkpoints if c >= seq), default=self.tail[-1])


async def lay(folder: Path, records: int) -> Ground:
    """Write a ledger of so many records, and keep it for a while."""
    path = folder / "whole.sqlite"
    database = Database.at(path)
    await database.create()
    sealing, keys = Sealing(folder / "audit"), SigningKeys(folder / "audit")
    ledger = Ledger(SqlSink(database), sealing)
    made = Checkpoints(database, keys)
    every = max(records // 20, 5)
    for start in range(0, records, every):
        for n in range(start, min(start + every, records)):
            body = {"tool": "query", "arguments": {"order": f"ORD{n}"}, "outcome": "ok"}
            ledger.put("call", f"user{n % 7}", f"turn{n // 4}", body)
        await ledger.flush()
        await made.make()
    held_turn = f"turn{records // 40}"
    await Holds(database, ledger).add(Scope(turn=held_turn), "root", "a dispute")
    rows = await SqlSink(database).rows(None, records // 10)
    retention = Retention(database, ledger, keys)
    await retention.prune(DEFAULT_DAYS, "root", rows[-1].at + DEFAULT_DAYS * DAY_S)
    await made.make()
    await database.close()
    sealing.close()
    with _edited(path) as c:
        seqs = [s for (s,) in c.execute("SELECT seq FROM audit_records ORDER BY seq")]
        gaps = tuple(c.execute("SELECT first, last FROM audit_gaps ORDER BY first"))
        signed = tuple(s for (s,) in c.execute("SELECT seq FROM audit_checkpoints ORDER BY seq"))
    behind = gaps[-1][1] + 1
    held = tuple(s for s in seqs if s < behind)
    return Ground(path, keys, range(behind, seqs[-1] + 1), held, gaps, signed)


@contextmanager
def _edited(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as connection, connection:
        yield connection


def _row(c: sqlite3.Connection, seq: int) -> Row:
    return list(c.execute(f"SELECT {COLUMNS} FROM audit_records WHERE seq = ?", (seq,)).fetchone())


def _put(c: sqlite3.Connection, row: Row) -> None:
    c.execute("INSERT OR REPLACE INTO audit_records VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)


def _rehash(row: Row, previous: str) -> str:
    row[6], row[7] = previous, chain(previous, *row[:6])
    return str(row[7])


def _rewrite(c: sqlite3.Connection, seq: int, end: int) -> None:
    """Change ``seq`` and chain everything behind it anew: in itself the ledger is perfect."""
    previous = _row(c, seq)[6]
    for n in range(seq, end + 1):
        row = _row(c, n)
        if n == seq:
            row[3] = "somebody else"
        previous = _rehash(row, previous)
        _put(c, row)


def _cut(c: sqlite3.Connection, first: int, last: int) -> None:
    c.execute("DELETE FROM audit_records WHERE seq BETWEEN ? AND ?", (first, last))


def _unsign(c: sqlite3.Connection, seq: int) -> None:
    c.execute("DELETE FROM audit_checkpoints WHERE seq >= ?", (seq,))


def edit(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k, column = rng.choice((*g.held, *g.tail)), rng.randrange(1, 8)
    row = _row(c, k)
    row[column] = row[column] + 0.001 if column == 1 else _altered(str(row[column]), rng)
    _put(c, row)
    return k, k


def _altered(text: str, rng: random.Random) -> str:
    if not text or rng.random() < 0.2:
        return text + "0"
    at = rng.randrange(len(text))
    return text[:at] + ("1" if text[at] != "1" else "2") + text[at + 1 :]


def edit_and_rehash(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    row = _row(c, k)
    row[5] = row[5].replace("query", "quarry").replace("root", "toor") + " "
    _rehash(row, row[6])
    _put(c, row)
    return k, k


def foreign_value(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice((*g.held, *g.tail))
    column, value = rng.choice(
        [("body", "X'7b7d'"), ("user", "CAST(X'ff' AS TEXT)"), ("at", "'noon'"), ("hash", "X'00'")]
    )
    c.execute(f"UPDATE audit_records SET {column} = {value} WHERE seq = ?", (k,))
    return k, k


def delete(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice((*g.held, *g.tail))
    _cut(c, k, k)
    return k, k


def delete_many(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    _cut(c, k, k + rng.randrange(1, 50))
    return k, k


def delete_and_close_up(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    _cut(c, k, k)
    for n in range(k + 1, g.tail[-1] + 1):
        c.execute("UPDATE audit_records SET seq = ? WHERE seq = ?", (n - 1, n))
    return k, k


def insert(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    row = _row(c, k)
    c.execute("UPDATE audit_records SET seq = -seq - 1 WHERE seq >= ?", (k,))
    c.execute("UPDATE audit_records SET seq = -seq WHERE seq < 0")
    row[3] = "somebody else"
    _rehash(row, row[6])
    _put(c, row)
    return k, k + 1


def insert_before_all(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    row = _row(c, rng.choice(g.tail))
    row[0] = k = -rng.randrange(0, 9)
    _rehash(row, row[6])
    _put(c, row)
    return k, k


def reorder(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    i, j = sorted(rng.sample(g.tail, 2))
    one, two = _row(c, i), _row(c, j)
    _put(c, [i, *two[1:]])
    _put(c, [j, *one[1:]])
    return i, i


def truncate(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    _cut(c, k, g.tail[-1])
    return k, k


def truncate_and_unsign(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    _cut(c, k, g.tail[-1])
    _unsign(c, k)
    return k, k


def fork(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    _rewrite(c, k, g.tail[-1])
    return k, g.next_checkpoint(k)


def fork_and_unsign(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.tail)
    _rewrite(c, k, g.tail[-1])
    _unsign(c, k)
    return k, g.tail[-1]


def fork_and_grow(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k, end = rng.choice(g.tail), g.tail[-1]
    _rewrite(c, k, end)
    _unsign(c, k)
    row = _row(c, end)
    for n in range(end + 1, end + 20):
        previous, row[0] = row[7], n
        _rehash(row, previous)
        _put(c, row)
    return k, end


def fork_and_sign(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    """With a key of their own, under the real one's name."""
    k, end = rng.choice(g.tail), g.tail[-1]
    _rewrite(c, k, end)
    _unsign(c, k)
    key = g.keys.known()[0].id
    signature = b64encode(Ed25519PrivateKey.generate().sign(b"anything")).decode()
    row = (end, _row(c, end)[7], time.time(), key, signature)
    c.execute("INSERT INTO audit_checkpoints VALUES (?, ?, ?, ?, ?)", row)
    return k, end


def checkpoint_changed(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    k = rng.choice(g.checkpoints)
    change = rng.choice(("at = at + 1", "signature = 'AAAA'", "key = '0'", "hash = previous"))
    if "previous" in change:
        change = f"hash = '{'0' * 64}'"
    c.execute(f"UPDATE audit_checkpoints SET {change} WHERE seq = ?", (k,))
    return k, k


def gap_forged(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    """A gap of their own, signed with what some checkpoint was signed with."""
    k = rng.choice(g.tail[:-1])
    last = min(k + rng.randrange(9), g.tail[-1] - 1)
    before, end = _row(c, k)[6], _row(c, last)[7]
    _cut(c, k, last)
    key, signature = c.execute("SELECT key, signature FROM audit_checkpoints LIMIT 1").fetchone()
    row = (k, last, before, end, time.time(), key, signature)
    c.execute("INSERT INTO audit_gaps VALUES (?, ?, ?, ?, ?, ?, ?)", row)
    return k, k


def gap_widened(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    first, last = g.gaps[-1]
    more = last + rng.randrange(1, 9)
    end = _row(c, more)[7]
    _cut(c, last + 1, more)
    c.execute("UPDATE audit_gaps SET last = ?, hash = ? WHERE first = ?", (more, end, first))
    return first, first


def gap_taken_away(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    first, _ = rng.choice(g.gaps)
    c.execute("DELETE FROM audit_gaps WHERE first = ?", (first,))
    return first, first


def all_gone(c: sqlite3.Connection, g: Ground, rng: random.Random) -> Range:
    for table in ("audit_records", "audit_checkpoints", "audit_gaps"):
        c.execute(f"DELETE FROM {table}")
    return 1, 1


Change = Callable[[sqlite3.Connection, Ground, random.Random], Range]
CHANGES: tuple[Change, ...] = (
    edit, edit_and_rehash, foreign_value, delete, delete_many, delete_and_close_up,
    insert, insert_before_all, reorder, truncate, truncate_and_unsign,
    fork, fork_and_unsign, fork_and_grow, fork_and_sign,
    checkpoint_changed, gap_forged, gap_widened, gap_taken_away, all_gone,
)  # fmt: skip


async def _judge(g: Ground, path: Path) -> int | None:
    database = Database(f"sqlite+aiosqlite:///{path}")
    try:
        found = await verify(database, g.keys.trust(), head_of(g.keys))
    finally:
        await database.close()
    return found.bad.seq if found.bad is not None else None


async def run(records: int = 10_000, tries: int = 1_000, seed: int = 1) -> Report:
    """``tries`` changes, every kind as often."""
    began = time.perf_counter()
    report, rng = Report(records), random.Random(seed)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        g = await lay(folder, records)
        copy = folder / "copy.sqlite"
        shutil.copy(g.path, copy)
        if await _judge(g, copy) is not None:
            report.violations["untouched, and not believed"] += 1
        for n in range(tries):
            change = CHANGES[n % len(CHANGES)]
            shutil.copy(g.path, copy)
            with _edited(copy) as connection:
                low, high = change(connection, g, rng)
            named = await _judge(g, copy)
            _count(report, change.__name__, named, low, high)
    report.seconds = time.perf_counter() - began
    return report


def _count(report: Report, kind: str, named: int | None, low: int, high: int) -> None:
    kind = kind.replace("_", " ")
    report.tried[kind] += 1
    if named is None:
        report.violations[f"{kind}: not found"] += 1
    elif not low <= named <= high:
        report.violations[f"{kind}: {named} named, and not {low} to {high}"] += 1


async def cost(records: int = 4_000) -> tuple[float, float]:
    """Microseconds of CPU that sealing adds to a record, and that opening one takes."""
    body = {
        "said": "订单 ORD12345 的退款,原因是漏发" * 3, "thread": "thread_1", "roles": ["customer"],
        "channel": "api", "model": "qwen3", "offered": ["query_order", "request_refund"] * 4,
    }  # fmt: skip
    with tempfile.TemporaryDirectory() as temporary:
        sealing = Sealing(Path(temporary))
        text = sealing.seal(1.0, "turn", "user1", "turn_1", body)
        record = Record(1, 1.0, "turn", "user1", "turn_1", text, "", "")
        plain, sealed = Ledger(_Nowhere()), Ledger(_Nowhere(), sealing)
        without = _us(lambda n: plain.put("turn", f"user{n % 50}", "turn_1", body), records)
        within = _us(lambda n: sealed.put("turn", f"user{n % 50}", "turn_1", body), records)
        opening = _us(lambda n: sealing.opened(record), records)
        sealing.close()
    return within - without, opening


def _us(work: Callable[[int], object], times: int) -> float:
    """The least of seven rounds."""
    best = float("inf")
    for _ in range(7):
        began = time.process_time()
        for n in range(times):
            work(n)
        best = min(best, time.process_time() - began)
    return best / times * 1e6


class _Nowhere(MemorySink):
    def keep(self, record: Record) -> bool:
        return True


def main() -> None:
    report = asyncio.run(run())
    sealing, opening = asyncio.run(cost())
    print(f"{report.tried.total()} changes of {report.records} records, {report.seconds:.0f} s")
    print(f"tried: {dict(report.tried)}\nviolations: {dict(report.violations)}")
    print(f"sealing adds {sealing:.1f} us a record, opening takes {opening:.1f} us")


if __name__ == "__main__":
    main()
