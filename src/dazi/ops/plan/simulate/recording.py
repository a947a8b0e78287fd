"""A trace out of the ledger: when turns came and what they took, and nothing of what was said.

People become numbers by a key that is made for one recording and then forgotten, so that nobody can try
names on them; two recordings cannot be joined. Times count from the first turn; of the date the second of
the week stays, which the load depends on.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable
from hashlib import sha256

import msgspec

from dazi.audit.records import Record
from dazi.ops.plan.simulate.trace import MOST_CALLS, VERSION, WEEK_S, Head, Line

MONDAY_S = 4 * 86_400
"""The first Monday after the epoch, in UTC."""
_decode = msgspec.json.Decoder(dict).decode


class Recorder:
    """``note`` each record of the ledger, in order; then ``head`` and ``lines``. ``offset``: of the local
    time from UTC, in seconds."""

    def __init__(self, offset: float = 0.0) -> None:
        self._key = secrets.token_bytes(32)
        self._offset = offset
        self._models: dict[str, str] = {}
        self._found: list[tuple[float, Line]] = []

    def note(self, record: Record) -> None:
        if record.kind not in ("turn", "answer"):
            return
        body = _decode(record.body)
        model = body.get("model")
        if isinstance(model, str) and "tokens" not in body:
            self._models[record.turn] = model
            return
        tokens = body.get("tokens")
        if not isinstance(tokens, list) or len(tokens) != 2 or not any(tokens):
            return  # nothing was asked of a model
        known = self._models.pop(record.turn, "")
        calls, ms = body.get("calls") or (), float(body.get("ms") or 0.0)
        count = min(len(calls), MOST_CALLS) if isinstance(calls, list) else 0
        line = Line(
            0.0,
            int(tokens[0]),
            int(tokens[1]),
            count,
            self._number(record.user),
            model if isinstance(model, str) else known,
            ms,
            _whole(body.get("requests")),
        )
        self._found.append((record.at - ms / 1000, line))

    def head(self) -> Head:
        if not self._found:
            return Head(VERSION)
        first, last = min(at for at, _ in self._found), max(at for at, _ in self._found)
        second = (first + self._offset - MONDAY_S) % WEEK_S
        return Head(VERSION, round(second, 3), round(last - first, 3))

    def lines(self) -> Iterable[Line]:
        found = sorted(self._found, key=lambda one: one[0])
        for at, line in found:
            line.t = round(at - found[0][0], 3)
            yield line

    def _number(self, user: str) -> str:
        return hmac.new(self._key, user.encode(), sha256).hexdigest()[:12]


def _whole(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value <= MOST_CALLS else 0
