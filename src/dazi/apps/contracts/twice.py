"""What a contract says once as the template has it, and again with another number elsewhere: in a note of an
annex, among special terms."""

from __future__ import annotations

import re
from collections.abc import Iterator

from dazi.apps.contracts.alignment import Alignment
from dazi.apps.contracts.clauses import Clause, Contract
from dazi.apps.contracts.findings import Finding, at, place, place_en
from dazi.apps.contracts.likeness import essence, likeness, sentences
from dazi.apps.contracts.money import moneys
from dazi.apps.contracts.values import percents, periods
from dazi.core.language import Text

ALIKE = 0.3
"""A likeness, numbers left out, from which on a sentence may say what one of the template's says."""


def said_twice(a: Alignment) -> Iterator[Finding]:
    """A sentence that nothing of the template is paired with, and that answers to one of its sentences which
    another says already, with other numbers than that one."""
    language = a.contract.language
    ours = [s for _, s in _said(a.template)]
    theirs = _said(a.contract)
    if not ours or not theirs:
        return
    scores = likeness(
        [_bare(a.ours.marked(s), language) for s in ours],
        [_bare(a.theirs.marked(s), language) for _, s in theirs],
        language,
    )
    says = scores.argmax(axis=1)
    paired = [p.theirs.words for p in a.pairs]
    for j, (clause, sentence) in enumerate(theirs):
        if any(sentence in words for words in paired):
            continue
        i = int(scores[:, j].argmax())
        first, said = theirs[int(says[i])]
        if scores[i, j] < ALIKE or j in says or first.index == clause.index:
            continue
        if differ(sentence, said):
            yield at(
                clause,
                "said_twice",
                "contradiction",
                "medium",
                Text(
                    f"这里说的和{place(first)}不一样:{said[:60]}",
                    f"this differs from {place_en(first)}: {said[:90]}",
                ),
                Text("核对,全文一致", "check, and say the same throughout"),
                sentence,
            )


def differ(one: str, other: str) -> bool:
    """Whether both give numbers of a kind, and none of them is the same."""
    kinds = (
        ({p.value for p in percents(s)} for s in (one, other)),
        ({m.amount for m in moneys(s)} for s in (one, other)),
        ({round(p.days, 1) for p in periods(s)} for s in (one, other)),
    )
    return any(found and more and found.isdisjoint(more) for found, more in kinds)


def _said(contract: Contract) -> list[tuple[Clause, str]]:
    return [
        (c, s)
        for c in contract.clauses
        if not c.table
        for part in _NOTE.split(c.words)
        for s in (sentences(part) or [part])
        if len(s) > 8
    ]


_NOTE = re.compile(r"(?<=[。；;])\s*(?=(?:\d{1,2}[.、．)）]|[（(]\d{1,2}[)）]))")


def _bare(text: str, language: str) -> str:
    """Without numbers, which are compared apart."""
    return re.sub(r"\d+(?:\.\d+)?[a-z%]*", " ", essence(text, language))
