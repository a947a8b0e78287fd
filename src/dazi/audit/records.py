"""What a record of the ledger is, its place in the chain, and the table that holds it."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Column, Float, Integer, String, Table, Text

from dazi.store.database import metadata

Kind = Literal["turn", "call", "decision", "outcome", "answer", "sign_in", "admin", "job", "route"]

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

GENESIS = "0" * 64
_length = struct.Struct(">Q").pack


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


def framed(*fields: str) -> bytes:
    """The fields, each preceded by its length so that none can run into the next."""
    parts: list[bytes] = []
    for field in fields:
        data = field.encode()
        parts += (_length(len(data)), data)
    return b"".join(parts)


def chain(previous: str, seq: int, at: float, kind: str, user: str, turn: str, body: str) -> str:
    """SHA-256 over the framed fields."""
    return hashlib.sha256(framed(previous, str(seq), repr(at), kind, user, turn, body)).hexdigest()


def fits(r: Record) -> bool:
    """Whether the record's hash is that of its content; a value of a foreign type never fits."""
    try:
        return r.hash == chain(r.previous, r.seq, r.at, r.kind, r.user, r.turn, r.body)
    except (AttributeError, UnicodeEncodeError):
        return False


def first_broken(chained: Sequence[Record]) -> int | None:
    """The ``seq`` of the first record that does not fit a whole chain, or ``None``."""
    previous = GENESIS
    for seq, r in enumerate(chained, 1):
        if r.seq != seq or r.previous != previous or not fits(r):
            return r.seq
        previous = r.hash
    return None
