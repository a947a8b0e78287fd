"""What is looked for in the ledger, as an address says it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import get_args
from urllib.parse import urlencode

from dazi.audit.records import Kind
from dazi.audit.search import Query
from dazi.core.turn import Outcome

PATH = "/audit"
EXPORT = "/audit/export"
LONGEST = 200
NAMES = ("q", "user", "kind", "tool", "outcome", "turn", "thread", "since", "until")
KINDS: tuple[str, ...] = get_args(Kind)
OUTCOMES: tuple[str, ...] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Asked:
    """``given``: what the form shows again. ``wrong``: a time that is none."""

    query: Query
    given: Mapping[str, str]
    before: int | None = None
    wrong: bool = False

    @property
    def anything(self) -> bool:
        return any(self.given.values())

    def address(self, before: int | None = None) -> str:
        given = {k: v for k, v in self.given.items() if v}
        if before is not None:
            given["before"] = str(before)
        return f"{PATH}?{urlencode(given)}" if given else PATH


def asked(address: Mapping[str, str]) -> Asked:
    """Whatever an address may say."""
    given = {name: address.get(name, "").strip()[:LONGEST] for name in NAMES}
    times = {name: _seconds(given[name]) for name in ("since", "until")}
    wrong = any(given[name] and at is None for name, at in times.items())
    query = Query(
        given["q"],
        given["user"],
        given["kind"],
        given["tool"],
        given["turn"],
        times["since"],
        times["until"],
        given["outcome"],
        given["thread"],
    )
    before = address.get("before", "")
    number = int(before) if before.isascii() and before.isdigit() and len(before) < 16 else None
    return Asked(query, given, number, wrong)


def _seconds(text: str) -> float | None:
    """A local time."""
    try:
        return datetime.fromisoformat(text).timestamp()
    except (ValueError, OverflowError, OSError):
        return None
