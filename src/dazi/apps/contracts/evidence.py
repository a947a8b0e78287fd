"""A fact of a contract with the words that say it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from dazi.apps.contracts.clauses import Clause


@dataclass(frozen=True, slots=True)
class Field:
    """``value`` as it goes out; ``clause`` says it, in ``quote``."""

    value: Any
    clause: Clause
    quote: str


def sentence_at(text: str, at: int) -> str:
    """The sentence around a place."""
    start = max((text.rfind(c, 0, at) for c in "。；;\n"), default=-1) + 1
    ends = [e for e in (text.find(c, at) for c in "。；;\n") if e >= 0]
    if re.search(r"[A-Za-z]", text[start : start + 20]):
        for m in re.finditer(r"(?<=[a-z0-9)\"”%])\.\s+(?=[A-Z(“\"])", text):
            if m.end() <= at:
                start = max(start, m.end())
            elif m.start() >= at:
                ends.append(m.start())
                break
    end = min(ends, default=len(text))
    return text[start : end + 1].strip()
