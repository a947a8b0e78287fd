"""What a review says: one thing that is wrong, missing or different, with where and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from dazi.apps.contracts.clauses import Clause
from dazi.core.language import Text
from dazi.knowledge.blocks import Box

FindingKind = Literal["policy", "deviation", "missing", "contradiction", "reference"]
Severity = Literal["low", "medium", "high"]
ORDER: dict[Severity, int] = {"high": 0, "medium": 1, "low": 2}
LONGEST_QUOTE = 300


@dataclass(frozen=True, slots=True)
class Finding:
    """``quote``: the words of the contract that it is about, none for what is missing; ``page`` from
    1, 0 where there are none; ``clause``: the number of the clause; ``expected``: what the template
    says there."""

    rule: str
    kind: FindingKind
    severity: Severity
    message: Text
    suggestion: Text
    quote: str = ""
    page: int = 0
    box: Box | None = None
    clause: str = ""
    expected: str = ""


def at(
    clause: Clause,
    rule: str,
    kind: FindingKind,
    severity: Severity,
    message: Text,
    suggestion: Text,
    quote: str = "",
    expected: str = "",
) -> Finding:
    """A finding on words of ``clause``."""
    said = " ".join((quote or clause.words).split())
    return Finding(
        rule, kind, severity, message, suggestion, said[:LONGEST_QUOTE], clause.page, clause.box,
        clause.number, expected[:LONGEST_QUOTE],
    )  # fmt: skip


def place(clause: Clause) -> str:
    """How a message names another clause."""
    return f"“{clause.number or clause.title or clause.text[:12]}”处"


def place_en(clause: Clause) -> str:
    return f"“{clause.number or clause.title or clause.text[:24]}”"
