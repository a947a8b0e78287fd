"""One assessment: score, reasons, words and proposal, and what the ledger should have of it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict, dataclass
from typing import Any

import msgspec

from dazi.apps.risk.account import account_of
from dazi.apps.risk.features import NAMES
from dazi.apps.risk.history import Seen
from dazi.apps.risk.model import Model
from dazi.apps.risk.reasons import Explanation, explain
from dazi.apps.risk.thresholds import Proposal, Thresholds, propose
from dazi.apps.risk.wording import Said
from dazi.core.language import Language


@dataclass(frozen=True, slots=True)
class Assessment:
    """The same transaction, past, model and thresholds give the same assessment."""

    seen: Seen
    model_digest: str
    explanation: Explanation
    thresholds: Thresholds
    proposal: Proposal

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(code for reason in self.explanation.reasons for code in reason.codes)

    @property
    def input_digest(self) -> str:
        """SHA-256 of the transaction without its outcome, and of all that was known beside it."""
        transaction = asdict(self.seen.transaction)
        del transaction["outcome"]
        data = {
            "transaction": transaction,
            "features": dict(zip(NAMES, self.seen.values, strict=True)),
            "usual": self.seen.usual,
            "usual_cents": self.seen.usual_cents,
        }
        return hashlib.sha256(msgspec.json.encode(data, order="deterministic")).hexdigest()

    def account(self, language: Language) -> Said:
        return account_of(self.seen, self.explanation, self.proposal, language)

    def record(self) -> dict[str, Any]:
        """For the ledger: what decided and why, and no device, place or counterparty."""
        e = self.explanation
        return {
            "transaction": self.seen.transaction.id,
            "input_digest": self.input_digest,
            "model_digest": self.model_digest,
            "score": e.score,
            "score_usual": e.score_usual,
            "compared_with": "own past" if e.own_usual else "all genuine",
            "reasons": [
                {
                    "codes": list(r.codes),
                    "contribution": r.contribution,
                    "score_without": r.score_without,
                    "values": {v.feature: [v.value, v.usual] for v in r.values},
                }
                for r in e.reasons
            ],
            "thresholds": {"review": self.thresholds.review, "hold": self.thresholds.hold},
            "proposal": self.proposal.action,
            "decided_by": None,
        }


def assess(model: Model, seen: Seen, thresholds: Thresholds) -> Assessment:
    """``seen``: from ``Histories.look``, of a transaction as if it came now."""
    explanation = explain(model, seen)
    return Assessment(
        seen, model.digest, explanation, thresholds, propose(explanation.score, thresholds)
    )
