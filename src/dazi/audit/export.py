"""Records as files: JSON Lines that verify by themselves, and CSV for spreadsheets.

A line holds the record as it is stored, with its hash, beside what it says; the salt opens the
commitment that the stored body holds, so what it says can be checked against it. The last line is
signed over the hashes of all the others, so none can be left out.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import io
import time
from base64 import b64decode, b64encode
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Literal

import msgspec

from dazi.audit.records import GENESIS, Record, fits, framed
from dazi.audit.sealing import committed, fields_of
from dazi.audit.search import Found, content_text
from dazi.audit.signing import SigningKeys, Trust
from dazi.audit.verify import Bad, Fault
from dazi.core.errors import ConfigError

Format = Literal["jsonl", "csv"]
COLUMNS = ("seq", "at", "kind", "user", "turn", "tool", "outcome", "content", "hash")
FORMULA = "=+-@＝＋－＠|%"
"""What a spreadsheet may take for the beginning of a formula (OWASP: CSV injection)."""
BLOCK = 500


class Line(msgspec.Struct, omit_defaults=True):
    seq: int
    at: float
    kind: str
    user: str
    turn: str
    body: str
    previous: str
    hash: str
    content: dict[str, Any] | None = None
    salt: str = ""

    def record(self) -> Record:
        return Record(
            self.seq, self.at, self.kind, self.user, self.turn, self.body, self.previous, self.hash
        )


class End(msgspec.Struct, frozen=True):
    """The last line. ``digest``: SHA-256 over the hashes of the lines; ``whole``: no record between
    the first and the last was left out by what was asked for."""

    end: bool
    count: int
    digest: str
    whole: bool
    at: float
    key: str = ""
    signature: str = ""

    def statement(self) -> bytes:
        return framed(
            "dazi audit export", str(self.count), self.digest, str(self.whole), repr(self.at)
        )


async def write_jsonl(
    found: AsyncIterator[Found], out: IO[bytes], keys: SigningKeys, *, whole: bool, sealed: bool
) -> int:
    """How many were written. ``sealed``: without what the stored form hides."""
    digest, count = hashlib.sha256(), 0
    async for block in _blocks(found):
        for f in block:
            digest.update(f.record.hash.encode())
            out.write(msgspec.json.encode(_line(f, sealed)) + b"\n")
            count += 1
    end = End(True, count, digest.hexdigest(), whole, time.time())
    key, signature = await asyncio.to_thread(keys.sign, end.statement())
    signed = msgspec.structs.replace(end, key=key, signature=signature)
    out.write(msgspec.json.encode(signed) + b"\n")
    return count


def _line(f: Found, sealed: bool) -> Line:
    r = f.record
    line = Line(r.seq, r.at, r.kind, r.user, r.turn, r.body, r.previous, r.hash)
    if not sealed and f.content.state != "plain":
        line.content = f.content.fields
        line.salt = b64encode(f.content.salt).decode()
    return line


async def write_csv(found: AsyncIterator[Found], out: IO[bytes], *, sealed: bool) -> int:
    """As UTF-8 with a mark, which spreadsheets need to read Chinese; times are local."""
    out.write(b"\xef\xbb\xbf" + _csv_row(COLUMNS))
    count = 0
    async for block in _blocks(found):
        for f in block:
            r, fields = f.record, f.content.fields
            at = datetime.fromtimestamp(r.at).astimezone().isoformat(timespec="milliseconds")
            content = r.body if sealed else content_text(f.content)
            named = (str(fields.get(name, "")) for name in ("tool", "outcome"))
            out.write(_csv_row((str(r.seq), at, r.kind, r.user, r.turn, *named, content, r.hash)))
            count += 1
    return count


def _csv_row(cells: tuple[str, ...]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow([cell_text(c) for c in cells])
    return text.getvalue().encode("utf-8", "replace")


def cell_text(value: str) -> str:
    """A cell that a spreadsheet takes for text, whatever it begins with."""
    begins = value.lstrip()[:1]
    control = value[:1] in ("\t", "\r", "\n")
    return f"'{value}" if control or (begins and begins in FORMULA) else value


async def _blocks(found: AsyncIterator[Found]) -> AsyncIterator[list[Found]]:
    block: list[Found] = []
    async for f in found:
        block.append(f)
        if len(block) == BLOCK:
            yield block
            block = []
    if block:
        yield block


@dataclass(slots=True)
class Checked:
    """``whole``: an unbroken piece of the chain; else single records that were asked for."""

    records: int = 0
    erased: int = 0
    whole: bool = False
    bad: Bad | None = None


def verify_file(path: Path, trust: Trust) -> Checked:
    """Check an export by itself. Raises ``ConfigError`` where it is none."""
    checked, digest = Checked(), hashlib.sha256()
    previous: Record | None = None
    skipped = 0
    end: End | None = None
    for number, read in _lines(path):
        if end is not None:
            raise _no_export(path, number)
        if isinstance(read, End):
            end = read
            continue
        r = read.record()
        digest.update(r.hash.encode())
        if not fits(r) or not _true(read):
            checked.bad = Bad(r.seq, Fault.CHANGED)
        elif previous is None:
            if r.seq == 1 and r.previous != GENESIS:
                checked.bad = Bad(1, Fault.MISPLACED)
        elif r.seq <= previous.seq:
            checked.bad = Bad(r.seq, Fault.MISPLACED)
        elif r.seq > previous.seq + 1:
            skipped = skipped or previous.seq + 1
        elif r.previous != previous.hash:
            checked.bad = Bad(previous.seq, Fault.CHANGED)
        if checked.bad:
            return checked
        checked.records += 1
        checked.erased += bool(read.content and read.content.get("erased") is True)
        previous = r
    after = previous.seq + 1 if previous is not None else 1
    if end is None or end.count != checked.records or end.digest != digest.hexdigest():
        checked.bad = Bad(skipped or after, Fault.MISSING)
    elif not trust.valid(end.key, end.statement(), end.signature):
        checked.bad = Bad(after, Fault.SIGNATURE)
    checked.whole = end is not None and end.whole
    return checked


def _lines(path: Path) -> Iterator[tuple[int, Line | End]]:
    try:
        with path.open("rb") as file:
            for number, text in enumerate(file, 1):
                try:
                    yield number, msgspec.json.decode(text, type=Line)
                except msgspec.ValidationError:
                    yield number, msgspec.json.decode(text, type=End)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise _no_export(path, number) from None
    except OSError as e:
        raise ConfigError(path, None, f"读不了:{e.strerror}", f"unreadable: {e.strerror}") from e


def _true(line: Line) -> bool:
    """Whether what a line says is what its stored body commits to."""
    if line.content is None:
        return True
    if line.salt:
        try:
            return committed(line.body, line.content, b64decode(line.salt))
        except ValueError:
            return False
    shown = {k: v for k, v in line.content.items() if k not in ("erased", "missing", "damaged")}
    stored = fields_of(line.body)
    return all(stored.get(k) == v for k, v in shown.items())


def _no_export(path: Path, line: int) -> ConfigError:
    return ConfigError(
        path, line, "这不是审计导出(JSON Lines)的一行", "this is no line of an audit export"
    )
