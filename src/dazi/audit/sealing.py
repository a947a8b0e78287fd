"""What is personal in a record, sealed with its subject's key; what is not stays readable.

AES-256-GCM with a random nonce a record; what it is bound to is the record's identity without its
number, for another writer may take that number first. The ledger's hash covers the sealed form, so
the chain holds after the key is destroyed. The commitment is salted, and the salt is sealed too:
after an erasure nobody can find out what was said by trying.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import msgspec

from dazi.audit.keys import SubjectKeys
from dazi.audit.records import Record

State = Literal["plain", "open", "erased", "missing", "damaged"]

CLEAR = frozenset(
    {
        # the system's part of a turn, a call and a sign-in
        "approver", "by", "call", "calls", "channel", "model", "ms", "offered", "ok", "out",
        "cost", "experiments", "outcome", "policy", "prompt", "raw", "replaced", "requests", "roles", "ticket",
        "tokens", "tool", "version", "why",
        # what administrators do
        "act", "active", "arm", "cut", "days", "effect", "experiment", "hold", "of", "removed", "shares",
        "since", "state", "through", "turn", "until",
    }
)  # fmt: skip
"""Fields of a body that tell of the system. Every other one is taken to be personal."""
SALT_BYTES = 16
_TIME = struct.Struct(">d").pack
_encoded = msgspec.json.Encoder(enc_hook=str, order="sorted").encode
MARKS = ("sealed", "commitment")


@dataclass(frozen=True, slots=True)
class Content:
    """A record's body as it may be read; ``salt`` opens its commitment."""

    fields: dict[str, Any]
    state: State
    salt: bytes = b""


class Sealing:
    """Seals and opens with the keys in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.keys = SubjectKeys(folder)

    def seal(self, at: float, kind: str, user: str, turn: str, body: Mapping[str, Any]) -> str:
        clear: dict[str, Any] = {}
        private: dict[str, Any] = {}
        for name in body:
            if name in CLEAR:
                clear[name] = body[name]
            else:
                private[name] = body[name]
        if private:
            text = os.urandom(SALT_BYTES) + _encoded(private)
            clear["sealed"] = self.keys.of(user).seal(text, _identity(at, kind, user, turn))
            clear["commitment"] = hashlib.sha256(text).hexdigest()
        return _encoded(clear).decode()

    def opened(self, record: Record) -> Content:
        """Raises ``OperatorError`` where the keys cannot be read."""
        fields = fields_of(record.body)
        sealed = fields.get("sealed")
        if not isinstance(sealed, str) or "commitment" not in fields:
            return Content(fields, "plain")
        clear = {k: v for k, v in fields.items() if k not in MARKS}
        bound = _identity(record.at, record.kind, record.user, record.turn)
        opened = self.keys.open(sealed, bound)
        if isinstance(opened, str):
            return Content({**clear, opened: True}, opened)
        private = msgspec.json.decode(opened[SALT_BYTES:])
        return Content({**clear, **private}, "open", opened[:SALT_BYTES])

    def close(self) -> None:
        self.keys.close()


def fields_of(body: str) -> dict[str, Any]:
    """The body as it is stored; a body that is no JSON object is shown as it is."""
    try:
        fields = msgspec.json.decode(body)
    except (msgspec.DecodeError, TypeError, UnicodeEncodeError, RecursionError):
        return {"text": str(body)}
    return fields if isinstance(fields, dict) else {"value": fields}


def committed(body: str, content: Mapping[str, Any], salt: bytes) -> bool:
    """Whether ``content`` is what the stored body was made of, by its salted commitment."""
    fields = fields_of(body)
    clear = {k: v for k, v in fields.items() if k not in MARKS}
    private = {k: v for k, v in content.items() if k not in clear}
    same = all(content.get(k) == v for k, v in clear.items())
    digest = hashlib.sha256(salt + _encoded(private)).hexdigest()
    return same and digest == fields.get("commitment")


def _identity(at: float, kind: str, user: str, turn: str) -> bytes:
    """Unambiguous, at a third of what ``framed`` would cost here."""
    return _TIME(at) + f"{kind} {len(turn)} {turn}{user}".encode()
