"""Looking at, checking and keeping the audit ledger from the command line."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import msgspec

from dazi.audit.anchors import Checkpoint, read_checkpoints
from dazi.audit.checkpoints import Checkpoints, head_of
from dazi.audit.export import Format, verify_file, write_csv, write_jsonl
from dazi.audit.holds import Hold, Holds, Scope
from dazi.audit.ledger import Ledger, SqlSink
from dazi.audit.retention import Pruned, Retention
from dazi.audit.sealing import Sealing
from dazi.audit.search import Found, Query, content_text, matching, search
from dazi.audit.signing import SigningKeys, Trust, read_public
from dazi.audit.telling import STATES, fault_text, verdict
from dazi.audit.verify import verify
from dazi.core.errors import CallerError
from dazi.core.language import Language, Text
from dazi.main.database import database_of
from dazi.main.settings import Settings
from dazi.store.database import Database


def audit_folder(data: Path) -> Path:
    """Where the keys are, beside the database and not in it."""
    return data / "audit"


@dataclass(frozen=True, slots=True)
class Room:
    """The ledger of a company as the commands use it."""

    database: Database
    ledger: Ledger
    sealing: Sealing
    keys: SigningKeys

    @property
    def checkpoints(self) -> Checkpoints:
        return Checkpoints(self.database, self.keys)

    @property
    def retention(self) -> Retention:
        return Retention(self.database, self.ledger, self.keys)


@asynccontextmanager
async def opened(settings: Settings) -> AsyncIterator[Room]:
    data = settings.data_folder(settings.company_folder())
    database = database_of(settings, data)
    sealing = Sealing(audit_folder(data))
    try:
        await database.create()
        ledger = Ledger(SqlSink(database, sync=True), sealing)
        await ledger.open()
        yield Room(database, ledger, sealing, SigningKeys(audit_folder(data)))
    finally:
        sealing.close()
        await database.close()


async def find(settings: Settings, query: Query, limit: int) -> list[Found]:
    async with opened(settings) as room:
        return await search(room.database, room.sealing, query, limit)


def as_lines(found: list[Found], language: Language) -> list[str]:
    out = []
    for f in found:
        r = f.record
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(r.at))
        mark = STATES[f.content.state](language) if f.content.state in STATES else ""
        said = content_text(f.content)
        out.append(_shown(f"{r.seq}  {at}  {r.user}  {r.kind}  {r.turn}  {mark}{said}"))
    return out


def as_json(found: list[Found]) -> str:
    rows = [
        {
            "seq": f.record.seq,
            "at": f.record.at,
            "kind": f.record.kind,
            "user": f.record.user,
            "turn": f.record.turn,
            "state": f.content.state,
            "content": f.content.fields,
            "hash": f.record.hash,
        }
        for f in found
    ]
    return json.dumps(rows, ensure_ascii=False, indent=1)


def _shown(line: str) -> str:
    """Without characters that would act on the terminal or turn text around."""
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in line)


async def check(
    settings: Settings, language: Language, checkpoint: Path | None, public_key: Path | None
) -> tuple[bool, str]:
    """Verify the ledger, also against checkpoints kept elsewhere."""
    async with opened(settings) as room:
        kept = head_of(room.keys)
        if checkpoint is not None:
            kept += read_checkpoints(checkpoint)
        found = await verify(room.database, _trust(room.keys, public_key), kept)
    return found.bad is None, verdict(found)(language)


def check_file(
    settings: Settings, language: Language, export: Path, public_key: Path | None
) -> tuple[bool, str]:
    """Verify an export by itself; the company's own public keys count without ``public_key``."""
    data = settings.data_folder(settings.company_folder())
    found = verify_file(export, _trust(SigningKeys(audit_folder(data)), public_key))
    if found.bad is not None:
        return False, fault_text(found.bad)(language)
    whole = (
        Text("连续的一段", "an unbroken piece") if found.whole else Text("一部分", "a selection")
    )
    zh = f"{found.records} 条记录({whole.zh}),哈希、内容和签名都对;其中 {found.erased} 条已抹除"
    en = (
        f"{found.records} records ({whole.en}): hashes, content and signature hold; "
        f"{found.erased} of them are erased"
    )
    return True, Text(zh, en)(language)


def _trust(keys: SigningKeys, public_key: Path | None) -> Trust:
    return keys.trust(read_public(public_key) if public_key is not None else None)


async def checkpoint(settings: Settings, out: Path | None) -> str:
    """Make a checkpoint; its line, which is also added to ``out``."""
    async with opened(settings) as room:
        made = await room.checkpoints.make()
    if made is None:
        raise CallerError("empty", "账本还是空的", "the ledger is empty yet")
    line = _line(made)
    if out is not None:
        _save(out, line + "\n", "a")
    return line


def _line(made: Checkpoint) -> str:
    return msgspec.json.encode(made).decode()


async def public_key(settings: Settings, out: Path | None, rotate: bool, by: str) -> str:
    """The public key that checkpoints are signed with, as PEM; after ``rotate`` a new one."""
    async with opened(settings) as room:
        if rotate:
            await room.ledger.append("admin", by, "", {"act": "rotate"})
            room.keys.rotate()
        pem = room.keys.public_pem()
    if out is not None:
        _save(out, pem, "w")
    return pem


async def export(
    settings: Settings, query: Query, form: Format, out: Path | None, *, sealed: bool
) -> int:
    """Write matching records to ``out`` or standard output; how many."""
    async with opened(settings) as room:
        found = matching(room.database, room.sealing, query)
        with _opened_for(out) as file:
            if form == "csv":
                return await write_csv(found, file, sealed=sealed)
            return await write_jsonl(found, file, room.keys, whole=not query.user, sealed=sealed)


def _opened_for(out: Path | None) -> AbstractContextManager[IO[bytes]]:
    if out is None:
        return nullcontext(sys.stdout.buffer)
    try:
        return out.open("wb")
    except OSError as e:
        raise _unwritable(out, e) from e


def _save(out: Path, text: str, mode: str) -> None:
    try:
        with out.open(mode, encoding="utf-8") as file:
            file.write(text)
    except OSError as e:
        raise _unwritable(out, e) from e


def _unwritable(out: Path, e: OSError) -> CallerError:
    return CallerError(
        "out", f"写不了 {out}:{e.strerror}", f"{out} cannot be written: {e.strerror}"
    )


async def prune(settings: Settings, days: int, by: str, *, dry_run: bool) -> Pruned:
    async with opened(settings) as room:
        if dry_run:
            return await room.retention.plan(days)
        done = await room.retention.prune(days, by)
        if done.removed:
            await room.checkpoints.make()
        return done


def pruned_text(done: Pruned, days: int, *, dry_run: bool) -> Text:
    zh, en = ("会删除", "would be removed") if dry_run else ("已删除", "were removed")
    return Text(
        f"超过 {days} 天的记录:{zh} {done.removed} 条({done.anchors} 个签名锚点),"
        f"因保全留下 {done.held} 条",
        f"records older than {days} days: {done.removed} {en} ({done.anchors} signed anchors), "
        f"{done.held} stay under a hold",
    )


async def hold_add(settings: Settings, scope: Scope, by: str, reason: str) -> Hold:
    async with opened(settings) as room:
        return await Holds(room.database, room.ledger).add(scope, by, reason)


async def hold_list(settings: Settings) -> list[Hold]:
    async with opened(settings) as room:
        return await Holds(room.database, room.ledger).active()


async def hold_release(settings: Settings, number: str, by: str, reason: str) -> None:
    async with opened(settings) as room:
        await Holds(room.database, room.ledger).release(number, by, reason)


def hold_text(hold: Hold) -> str:
    s = hold.scope
    parts = {
        "user": s.user,
        "turn": s.turn,
        "since": _day(s.since),
        "until": _day(s.until),
    }
    told = " ".join(f"{k}={v}" for k, v in parts.items() if v)
    return _shown(f"{hold.id}  {_day(hold.at)}  {hold.by}  {told}  {hold.reason}")


def _day(at: float | None) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(at)) if at is not None else ""
