"""What a reviewer found of what was planted.

- A finding hits a plant when the kind is the same, the page is within one and the quote overlaps
  the planted words; what is missing is hit by a finding of that kind that says what
  (``bench.contracts.matching``). It hits one plant at most, the one that it quotes most of, and
  several findings on one plant count once.
- Recall: plants hit by a finding of any severity. ``severe`` counts those given at least the
  severity that the truth asks for, and ``located`` those that a finding of any kind speaks of.
- Precision: plants hit by a medium or high finding, against these and the false alarms: medium or
  high findings that hit nothing. Low findings are never false alarms, nor is another kind's view of
  a planted fault (``matching.beside``).
- Fields: all that are asked for, also where the contract is silent and null is right.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.contracts import matching
from bench.contracts.blocks import FIELDS
from bench.contracts.matching import Finding, PlantedFault

KINDS = ("policy", "deviation", "missing", "contradiction", "reference")
SEVERITIES = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class PlantResult:
    plant: PlantedFault
    found: bool
    severe: bool
    located: bool
    loud: bool
    """Hit by a medium or high finding."""


@dataclass(frozen=True, slots=True)
class Judged:
    """One contract: what became of its plants, which findings were false alarms, which fields were
    right. ``answered`` is false where the reviewer gave nothing that could be read."""

    contract: Mapping[str, Any]
    plants: tuple[PlantResult, ...]
    false_alarms: tuple[Finding, ...]
    fields: Mapping[str, bool]
    answered: bool


@dataclass(frozen=True, slots=True)
class Tally:
    planted: int
    found: int
    severe: int
    located: int
    loud: int
    false_alarms: int

    @property
    def recall(self) -> float | None:
        return self.found / self.planted if self.planted else None

    @property
    def precision(self) -> float | None:
        given = self.loud + self.false_alarms
        return self.loud / given if given else None


@dataclass(frozen=True, slots=True)
class Report:
    judged: tuple[Judged, ...]

    def tally(self, kind: str | None = None, **about: object) -> Tally:
        """Of one ``kind`` of fault or of all, over the contracts whose entries in the truth have
        the values in ``about``: ``language="zh"``, ``ocr=True``."""
        chosen = [j for j in self.judged if all(j.contract[k] == v for k, v in about.items())]
        plants = [r for j in chosen for r in j.plants if kind in (None, r.plant["kind"])]
        alarms = [f for j in chosen for f in j.false_alarms if kind in (None, f.get("kind"))]
        return Tally(
            planted=len(plants),
            found=sum(r.found for r in plants),
            severe=sum(r.severe for r in plants),
            located=sum(r.located for r in plants),
            loud=sum(r.loud for r in plants),
            false_alarms=len(alarms),
        )

    def fields(self, **about: object) -> dict[str, tuple[int, int]]:
        """Of each field how often it was right, of how many."""
        chosen = [j for j in self.judged if all(j.contract[k] == v for k, v in about.items())]
        return {name: (sum(j.fields[name] for j in chosen), len(chosen)) for name in FIELDS}

    def clean(self) -> tuple[int, int]:
        """Clean contracts without a medium or high finding, and clean contracts."""
        clean = [j for j in self.judged if j.contract["clean"]]
        return sum(j.answered and not j.false_alarms for j in clean), len(clean)


def score(
    answers: Mapping[str, Mapping[str, Any] | None], truth: Iterable[Mapping[str, Any]]
) -> Report:
    """``answers``: by the truth's ``file`` what the review returned, ``{"findings": [...],
    "fields": {...}}``; where one is absent or ``None``, nothing was found and no field is right."""
    return Report(tuple(judge(answers.get(contract["file"]), contract) for contract in truth))


def judge(answer: Mapping[str, Any] | None, contract: Mapping[str, Any]) -> Judged:
    plants: Sequence[PlantedFault] = contract["plants"]
    findings: Sequence[Finding] = (answer or {}).get("findings") or ()
    told: Mapping[str, Any] = (answer or {}).get("fields") or {}
    hits: list[list[Finding]] = [[] for _ in plants]
    located = [False] * len(plants)
    false_alarms = []
    for finding in findings:
        near = [matching.beside(finding, plant) for plant in plants]
        weights = [matching.weight(finding, plant) for plant in plants]
        best = max(range(len(plants)), key=weights.__getitem__, default=0)
        if plants and weights[best]:
            hits[best].append(finding)
            near[best] = True
        elif not any(near) and _rank(finding.get("severity")) > 0:
            false_alarms.append(finding)
        located = [a or b for a, b in zip(located, near, strict=True)]
    return Judged(
        contract=contract,
        plants=tuple(
            _result(plant, hit, there)
            for plant, hit, there in zip(plants, hits, located, strict=True)
        ),
        false_alarms=tuple(false_alarms),
        fields={
            name: answer is not None
            and matching.right(name, told.get(name), contract["fields"][name])
            for name in FIELDS
        },
        answered=answer is not None,
    )


def _result(plant: PlantedFault, hits: Sequence[Finding], located: bool) -> PlantResult:
    given = max((_rank(finding.get("severity")) for finding in hits), default=-1)
    return PlantResult(
        plant=plant,
        found=bool(hits),
        severe=given >= _rank(plant["severity_min"]) and bool(hits),
        located=located,
        loud=given > 0,
    )


def _rank(severity: object) -> int:
    """An unknown severity is taken for high: it can't hide a false alarm."""
    return SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES) - 1
