"""Fills the wordings of one contract."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any

from bench.contracts import figures
from bench.contracts.blocks import BLANK, FIELDS, Block, Fault
from bench.contracts.deal import Deal
from bench.contracts.numbering import Numbers
from bench.contracts.plan import Option
from bench.contracts.texts import Kind

FIRST = 0.25
_SLOT = re.compile(r"\{([@%]?[A-Za-z_]+(?:\.[a-z0-9_]+)?)([#+,]?)\}")
_TWO = re.compile("(?<![十百第])二(?=个|份|周)")
_SENTENCE = re.compile(r"(^|\. )([a-z])")


@dataclass(slots=True)
class Writer:
    """Without ``deal`` it fills the company's template. ``quoted``: what stands in each paragraph."""

    kind: Kind
    rng: Random
    deal: Deal | None
    chosen: Sequence[Option]
    blocks: list[Block] = field(default_factory=list)
    quoted: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    fields: dict[str, Any] = field(default_factory=lambda: dict.fromkeys(FIELDS))
    values: dict[str, Any] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    synonyms: list[tuple[str, str]] = field(default_factory=list)
    annexed: list[tuple[str, str]] = field(default_factory=list)

    def pick(self, says: Sequence[str], *, plant: bool = False) -> str:
        """One wording of a plant's; of a paragraph's the template's own in one case of four."""
        if self.deal is None:
            return says[0]
        if plant or len(says) == 1 or self.rng.random() < FIRST:
            return self.rng.choice(says) if plant else says[0]
        return self.rng.choice(says[1:])

    def fill(self, text: str, values: Mapping[str, Any], numbers: Numbers) -> str:
        def slot(found: re.Match[str]) -> str:
            name, mark = found[1], found[2]
            if name.startswith("@"):
                return numbers.clause(name[1:])
            if name.startswith("%"):
                return numbers.annex(name[1:], titled=mark == "+")
            name, _, part = name.partition(".")
            value = values.get(name, BLANK if self.deal is None else None)
            if value is None:
                raise KeyError(f"{self.kind.name}: {name} has no value in: {text}")
            if isinstance(value, str):
                names = value.split("|")
                return names[int(part or 0)]
            if mark == "#":
                return figures.spelled(value, self.kind.language)
            return f"{value:,}" if mark == "," else str(value)

        out = _TWO.sub("两", _SLOT.sub(slot, text))
        return _SENTENCE.sub(lambda found: found[1] + found[2].upper(), out)

    def reworded(self, text: str) -> str:
        for old, new in self.synonyms:
            text = text.replace(old, new)
        return text
