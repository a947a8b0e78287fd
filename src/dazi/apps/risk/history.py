"""Features of a transaction from what its own account did before, and from nothing else.

One transaction at a time in the order of time; a whole file goes through the same code, so a
stream and a batch give the same numbers. Amounts are added up within one currency, in cents.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from dazi.apps.risk.events import Transaction
from dazi.apps.risk.features import NAMES, Floats, Rules
from dazi.apps.risk.looking import features_at
from dazi.apps.risk.past import Past
from dazi.core.errors import CallerError


@dataclass(frozen=True, slots=True)
class Seen:
    """A transaction with its features in the order of ``NAMES`` and what they are compared with.

    ``usual``: the account's medians of the same features, ``None`` while it has too few.
    ``usual_cents``: the median amount of the same direction and currency. ``rules``: by which.
    """

    transaction: Transaction
    values: tuple[float, ...]
    usual: tuple[float, ...] | None
    usual_cents: int | None
    rules: Rules = field(default_factory=Rules)


class Histories:
    """The accounts of a stream, in memory: 26 kB each at forty transactions a month."""

    def __init__(self, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self._accounts: dict[str, Past] = {}

    def look(self, t: Transaction) -> Seen:
        """As if ``t`` came now; asking twice gives the same."""
        return _seen(self._accounts.get(t.account) or Past(self.rules), t)

    def add(self, t: Transaction) -> tuple[float, ...]:
        """``t`` has happened; its features."""
        past = self._accounts.setdefault(t.account, Past(self.rules))
        values = _values(past, t)
        past.add(t, values)
        return values


def look_back(past: Iterable[Transaction], t: Transaction, rules: Rules) -> Seen:
    """One transaction with what its account did before it; ``past`` is all that there is.

    Later ones and other accounts' are passed over, so a table's rows can be given as they are.
    """
    known, before = Past(rules), (t.seconds, t.id)
    for p in in_order(p for p in past if p.account == t.account and (p.seconds, p.id) < before):
        known.add(p, features_at(known, p))
    return _seen(known, t)


def in_order(transactions: Iterable[Transaction]) -> list[Transaction]:
    return sorted(transactions, key=lambda t: (t.seconds, t.id))


def features_of(ordered: Sequence[Transaction], rules: Rules) -> Floats:
    """One row of features for each, n x len(NAMES); ``ordered`` as ``in_order`` gives them."""
    histories = Histories(rules)
    rows = [histories.add(t) for t in ordered]
    return np.array(rows, dtype=np.float64).reshape(len(rows), len(NAMES))


def _seen(past: Past, t: Transaction) -> Seen:
    return Seen(t, _values(past, t), past.usual(), past.usual_cents(t), past.rules)


def _values(past: Past, t: Transaction) -> tuple[float, ...]:
    """Raises ``CallerError`` for a transaction that is older than what was added."""
    if past.count and (t.seconds, t.id) <= past.last:
        raise CallerError(
            "risk_order",
            f"{t.id} 早于账户 {t.account} 已有的交易,按时间顺序给出",
            f"{t.id} is older than what account {t.account} did already; go by time",
        )
    return features_at(past, t)
