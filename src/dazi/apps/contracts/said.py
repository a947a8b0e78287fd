"""What a contract says, sentence by sentence."""

from __future__ import annotations

from collections.abc import Iterator

from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.likeness import sentences
from dazi.apps.contracts.lines import cells


def sentences_of(contract: Contract) -> Iterator[tuple[Clause, str]]:
    """Each with its clause; of tables the rows, of which a row of two to four cells says something."""
    for clause in contract.clauses:
        if not clause.table:
            for sentence in sentences(clause.words) or [clause.words]:
                yield clause, sentence
        else:
            for row in clause.words.split("\n"):
                said = [c for c in cells(row) if c]
                if 2 <= len(said) <= 4:
                    yield clause, " ".join(said)
