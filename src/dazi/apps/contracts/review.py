"""A contract, reviewed: fields, findings, how it stands beside the template."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from pathlib import Path

from dazi.apps.contracts.accepted import accepted
from dazi.apps.contracts.alignment import Alignment, align
from dazi.apps.contracts.cells import changed_cells
from dazi.apps.contracts.clauses import Contract, read_contract
from dazi.apps.contracts.contradictions import contradictions
from dazi.apps.contracts.departures import departures
from dazi.apps.contracts.deviations import deviations
from dazi.apps.contracts.evidence import Field
from dazi.apps.contracts.fields import fields_of
from dazi.apps.contracts.findings import ORDER, Finding
from dazi.apps.contracts.policy import judge, words_of
from dazi.apps.contracts.references import references
from dazi.apps.contracts.rules import Rule, built_in
from dazi.apps.contracts.topics import kind_of
from dazi.apps.contracts.twice import said_twice
from dazi.core.errors import CallerError
from dazi.knowledge.blocks import Block
from dazi.knowledge.parsing.limits import ParseLimits
from dazi.knowledge.parsing.ocr import installed
from dazi.knowledge.parsing.process import DEFAULT_LIMITS, parse

OCR_SECONDS = 600.0
"""For a scan of up to 200 pages: each takes a few seconds."""


@dataclass(frozen=True, slots=True)
class Review:
    """``findings`` the gravest first; ``alignment`` where a template was given."""

    kind: str
    contract: Contract
    fields: dict[str, Field]
    findings: tuple[Finding, ...]
    alignment: Alignment | None = field(default=None, repr=False)


async def read_file(
    path: Path, limits: ParseLimits = DEFAULT_LIMITS, *, ocr: bool = False
) -> Contract:
    """In the process that files are read in, within its limits. A file that has no text but in pictures is read by
    OCR where that is installed. Raises as ``parse``, and ``CallerError`` for a file without text."""
    blocks: list[Block] = []
    if ocr:
        limits = replace(limits, seconds=max(limits.seconds, OCR_SECONDS))
    async with aclosing(parse(path, limits=limits, ocr=ocr)) as found:
        async for item in found:
            if isinstance(item, Block):
                blocks.append(item)
    contract = read_contract(blocks)
    if not contract.clauses and not ocr and installed():
        return await read_file(path, limits, ocr=True)
    if not contract.clauses:
        raise CallerError(
            "no_text",
            f"{path.name} 里没有文字;扫描件要装 OCR(pip install 'dazi[ocr]')",
            f"{path.name} has no text; scans need OCR (pip install 'dazi[ocr]')",
        )
    return contract


def review(
    contract: Contract,
    template: Contract | None = None,
    rules: Sequence[Rule] = (),
    ours: Sequence[str] = (),
    *,
    own_policy: bool = False,
) -> Review:
    """Everything that can be told without a model; ``ours``: what the company is called;
    ``own_policy``: ``rules``, the built-in ones where there are none, are the company's own and hold
    whatever the template says. Pure: the same files give the same findings."""
    chosen = rules or built_in()
    kind = kind_of(contract)
    if kind == "other" and template is not None:
        kind = kind_of(template)
    fields = fields_of(contract)
    found = _by_itself(contract, chosen, kind, fields, ours)
    alignment = None
    if template is not None:
        usual_fields = fields_of(template)
        usual = _by_itself(template, chosen, kind, usual_fields, ours)
        if own_policy:
            usual = [f for f in usual if f.kind != "policy"]
        said = words_of(chosen, template)
        if own_policy:
            said = {}
        found = list(accepted(_new_annexes(found, template), usual, contract.language, said))
        alignment = align(template, contract)
        found += deviations(alignment)
        found += changed_cells(template, contract)
        found += _not_told(said_twice(alignment), found)
        found += _not_told(
            departures(usual_fields, fields, alignment.ours, alignment.theirs), found
        )
    return Review(kind, contract, fields, tuple(_sorted(found)), alignment)


def _by_itself(
    contract: Contract,
    rules: Sequence[Rule],
    kind: str,
    fields: dict[str, Field],
    ours: Sequence[str],
) -> list[Finding]:
    """What is told without a template."""
    return [
        *judge(rules, contract, kind, fields, ours),
        *contradictions(contract, fields),
        *references(contract),
    ]


def _not_told(more: Iterable[Finding], found: Sequence[Finding]) -> Iterator[Finding]:
    """Without those on words that a deviation or contradiction was found in."""
    said = [
        f.quote for f in found if f.kind in ("deviation", "contradiction") and f.severity != "low"
    ]
    for f in more:
        if not any(f.quote in s or s in f.quote for s in said):
            yield f


def _new_annexes(found: Iterable[Finding], template: Contract) -> Iterator[Finding]:
    """An annex that is not there tells more where the template doesn't speak of it either."""
    said = template.text
    for f in found:
        name = re.search(r"“(.+?)”", f.message.zh) if f.rule == "annex_not_there" else None
        unknown = name is not None and re.sub(r"\s", "", name[1]) not in re.sub(r"\s", "", said)
        yield replace(f, severity="medium") if unknown and f.severity == "low" else f


def _sorted(found: Iterable[Finding]) -> list[Finding]:
    """Without what is said twice of the same words."""
    seen: set[tuple[str, str, str]] = set()
    out: list[Finding] = []
    for f in sorted(found, key=lambda f: (ORDER[f.severity], f.page, f.rule)):
        key = (f.rule, f.quote, f.clause if not f.quote else "")
        if key not in seen:
            seen.add(key)
            out.append(f)
    return out
