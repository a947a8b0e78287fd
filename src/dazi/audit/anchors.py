"""What is signed about the chain: checkpoints of its records, and anchors for those removed."""

from __future__ import annotations

from pathlib import Path

import msgspec
from sqlalchemy import Column, Float, Integer, String, Table

from dazi.audit.records import framed
from dazi.core.errors import ConfigError
from dazi.store.database import metadata

checkpoints = Table(
    "audit_checkpoints",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=False),
    Column("hash", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("key", String(16), nullable=False),
    Column("signature", String(128), nullable=False),
)

gaps = Table(
    "audit_gaps",
    metadata,
    Column("first", Integer, primary_key=True, autoincrement=False),
    Column("last", Integer, primary_key=True, autoincrement=False),
    Column("before", String(64), nullable=False),
    Column("hash", String(64), nullable=False),
    Column("at", Float, nullable=False),
    Column("key", String(16), nullable=False),
    Column("signature", String(128), nullable=False),
)


class Checkpoint(msgspec.Struct, frozen=True):
    """Record ``seq`` had this hash at that time (seconds since the epoch)."""

    seq: int
    hash: str
    at: float
    key: str = ""
    signature: str = ""

    def statement(self) -> bytes:
        return framed("dazi audit checkpoint", str(self.seq), self.hash, repr(self.at))


class Gap(msgspec.Struct, frozen=True):
    """Records ``first`` to ``last`` were removed; ``before`` is the hash of the one before them,
    ``hash`` that of the last of them. Both are in the signature, so it fits nowhere else."""

    first: int
    last: int
    before: str
    hash: str
    at: float
    key: str = ""
    signature: str = ""

    def statement(self) -> bytes:
        bounds = str(self.first), str(self.last)
        return framed("dazi audit gap", *bounds, self.before, self.hash, repr(self.at))


def read_checkpoints(path: Path) -> list[Checkpoint]:
    """From a file with one JSON object a line. Raises ``ConfigError``."""
    try:
        lines = [line for line in path.read_bytes().splitlines() if line.strip()]
        return [msgspec.json.decode(line, type=Checkpoint) for line in lines]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as e:
        raise ConfigError(
            path, None, f"读不出检查点:{e}", f"no checkpoint can be read here: {e}"
        ) from e
