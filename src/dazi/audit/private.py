"""What is personal in a row outside the ledger, sealed with its subject's data key.

Whoever is erased is erased there too, for it is the ledger's key. A sealed text opens in its own place
only: in another row or column it is damaged.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from dazi.audit.keys import SubjectKeys
from dazi.audit.sealing import State

READABLE: tuple[State, ...] = ("open", "plain")
_SEALED = re.compile(r"~[0-9a-f]{16}\.[A-Za-z0-9+/]+={0,2}")
_encoded = msgspec.json.Encoder(enc_hook=str, order="sorted").encode


@dataclass(frozen=True, slots=True)
class Unsealed:
    """``content``: what was sealed, or ``{state: True}`` where it cannot be read."""

    content: Any
    state: State


class Private:
    """Seals for the tables of threads, tickets and intents."""

    def __init__(self, keys: SubjectKeys) -> None:
        self._keys = keys

    @classmethod
    def at(cls, folder: Path) -> Private:
        """With the keys in ``folder``."""
        return cls(SubjectKeys(folder))

    def seal(self, subject: str, place: str, content: Any) -> str:
        """``place`` names the column and the row. Raises ``OperatorError`` without keys."""
        return f"~{self._keys.of(subject).seal(_encoded(content), place.encode())}"

    def open(self, place: str, text: str) -> Unsealed:
        """Raises ``OperatorError`` where the keys cannot be read."""
        data = self._keys.open(text[1:], place.encode()) if is_sealed(text) else "damaged"
        if isinstance(data, str):
            return Unsealed({data: True}, data)
        return Unsealed(msgspec.json.decode(data), "open")

    def digest(self, subject: str, content: Any) -> str:
        """A digest by which nobody can find ``content``, by trying, once the subject is erased."""
        mac = hmac.digest(self._keys.of(subject).commitments, _encoded(content), "sha256")
        return mac.hex()


def is_sealed(text: str) -> bool:
    """Rows from before there was sealing hold JSON, or words."""
    return _SEALED.fullmatch(text) is not None
