"""Whose a sample is, without their name: a digest by a key of this installation's own.

Whoever has a dataset alone can find nobody by trying names; whoever has the installation can find a
person's samples again, which is what an erasure needs.
"""

from __future__ import annotations

import hmac
import os
from pathlib import Path

from dazi.audit.files import read_or_make
from dazi.ops.datasets.folders import root

KEY = ".people.key"
KEY_BYTES = 32
MARK = 32
"""Characters: 128 bits."""


class People:
    """Marks of people. Raises ``OperatorError`` where the key cannot be read or made."""

    def __init__(self, data: Path) -> None:
        root(data).mkdir(mode=0o700, parents=True, exist_ok=True)
        self._key = read_or_make(root(data) / KEY, lambda: os.urandom(KEY_BYTES))

    def mark(self, user: str) -> str:
        return hmac.digest(self._key, user.encode(), "sha256").hex()[:MARK]
