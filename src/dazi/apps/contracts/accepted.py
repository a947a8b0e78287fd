"""What the company's own template says as well is no finding against a contract: it is told as low."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from dazi.apps.contracts.findings import Finding
from dazi.apps.contracts.likeness import essence, likeness
from dazi.apps.contracts.polarity import turned
from dazi.apps.contracts.values import percents, periods
from dazi.core.language import Text

ALIKE = 0.16
"""A likeness from which on two quotes speak of the same thing."""
_NOTE = Text("(范本也是这样)", " (so does the template)")


def accepted(
    found: Iterable[Finding],
    template: Sequence[Finding],
    language: str,
    said: Mapping[str, Sequence[str]],
) -> Iterator[Finding]:
    """``found`` in a contract, low where the same rule finds the ``template`` so: the same is absent, or the
    same is said with no other numbers. ``said``: for a rule what the template has of its words, excused there
    or not."""
    by_rule: dict[str, list[Finding]] = {}
    for f in template:
        by_rule.setdefault(f.rule, []).append(f)
    for f in found:
        if f.severity != "low" and any(
            _same(f, other, language)
            for other in (
                *by_rule.get(f.rule, ()),
                *(replace(f, quote=s) for s in said.get(f.rule, ())),
            )
        ):
            message = Text(f"{f.message.zh}{_NOTE.zh}", f"{f.message.en}{_NOTE.en}")
            yield replace(f, severity="low", message=message)
        else:
            yield f


def _same(ours: Finding, theirs: Finding, language: str) -> bool:
    if not ours.quote or not theirs.quote:
        return not ours.quote and not theirs.quote
    said = _numbers(theirs.quote)  # none where its sentence ends before them
    if said and not _numbers(ours.quote) <= said:
        return False
    if turned(theirs.quote, ours.quote, language):
        return False
    one, other = (essence(_neutral(f.quote), language) for f in (ours, theirs))
    return bool(likeness([one], [other], language)[0, 0] >= ALIKE)


def _numbers(text: str) -> set[str]:
    found = {f"{p.value.normalize():f}%" for p in percents(text)}
    return found | {f"{round(p.days, 1)}d" for p in periods(text)}


def _neutral(text: str) -> str:
    """Without numbers, which are compared apart."""
    return re.sub(r"[\d.,%]+", " ", text)
