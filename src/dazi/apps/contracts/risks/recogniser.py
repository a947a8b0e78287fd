"""What burdens one side in a sentence, whatever words it uses: a linear model over parts of words, trained in
``models/clauses``."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path

from dazi.apps.contracts.risks.features import features
from dazi.apps.linear import LinearModel

WEIGHTS = Path(__file__).with_name("risks.npz")
NONE = "none"
"""The name of a sentence that burdens nobody."""
RISKS = (
    "seat_abroad", "foreign_law", "other_side_court", "unlimited_liability", "no_fault_indemnity",
    "liability_excluded", "price_unilateral", "termination_one_sided", "locked_in", "ip_to_other_side",
    "confidentiality_released", "data_misuse", "assignment_free", "unilateral_change", "deemed_acceptance",
    "exclusivity", "foreign_currency", "forfeits", "warranty_disclaimed", "rights_waived", "pay_without_acceptance",
    "auto_renewal",
)  # fmt: skip
"""Its other names; a rule of a policy may look for one (``recognised``)."""
SHORTEST = 12, 6
"""Hanzi, or else words, of a sentence that is looked at: headings say nothing."""


@cache
def _model() -> LinearModel:
    return LinearModel(WEIGHTS, features)


@lru_cache(maxsize=8_000)
def risk_of(sentence: str) -> tuple[str, float]:
    """One of ``RISKS`` where the model is surer of it than its threshold, else ``none``; with its probability."""
    hanzi = len(re.findall(r"[\u3400-\u9fff]", sentence))
    if hanzi < SHORTEST[0] if hanzi else len(sentence.split()) < SHORTEST[1]:
        return NONE, 1.0
    model = _model()
    probabilities, known = model.probabilities(sentence)
    best = int(probabilities.argmax())
    name, sure = model.names[best], float(probabilities[best])
    if name != NONE and (sure < model.sure_from or known < model.known_from):
        return NONE, float(probabilities[model.names.index(NONE)])
    return name, sure
