"""What a part of the harness found: figures, and what should not have been."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from bench.tables import Table


@dataclass(slots=True)
class Report:
    """``violations`` by kind, each a bar that was not met; ``tables`` hold the figures."""

    tried: int = 0
    of: str = ""
    violations: Counter[str] = field(default_factory=Counter)
    tables: list[Table] = field(default_factory=list)
    began: float = field(default_factory=time.monotonic)

    def expect(self, holds: bool, otherwise: str) -> None:
        if not holds:
            self.violations[otherwise] += 1

    def as_row(self) -> dict[str, Any]:
        return {
            "tried": self.tried,
            "of": self.of,
            "violations": dict(+self.violations),
            "seconds": round(time.monotonic() - self.began),
            "tables": [table.as_json() for table in self.tables],
        }


def percentile(values: list[float], share: float) -> float:
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, int(len(ranked) * share))] if ranked else 0.0
