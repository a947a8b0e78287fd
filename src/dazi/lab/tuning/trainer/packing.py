"""Samples that share a system turn are read after it together: it is computed once for all of them.

The prompts of one company repeat a few lists of tools, and those make up most of a prompt
(docs/decisions/0001). Samples whose system turn is rare are padded to one length instead.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dazi.lab.tuning.trainer.encoding import Encoded, Row

TOGETHER = 8
"""Rows after one prefix; more of them in a step would make steps of few different prompts."""
WORTH = 3
"""From so many rows on a prefix is computed by itself."""


@dataclass(frozen=True)
class Pack:
    prefix: tuple[int, ...]
    rows: tuple[Row, ...]

    @property
    def tokens(self) -> int:
        """To be computed, padding included."""
        return len(self.prefix) + len(self.rows) * max(len(r.ids) for r in self.rows)

    @property
    def weight(self) -> float:
        first = 0 if self.prefix else 1
        return sum(sum(r.weights[first:]) for r in self.rows)


Step = tuple[Pack, ...]


def packs(samples: Sequence[Encoded], rng: random.Random, *, share: bool = True) -> list[Pack]:
    by_prefix: dict[tuple[int, ...], list[Row]] = {}
    rare: list[Row] = []
    for sample in samples:
        if sample.prefix and share:
            by_prefix.setdefault(sample.prefix, []).append(sample.row)
        else:
            rare.append(joined(sample))
    out: list[Pack] = []
    for prefix, rows in by_prefix.items():
        rng.shuffle(rows)
        for part in alike(rows):
            if len(part) >= WORTH:
                out.append(Pack(prefix, tuple(part)))
            else:
                rare += [joined(Encoded("", prefix, r)) for r in part]
    rng.shuffle(rare)
    out += [Pack((), tuple(part)) for part in alike(rare)]
    rng.shuffle(out)
    return out


def alike(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Rows of like length together, so that little is padded; within stretches, so that what stands
    together is not the same in each epoch."""
    stretch = 8 * TOGETHER
    for at in range(0, len(rows), stretch):
        near = sorted(rows[at : at + stretch], key=lambda r: len(r.ids))
        for i in range(0, len(near), TOGETHER):
            yield near[i : i + TOGETHER]


def joined(sample: Encoded) -> Row:
    return Row(
        [*sample.prefix, *sample.row.ids], [0.0] * len(sample.prefix) + list(sample.row.weights)
    )


def steps(
    samples: Sequence[Encoded], batch: int, epochs: float, seed: int, *, share: bool = True
) -> list[Step]:
    """All steps of a training of ``epochs``, each of about ``batch`` samples."""
    out: list[Step] = []
    whole, part = int(epochs), epochs - int(epochs)
    for epoch in range(whole + (part > 0)):
        rng = random.Random(f"{seed}/{epoch}")
        chosen = list(samples)
        if epoch == whole:
            rng.shuffle(chosen)
            chosen = chosen[: max(1, round(len(chosen) * part))]
        waiting: list[Pack] = []
        for pack in packs(chosen, rng, share=share):
            waiting.append(pack)
            if sum(len(p.rows) for p in waiting) >= batch:
                out.append(tuple(waiting))
                waiting = []
        if waiting:
            out.append(tuple(waiting))
    return out


def tensors(pack: Pack) -> dict[str, Any]:
    """``prefix`` (1, P), ``rows`` (B, T) padded on the right, ``mask`` (B, P + T), ``weights`` (B, T)."""
    import torch

    longest = max(len(r.ids) for r in pack.rows)
    rows = torch.zeros(len(pack.rows), longest, dtype=torch.long)
    mask = torch.zeros(len(pack.rows), len(pack.prefix) + longest, dtype=torch.long)
    weights = torch.zeros(len(pack.rows), longest)
    for i, row in enumerate(pack.rows):
        rows[i, : len(row.ids)] = torch.tensor(row.ids)
        mask[i, : len(pack.prefix) + len(row.ids)] = 1
        weights[i, : len(row.ids)] = torch.tensor(row.weights)
    prefix = torch.tensor([pack.prefix], dtype=torch.long)
    return {"prefix": prefix, "rows": rows, "mask": mask, "weights": weights}
