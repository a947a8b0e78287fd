"""What a contract says of the things that everybody asks for first, each with where it says so."""

from __future__ import annotations

from collections.abc import Callable

from dazi.apps.contracts.amounts import currency, liability_cap, penalty_rate, total_amount
from dazi.apps.contracts.clauses import Contract
from dazi.apps.contracts.dates import renewal_notice, term
from dazi.apps.contracts.evidence import Field
from dazi.apps.contracts.forum import governing_law, seat
from dazi.apps.contracts.parties import parties_of
from dazi.apps.contracts.payment import payment_days

NAMES = (
    "party_a", "party_b", "total_amount", "currency", "start_date", "end_date", "governing_law",
    "seat", "payment_days", "liability_cap", "penalty_rate", "renewal_notice_days",
)  # fmt: skip


def fields_of(contract: Contract) -> dict[str, Field]:
    """Those of ``NAMES`` that the contract has."""
    out: dict[str, Field] = {}
    parties = parties_of(contract)
    for name, party in zip(("party_a", "party_b"), parties, strict=False):
        out[name] = party
    finders: tuple[tuple[str, Callable[[Contract], Field | None]], ...] = (
        ("total_amount", total_amount),
        ("governing_law", governing_law),
        ("seat", seat),
        ("payment_days", payment_days),
        ("liability_cap", liability_cap),
        ("penalty_rate", penalty_rate),
        ("renewal_notice_days", renewal_notice),
    )
    for name, find in finders:
        found = find(contract)
        if found is not None:
            out[name] = found
    said = currency(contract, out.get("total_amount"))
    if said is not None:
        out["currency"] = said
    out.update(term(contract))
    return {n: out[n] for n in NAMES if n in out}
