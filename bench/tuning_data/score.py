"""What became of planted samples, by kind: caught or not, and which look-alikes went with them."""

from __future__ import annotations

import asyncio
import json
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from bench.tables import Table
from bench.tuning_data.corpus import NOW, Corpus, Planted
from dazi.guard.engine import Guard
from dazi.lab.tuning.data.making import Kitchen, Made, make
from dazi.lab.tuning.data.recipe import read_recipe
from dazi.lab.tuning.data.work import Tell, silent

ERASED = {"gone": NOW}
KEPT_DAYS = 365
STAGES: Mapping[str, tuple[str, ...]] = {
    "1 clean": (
        "language", "too_short", "too_long", "mojibake", "symbols", "repetition", "boilerplate", "gibberish",
        "word", "secret", "injection", "duplicate", "near_duplicate",
    ),
    "3 compliance": ("consent", "erased", "expired", "licence", "evaluation", "personal_left"),
}  # fmt: skip
"""Reasons by the stage of the issue that refuses for them."""


def kitchen(data: Path, company: Path) -> Kitchen:
    return Kitchen(
        data, company, Guard(), {}, (), date(2026, 11, 30), ERASED.get, NOW - KEPT_DAYS * 86_400
    )


def run(folder: Path, tell: Tell = silent) -> Made:
    """Make the dataset of ``folder/recipe.yaml``."""
    placed = read_recipe(folder / "recipe.yaml")
    return asyncio.run(make(placed, kitchen(folder / "data", folder), tell))


@dataclass(slots=True)
class Kind:
    """``right``: caught, or left as it is where it should be."""

    planted: int = 0
    right: int = 0
    misses: list[str] = field(default_factory=list)


def outcomes(corpus: Corpus, made: Made) -> tuple[dict[str, Kind], dict[str, tuple[int, int]]]:
    """By kind of planted sample; and by reason how many were refused for it, and how many of them rightly.

    A sample counts as caught where it is refused for its fault, and a duplicate of one of several that are
    the same where all but one are."""
    text, refused = {}, {}
    for split in ("train", "validation", "test"):
        for line in (made.folder / f"{split}.jsonl").open(encoding="utf-8"):
            sample = json.loads(line)
            text[sample["source"]["ref"]] = json.dumps(sample["messages"], ensure_ascii=False)
    for line in (made.folder / "refused.jsonl").open(encoding="utf-8"):
        turned = json.loads(line)
        refused[turned["ref"]] = turned["reason"].partition(":")[0]
    kinds: dict[str, Kind] = defaultdict(Kind)
    reasons: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    for number, planted in enumerate(corpus.rows, 1):
        ref = f"data.jsonl:{number}"
        reason, kept = refused.get(ref, ""), text.get(ref)
        kind = kinds[planted.name]
        kind.planted += 1
        if _right(planted, reason, kept):
            kind.right += 1
        else:
            kind.misses.append(f"{ref} {reason or 'kept'}")
        if reason:
            reasons[reason][0] += 1
            reasons[reason][1] += reason in planted.fault
    return dict(kinds), {k: (n, good) for k, (n, good) in reasons.items()}


def _right(planted: Planted, reason: str, kept: str | None) -> bool:
    if planted.fault:
        return reason in planted.fault
    if kept is None:
        return False
    as_json = [json.dumps(t, ensure_ascii=False)[1:-1] for t in (*planted.keep, *planted.gone)]
    keep, gone = as_json[: len(planted.keep)], as_json[len(planted.keep) :]
    return all(t in kept for t in keep) and not any(t in kept for t in gone)


def tables(corpus: Corpus, made: Made) -> list[Table]:
    kinds, reasons = outcomes(corpus, made)
    faults = Table(
        "recall", "Planted faults", ("kind", "planted", "caught", "recall", "95 % interval")
    )
    alike = Table(
        "alike", "What should stay", ("kind", "planted", "stayed", "share", "95 % interval")
    )
    for name in sorted(kinds):
        kind = kinds[name]
        wanted = name.startswith(("look-alike", "ordinary"))
        row = (
            name,
            kind.planted,
            kind.right,
            kind.right / kind.planted,
            wilson(kind.right, kind.planted),
        )
        (alike if wanted else faults).rows.append(row)
    precision = Table(
        "precision",
        "Refused, by reason",
        ("stage", "reason", "refused", "rightly", "precision", "95 % interval"),
    )
    for stage, names in STAGES.items():
        for name in names:
            if name in reasons:
                n, good = reasons[name]
                precision.rows.append((stage, name, n, good, good / n, wilson(good, n)))
    rest = sorted(set(reasons) - {r for names in STAGES.values() for r in names})
    precision.rows.extend(
        ("other", name, *reasons[name], reasons[name][1] / reasons[name][0], "") for name in rest
    )
    return [faults, alike, precision]


def wilson(right: int, of: int) -> str:
    """Wilson's interval of a share, 95 %."""
    z = 1.96
    share = right / of
    middle = (share + z * z / (2 * of)) / (1 + z * z / of)
    half = z * ((share * (1 - share) + z * z / (4 * of)) / of) ** 0.5 / (1 + z * z / of)
    return f"{max(0.0, middle - half):.3f} to {min(1.0, middle + half):.3f}"
