"""What a contract is made of before it is printed: blocks, and what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from bench.contracts.texts import Kind

Rows = tuple[tuple[str, ...], ...]

BLANK = "____"
FIELDS = (
    "party_a",
    "party_b",
    "total_amount",
    "currency",
    "start_date",
    "end_date",
    "governing_law",
    "seat",
    "payment_days",
    "liability_cap",
    "penalty_rate",
    "renewal_notice_days",
)


@dataclass(frozen=True, slots=True)
class Block:
    """``whole``: not torn apart by the end of a page; ``plain``: holds nothing that is asked for,
    so that noise may confuse its letters."""

    kind: Literal["title", "heading", "text", "list", "table", "annex", "break"]
    text: str = ""
    rows: Rows = ()
    whole: bool = False
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Fault:
    """``quotes`` are the words in question, the first of them the planted ones and the others what
    they don't fit; none where something is missing. ``words`` are what a message would call it,
    ``also`` kinds that are as right as ``kind``."""

    kind: str
    topic: str
    severity: str
    clause: str
    quotes: tuple[str, ...]
    words: tuple[str, ...]
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """``annexes``: ids and titles; ``annexed``: sentences put into an annex, with its id."""

    kind: Kind
    number: str
    title: str
    blocks: tuple[Block, ...]
    faults: tuple[Fault, ...]
    fields: Mapping[str, Any]
    annexes: tuple[tuple[str, str], ...]
    annexed: tuple[tuple[str, str], ...]
