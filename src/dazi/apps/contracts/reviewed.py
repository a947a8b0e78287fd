"""A review as it is kept and shown: plain data that goes into a database row and out again.

What people read (Word, PDF, a page, the console) is made from this, so that it can be made later, in
either language, and with what people have said of the findings.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import msgspec

from dazi.apps.contracts.alignment import Alignment
from dazi.apps.contracts.clauses import Clause
from dazi.apps.contracts.evidence import Field
from dazi.apps.contracts.findings import Finding, FindingKind, Severity
from dazi.apps.contracts.places import Spot, Texts
from dazi.apps.contracts.review import Review
from dazi.apps.contracts.rules import Rule
from dazi.core.bare import bare
from dazi.core.language import Text

VERSION = 1
"""Of the reviewer and of this form: what another version has made is made anew."""
How = Literal["same", "changed", "missing", "added"]
By = Literal["code", "model"]


@dataclass(frozen=True, slots=True)
class Passage:
    """A clause as it is shown; ``text`` with its title, without its number."""

    number: str
    title: str
    text: str
    page: int
    heading: bool
    table: bool


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding. ``id`` is the same in every review of the same words; ``spot`` is among the
    passages, ``None`` for what is missing."""

    id: str
    rule: str
    kind: FindingKind
    severity: Severity
    message: Text
    suggestion: Text
    quote: str
    page: int
    box: tuple[float, float, float, float] | None
    clause: str
    expected: str
    spot: Spot | None
    under: str = ""
    """The article that it stands in."""
    by: By = "code"


@dataclass(frozen=True, slots=True)
class Said:
    """A field with the words that say it."""

    name: str
    value: Any
    quote: str
    page: int
    clause: str


@dataclass(frozen=True, slots=True)
class Compared:
    """A clause of the template beside the contract's; of what is missing or added one is empty."""

    how: How
    moved: bool
    number: str
    template: str
    their_number: str
    contract: str


@dataclass(frozen=True, slots=True)
class Passed:
    """A rule of the policy that the contract does not offend."""

    rule: str
    message: Text


@dataclass(frozen=True, slots=True)
class Reviewed:
    """``digest`` of the file's bytes; ``compared`` is empty where there was no template."""

    name: str
    digest: str
    kind: str
    title: str
    language: str
    pages: int
    fields: tuple[Said, ...]
    remarks: tuple[Remark, ...]
    passages: tuple[Passage, ...]
    passed: tuple[Passed, ...]
    compared: tuple[Compared, ...]
    template: str = ""
    version: int = VERSION

    def counted(self, severity: Severity) -> int:
        return sum(r.severity == severity for r in self.remarks)


@dataclass(frozen=True, slots=True)
class Origin:
    """The files that were reviewed, by name and content."""

    name: str
    digest: str
    template: str = ""


def reviewed(done: Review, rules: Sequence[Rule], origin: Origin) -> Reviewed:
    contract = done.contract
    passages = tuple(_passage(c) for c in contract.clauses)
    offended = {f.rule for f in done.findings}
    return Reviewed(
        origin.name,
        origin.digest,
        done.kind,
        contract.title,
        contract.language,
        contract.pages,
        tuple(_said(n, f) for n, f in done.fields.items()),
        placed(tuple(_remark(f) for f in done.findings), passages),
        passages,
        tuple(
            Passed(r.id, _without_value(r))
            for r in rules
            if r.concerns(done.kind, contract.language) and r.id not in offended
        ),
        tuple(_compared(done.alignment)) if done.alignment is not None else (),
        origin.template,
    )


def placed(remarks: Sequence[Remark], passages: Sequence[Passage]) -> tuple[Remark, ...]:
    """Each with its place in the text and an id of its own."""
    texts = Texts([p.text for p in passages])
    before: dict[str, int] = {}
    for n, p in enumerate(passages):
        before.setdefault(p.number, n)
    out: list[Remark] = []
    seen: dict[str, int] = {}
    for remark in remarks:
        near = before.get(remark.clause, 0) if remark.clause else _of_page(passages, remark.page)
        share = near / max(1, len(passages))
        spot = texts.find(remark.quote, share) if remark.quote else None
        id = _id(remark)
        seen[id] = seen.get(id, 0) + 1
        id = id if seen[id] == 1 else f"{id}-{seen[id]}"
        under = _heading(passages, spot.first) if spot is not None else ""
        out.append(replace(remark, id=id, spot=spot, under=under))
    return tuple(out)


def _heading(passages: Sequence[Passage], at: int) -> str:
    """Of the article, where that is not the passage itself."""
    for n in range(at, -1, -1):
        if passages[n].heading:
            found = passages[n]
            return f"{found.number} {found.title}".strip() if n != at else ""
    return ""


def _of_page(passages: Sequence[Passage], page: int) -> int:
    return next((n for n, p in enumerate(passages) if page and p.page >= page), 0)


def _id(r: Remark) -> str:
    words = "\n".join((r.rule, bare(r.quote or r.clause + r.expected)[0], r.by))
    return hashlib.sha256(words.encode()).hexdigest()[:12]


def _passage(c: Clause) -> Passage:
    heading = bool(c.title) and c.level <= 2
    return Passage(c.number, c.title, c.words, c.page, heading, c.table)


def _said(name: str, f: Field) -> Said:
    return Said(name, f.value, f.quote[:300], f.clause.page, f.clause.number)


def _remark(f: Finding) -> Remark:
    return Remark(
        "", f.rule, f.kind, f.severity, f.message, f.suggestion, f.quote, f.page, f.box, f.clause,
        f.expected, None,
    )  # fmt: skip


def _without_value(rule: Rule) -> Text:
    """What the rule would have said, its own limit filled in."""
    limit = rule.max if rule.max is not None else rule.min
    zh, en = (
        said.replace("{value}", "…").replace("{limit}", str(limit))
        for said in (rule.message.zh, rule.message.en)
    )
    return Text(zh, en)


def _compared(a: Alignment) -> list[Compared]:
    """In the order of the template, what the contract has added at the end."""
    rows = [
        (p.ours.index, _row("changed" if _differs(p.ours, p.theirs) else "same", p.ours, p.theirs, moved=p.moved))
        for p in a.pairs
    ]  # fmt: skip
    rows += [(c.index, _row("missing", c, None)) for c in a.missing]
    added = [_row("added", None, c) for c in a.added]
    return [row for _, row in sorted(rows, key=lambda r: r[0])] + added


def _differs(ours: Clause, theirs: Clause) -> bool:
    return bare(ours.words)[0] != bare(theirs.words)[0]


def _row(how: How, ours: Clause | None, theirs: Clause | None, *, moved: bool = False) -> Compared:
    return Compared(
        how,
        moved,
        ours.number if ours else "",
        ours.words if ours else "",
        theirs.number if theirs else "",
        theirs.words if theirs else "",
    )


def as_plain(done: Reviewed) -> Any:
    """For JSON."""
    return msgspec.to_builtins(done)


def from_plain(data: Any) -> Reviewed:
    """Raises ``msgspec.ValidationError`` for what no version of ours has made."""
    return msgspec.convert(data, Reviewed)


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
