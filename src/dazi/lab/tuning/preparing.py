"""Writes what the trainer reads: rendered samples and the recipe, into the folder of a run."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from dazi.core.errors import CallerError
from dazi.lab.tuning.datasets import Sample
from dazi.lab.tuning.rendering import Refused, Rendered, Renderer

TRAIN, HELD, RECIPE, REFUSED = "train.jsonl", "validation.jsonl", "recipe.json", "refused.json"
FEW = 1_000
"""Under so many samples a tuned model tends to learn its samples rather than the task."""


@dataclass(frozen=True, slots=True)
class Prepared:
    """``prefixes``: different system turns; samples that share one are read after it together."""

    train: int
    validation: int
    prefixes: int
    refused: dict[str, int]

    @property
    def few(self) -> bool:
        return self.train < FEW


def prepare(
    renderer: Renderer, train: Sequence[Sample], validation: Sequence[Sample], folder: Path
) -> Prepared:
    """Raises ``CallerError`` when nothing is left to train on. ``folder`` is its owner's alone from then
    on: it holds what people said."""
    folder.chmod(0o700)
    labels = sorted({s.label for s in (*train, *validation) if s.kind == "class"})
    refused: Counter[str] = Counter()
    made = [_rendered(renderer, part, labels, refused) for part in (train, validation)]
    if not made[0]:
        why = ", ".join(f"{reason}: {n}" for reason, n in refused.most_common())
        raise CallerError(
            "nothing_to_train",
            f"没有一个样本能用({why or '没有样本'})。",
            f"Not one sample can be used ({why or 'there is none'}).",
        )
    for name, part in zip((TRAIN, HELD), made, strict=True):
        lines = b"\n".join(msgspec.json.encode(r) for r in part)
        (folder / name).write_bytes(lines + b"\n" if lines else b"")
    (folder / REFUSED).write_text(json.dumps(refused, indent=1) + "\n", encoding="utf-8")
    prefixes = len({r.prefix for r in made[0]})
    return Prepared(len(made[0]), len(made[1]), prefixes, dict(refused))


def _rendered(
    renderer: Renderer, samples: Sequence[Sample], labels: Sequence[str], refused: Counter[str]
) -> list[Rendered]:
    out: list[Rendered] = []
    for sample in samples:
        try:
            out += renderer.rendered(sample, labels)
        except Refused as e:
            refused[e.reason] += 1
    return out
